"""Attention alone, function against function, each trial in a fresh process (``course bench inference``).

``python -m course.bench.inference_attention DEVICE LENGTH ROUNDS`` compares the functions in this process and prints
seconds per call, round by round, as JSON.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from course.bench.record import Sample
from course.errors import CourseError

HEADS, HEAD_DIM = 9, 64  # SmolLM2's
BASELINE, TILED, FLASH = FUNCTIONS = ("naive", "tiled", "flash")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
LONGEST_COMPLAINT = 400


def quantity(length: int) -> str:
    """What is measured at a length, as the record names it."""
    return f"attention over {length:,}"


def attention_trial(device: str, length: int, rounds: int) -> list[Sample]:
    """Compare the functions in a fresh process; their samples, without the trial's place.

    Raises:
        CourseError: the process failed, with its last words.
    """
    command = [sys.executable, "-m", __name__, device, str(length), str(rounds)]
    done = subprocess.run(command, env=os.environ | ONE_THREAD, capture_output=True, text=True, errors="replace")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise CourseError(f"attention over {length} positions could not be measured: {last[-LONGEST_COMPLAINT:]}")
    return samples_of(json.loads(done.stdout.splitlines()[-1]), length)


def samples_of(seconds: dict[str, Sequence[float]], length: int) -> list[Sample]:
    """Seconds per call of each function as samples."""
    return [
        Sample(trial=0, quantity=quantity(length), variant=name, unit="s", value=value, size=length)
        for name, values in seconds.items()
        for value in values
    ]


def compare(device: str, length: int, rounds: int) -> dict[str, tuple[float, ...]]:
    """Seconds per call of each function in this process; causal, float32 on a processor and bfloat16 on a GPU.

    Raises:
        CourseError: there is no such device or kernel, or a function gives another answer.
    """
    import torch

    from course.measure.devices import device_named
    from course.measure.kernels import compare_kernels

    torch.set_num_threads(1)
    on_gpu = device != "cpu"
    opened = device_named(device)
    generator = torch.Generator(device).manual_seed(length)
    shape, kind = (1, HEADS, length, HEAD_DIM), {"dtype": torch.bfloat16 if on_gpu else torch.float32}
    inputs = [torch.randn(shape, generator=generator, device=device, **kind) for _ in range(3)]
    with torch.no_grad():
        found = compare_kernels(
            functions(inputs), opened, rounds=rounds, seconds=0.02, tolerance=2e-2 if on_gpu else 1e-4, seed=length
        )
    return found.seconds


def functions(inputs: Sequence) -> dict[str, Callable]:
    """The functions by name, ready to be called; the first is the baseline."""
    from course.inference.attention import naive_attention, tiled_attention
    from course.inference.sdpa import attention_by

    return {
        BASELINE: lambda: naive_attention(*inputs, causal=True),
        TILED: lambda: tiled_attention(*inputs, causal=True),
        FLASH: lambda: attention_by("flash", *inputs, causal=True),
    }


if __name__ == "__main__":
    try:
        print(json.dumps(compare(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
    except CourseError as complaint:
        print(complaint, file=sys.stderr)
        raise SystemExit(1) from None
