"""Ways of running a language model, all behind one protocol (Lecture 11).

`BACKENDS` names them; `create` makes one; `available` says which can run here and why the others cannot. A backend's
module, and the library behind it, are imported when it is asked for.
"""

import importlib
from dataclasses import dataclass

from course.errors import CourseError
from course.inference.memory import Memory, memory_free, require_memory
from course.inference.memory import memory_needed as _memory_needed
from course.inference.protocol import Backend, Setup, Unavailable, generate, no_device, teacher_forced

__all__ = [
    "BACKENDS",
    "Backend",
    "Memory",
    "Setup",
    "Unavailable",
    "available",
    "create",
    "generate",
    "memory_needed",
    "teacher_forced",
]


@dataclass(frozen=True)
class Factory:
    """Where a backend is, and what it is, without importing it.

    Attributes:
        module, type: of its class.
        about: what it is, in a few words.
        copies: how often the weights exist at once while it loads.
        shared: whether each of the setup's processes loads them, before it keeps its part.
    """

    module: str
    type: str
    about: str
    copies: int = 1
    shared: bool = False

    def find(self) -> type[Backend]:
        """The class, imported."""
        return getattr(importlib.import_module(f"course.inference.{self.module}"), self.type)

    def memory(self, setup: Setup) -> Memory:
        """What it holds while it loads the model and runs it with a full cache."""
        copies = self.copies * (setup.processes if self.shared else 1)
        return _memory_needed(setup.config, setup.batch, setup.length, setup.dtype, copies)

    def __call__(self, setup: Setup) -> Backend:
        """Make one.

        Raises:
            Unavailable: it cannot run here.
            CourseError: its memory does not suffice.
        """
        found = self.find()
        if reason := no_device(setup.device) or found.missing(setup):
            raise Unavailable(reason)
        require_memory(
            self.memory(setup), memory_free(setup.device), f"{setup.model} in {setup.dtype} with {found.name}"
        )
        return found(setup)


BACKENDS: dict[str, Factory] = {
    "eager": Factory("eager", "Eager", "the course's LLaMA, attention written out"),
    "uncached": Factory("eager", "Uncached", "the same without a cache: every token reads the whole text"),
    "naive": Factory("eager", "Naive", "the course's LLaMA with naive_attention"),
    "tiled": Factory("eager", "Tiled", "the same with tiled_attention, online softmax in Python"),
    "transformers-eager": Factory("eager", "TransformersEager", "transformers, eager attention"),
    "transformers-sdpa": Factory("eager", "TransformersSdpa", "transformers, its default"),
    "sdpa": Factory("sdpa", "Sdpa", "the course's LLaMA, PyTorch's choice of kernel"),
    "sdpa-math": Factory("sdpa", "SdpaMath", "the same, plain operations"),
    "sdpa-flash": Factory("sdpa", "SdpaFlash", "the same, FlashAttention"),
    "sdpa-efficient": Factory("sdpa", "SdpaEfficient", "the same, memory-efficient kernel"),
    "sdpa-cudnn": Factory("sdpa", "SdpaCudnn", "the same, cuDNN"),
    "compiled": Factory("compiled", "Compiled", "static cache, torch.compile, CUDA graphs on a GPU"),
    "onnx": Factory("onnx_runtime", "OnnxRuntime", "ONNX Runtime, exported graph", 3),
    "onnx-fused": Factory("onnx_runtime", "OnnxFused", "ONNX Runtime, fused operators", 3),
    "onnx-int8": Factory("onnx_runtime", "OnnxInt8", "ONNX Runtime, fused, int8 weights", 3),
    "onnx-int8-rows": Factory("onnx_runtime", "OnnxInt8Rows", "ONNX Runtime, fused, int8 weights, tokens apart", 3),
    "onnx-int8-blocks": Factory("onnx_runtime", "OnnxInt8Blocks", "ONNX Runtime, fused, int8 weights in blocks", 3),
    "genai-int4": Factory("genai", "GenAi", "onnxruntime-genai, int4 weights", 3),
    "int8": Factory("quantized", "Int8", "torchao, int8 weights, eager"),
    "int8-compiled": Factory("quantized", "Int8Compiled", "torchao, int8 weights, compiled"),
    "int4-compiled": Factory("quantized", "Int4Compiled", "torchao, int4 weights, compiled"),
    "tensor-parallel": Factory("tensor_parallel", "TensorParallel", "split by hand over processes", shared=True),
    "deepspeed": Factory("deepspeed", "AutoTp", "DeepSpeed AutoTP over processes", shared=True),
    "deepspeed-offload": Factory("deepspeed", "Offload", "DeepSpeed ZeRO-3, weights in host memory"),
    "llama.cpp": Factory("peers", "LlamaCpp", "llama.cpp through xllamacpp"),
    "vllm": Factory("peers", "Vllm", "vLLM"),
}


def create(name: str, **setup) -> Backend:
    """Load a model with a backend; it is neither warmed up nor compiled yet.

    Args:
        name: a key of `BACKENDS`.
        setup: the fields of `Setup`: model, device, dtype, batch, length, threads, seed, processes, port.

    Raises:
        Unavailable: it cannot run here; the sentence says why.
        CourseError: an unknown name or field, or the memory does not suffice.
    """
    return _factory(name)(_setup(setup))


def available(device: str = "cpu", **setup) -> dict[str, str]:
    """For each backend, nothing if it can run here, else why not; no model is loaded.

    Args:
        device: "cpu", "cuda".
        setup: other fields of `Setup`, which have their defaults otherwise.
    """
    wanted = _setup({**setup, "device": device})
    missing = no_device(device)
    return {name: missing or factory.find().missing(wanted) for name, factory in BACKENDS.items()}


def memory_needed(name: str, model: str, batch: int, length: int, dtype: str = "float32", processes: int = 2) -> Memory:
    """What a backend holds while it loads a model and runs it with a full cache; nothing is loaded.

    Args:
        name: a key of `BACKENDS`.
        model, batch, length, dtype, processes: as for `Setup`.
    """
    fields = {"model": model, "batch": batch, "length": length, "dtype": dtype, "processes": processes}
    return _factory(name).memory(_setup(fields))


def _factory(name: str) -> Factory:
    if name not in BACKENDS:
        raise CourseError(f"No backend is called {name!r}; there are {', '.join(BACKENDS)}.")
    return BACKENDS[name]


def _setup(fields: dict) -> Setup:
    unknown, known = set(fields) - set(Setup.__dataclass_fields__), ", ".join(Setup.__dataclass_fields__)
    if unknown:
        raise CourseError(f"A backend has no {', '.join(sorted(unknown))}; it has {known}.")
    return Setup(**fields)
