"""What ``course bench inference`` measures: its sizes, and the plans for ``course.measure`` that follow from them."""

from course.bench.record import Strict
from course.measure.plan import Plan

GENERATION, CACHE, BATCHES, ATTENTION = PARTS = ("generation", "cache", "batches", "attention")
ON_CPU = (
    *("eager", "sdpa", "transformers-sdpa", "onnx", "onnx-fused", "onnx-int8", "onnx-int8-rows", "onnx-int8-blocks"),
)
ON_GPU = (
    *("eager", "sdpa", "sdpa-flash", "sdpa-cudnn", "transformers-sdpa", "compiled", "int8-compiled", "int4-compiled"),
    *("deepspeed-offload", "vllm"),
)
BATCHED = {"cpu": ("sdpa", "onnx-fused"), "cuda": ("eager", "sdpa", "compiled")}


class Settings(Strict):
    """Sizes of a run.

    Attributes:
        device: "cpu", "cuda" or "cuda:N".
        parts: of `PARTS`, what to measure.
        models: of the generation; random weights beside SmolLM2 only where a GPU has the memory.
        dtype: of weights and cache.
        prompt, generated: tokens read and written.
        uncached: tokens written where each one reads the whole text again.
        batches: sequences side by side.
        processes, rounds, window: fresh processes, trials of each variant in each, trials of a warm-up's window.
        lengths: positions, of attention alone.
        attention_processes, attention_rounds: fresh processes, and trials of each function in each.
        seed: of prompts and order.
    """

    device: str
    parts: tuple[str, ...] = PARTS
    models: tuple[str, ...] = ("smollm2",)
    dtype: str = "float32"
    prompt: int = 128
    generated: int = 25
    uncached: int = 13
    batches: tuple[int, ...] = (1, 4, 16)
    batch_prompt: int = 32
    batch_generated: int = 9
    processes: int = 4
    rounds: int = 3
    window: int = 2
    lengths: tuple[int, ...] = (256, 1024, 2048)
    attention_processes: int = 6
    attention_rounds: int = 3
    ceiling_seconds: float = 0.1
    seed: int = 0

    @property
    def kind(self) -> str:
        """Of the device: "cpu" or "cuda"."""
        return self.device.partition(":")[0]


def settings_of(device: str, quick: bool, **chosen) -> Settings:
    """The sizes for a device; a quick run is of the tiny model, in one process, and judges nothing.

    Args:
        device: "cpu", "cuda" or "cuda:N".
        quick: whether it only shows that everything works.
        chosen: fields of `Settings` with other values.
    """
    fields: dict = {"device": device}
    if device != "cpu":
        fields |= {
            "models": ("smollm2", "llama-1b", "llama-8b"),
            "dtype": "bfloat16",
            "lengths": (256, 1024, 2048, 8192),
        }
        fields |= {"generated": 65, "uncached": 33, "batches": (1, 4, 16, 64), "batch_prompt": 128}
    if quick:
        fields |= {"models": ("tiny",), "prompt": 16, "generated": 4, "uncached": 4, "batches": (1, 2)}
        fields |= {"batch_prompt": 8, "batch_generated": 3, "processes": 1, "rounds": 2, "ceiling_seconds": 0.01}
        fields |= {"lengths": (64,), "attention_processes": 1, "attention_rounds": 2}
    return Settings(**fields | chosen)


def backends_of(settings: Settings, part: str) -> tuple[str, ...]:
    """The backends of a part; the first is the baseline, which the answers of all others are compared with."""
    if part == CACHE:
        return ("eager", "uncached")
    if part == BATCHES:
        return BATCHED[settings.kind]
    return ON_CPU if settings.kind == "cpu" else ON_GPU


def plan_of(settings: Settings, part: str, model: str, backends: tuple[str, ...]) -> Plan:
    """The plan of a part for ``course.measure``.

    Args:
        settings: the sizes.
        part: "generation", "cache" or "batches".
        model: its name.
        backends: those that can run here.
    """
    sizes = {
        GENERATION: {"prompt": settings.prompt, "generated": settings.generated},
        CACHE: {"prompt": settings.prompt, "generated": settings.uncached},
        BATCHES: {
            "scenario": "offline",
            "batches": settings.batches,
            "prompt": settings.batch_prompt,
            "generated": settings.batch_generated,
        },
    }
    return Plan.checked(
        device=settings.device,
        backends=backends,
        model=model,
        dtype=settings.dtype,
        processes=settings.processes,
        rounds=settings.rounds,
        window=settings.window,
        ceiling_seconds=settings.ceiling_seconds,
        seed=settings.seed,
        **sizes[part],
    )
