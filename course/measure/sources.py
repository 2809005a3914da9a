"""Where variants come from: the backends of Lecture 11, or the made-up ones on the fake device."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from course.errors import CourseError
from course.measure import fake_backend
from course.measure.devices import Device, FakeDevice, device_named, resolved
from course.measure.plan import Part, Plan
from course.measure.record import Ceiling, Counted, Variant
from course.measure.trial import Loaded
from course.measure.work import Shape, decode_work, prefill_work

ROUNDED_WEIGHTS = {"int8": 1.0, "int4": 0.5}
ASK_FREE = """
import sys
from course.measure.devices import device_named
print(device_named(sys.argv[1]).free_memory())
"""
VALUE_BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0}


class Source(Protocol):
    """What a measurement needs to know about backends."""

    def check(self, plan: Plan) -> None:
        """Raise a CourseError with a sentence if a backend is unknown or cannot run here."""

    def memory_needed(self, plan: Plan, part: Part) -> int:
        """Bytes, before anything is loaded."""

    def free_memory(self, plan: Plan) -> int:
        """Bytes that the device can still give; this process holds nothing of it afterwards."""

    def open_device(self, plan: Plan, process: int) -> Device:
        """The device, for one process."""

    def ceilings(self, plan: Plan, device: Device) -> tuple[Ceiling, ...]:
        """The device's limits, measured."""

    def load(self, plan: Plan, part: Part, device: Device) -> Loaded:
        """The variant, loaded, neither warmed up nor compiled."""


class FakeSource:
    """Backends of :mod:`course.measure.fake_backend`."""

    def check(self, plan: Plan) -> None:
        """Whether they are there."""
        _all_known(plan.backends, fake_backend.KINDS)

    def memory_needed(self, plan: Plan, part: Part) -> int:
        """Weights and cache."""
        return fake_backend.memory_bytes(part.batch, plan.length)

    def free_memory(self, plan: Plan) -> int:
        """All that the fake device has."""
        return self.open_device(plan, 0).free_memory()

    def open_device(self, plan: Plan, process: int) -> FakeDevice:
        """A device with noise of its own."""
        return FakeDevice(seed=1000 * plan.seed + process)

    def ceilings(self, plan: Plan, device: FakeDevice) -> tuple[Ceiling, ...]:
        """Limits, measured on it."""
        return fake_backend.measured_ceilings(device)

    def load(self, plan: Plan, part: Part, device: FakeDevice) -> Loaded:
        """A backend on the device."""
        backend = fake_backend.FakeBackend(part.backend, device, part.batch, plan.length)
        costs = fake_backend.COSTS
        variant = Variant(
            name=part.name,
            backend=part.backend,
            dtype="float32",
            batch=part.batch,
            rate=part.rate,
            shape=backend.config,
            bytes_per_weight=costs.bytes_per_weight,
            bytes_per_value=costs.bytes_per_value,
            logit_rows=backend.logit_rows(plan.prompt),
            memory_predicted=self.memory_needed(plan, part),
            code=code_of(Path(fake_backend.__file__)),
        )
        read = prefill_work(backend.config, part.batch, plan.prompt, costs)
        write = decode_work(backend.config, part.batch, plan.prompt, plan.generated - 1, costs)
        counted = (
            Counted(phase="prefill", flops=read.flops, bytes=read.bytes),
            Counted(phase="decode", flops=write.flops, bytes=write.bytes),
        )
        return Loaded(variant.model_copy(update={"counted": counted}), backend)


class InferenceSource:
    """The backends of ``course.inference``, which is imported when it is used."""

    def check(self, plan: Plan) -> None:
        """Whether they are there and can run here, and the prompt fits the model."""
        from course.inference import BACKENDS, available

        _all_known(plan.backends, BACKENDS)
        shape = {"model": plan.model, "dtype": plan.dtype, "length": plan.length, "processes": plan.shards}
        missing = available(resolved(plan.device), batch=max(plan.batches), **shape)
        for name in plan.backends:
            if missing[name]:
                raise CourseError(f"{name} cannot run here: {missing[name]}")

    def memory_needed(self, plan: Plan, part: Part) -> int:
        """Weights as often as they exist while it loads, cache and logits."""
        from course.inference import memory_needed

        return memory_needed(part.backend, plan.model, part.batch, plan.length, plan.dtype, plan.shards).total

    def free_memory(self, plan: Plan) -> int:
        """Asked in a process of its own: who opens a GPU holds some hundred megabytes of it until the end."""
        name = resolved(plan.device)
        if name == "cpu":
            return device_named(name).free_memory()
        asked = subprocess.run([sys.executable, "-c", ASK_FREE, name], capture_output=True, text=True)
        if asked.returncode != 0:
            complaint = (asked.stderr.strip().splitlines() or ["no word"])[-1]
            raise CourseError(f"The free memory of {name} could not be read: {complaint}")
        return int(asked.stdout.split()[-1])

    def open_device(self, plan: Plan, process: int) -> Device:
        """The device, with the plan's threads."""
        import torch

        torch.set_num_threads(plan.threads)
        return device_named(plan.device, plan.threads)

    def ceilings(self, plan: Plan, device: Device) -> tuple[Ceiling, ...]:
        """The two roofs, as ``course.inference.roofline`` measures them."""
        from course.inference.roofline import measure_ceilings

        found = measure_ceilings(resolved(plan.device), plan.dtype, plan.threads, seconds=plan.ceiling_seconds)
        moved = (*found.read_bytes_per_second, *found.copy_bytes_per_second)
        return (
            Ceiling(kind="flops", dtype=plan.dtype, per_second=tuple(found.flops_per_second)),
            Ceiling(kind="bytes", dtype=plan.dtype, per_second=moved),
        )

    def load(self, plan: Plan, part: Part, device: Device) -> Loaded:
        """A backend, with what ``course.inference.roofline`` counts for it."""
        import torch

        import course.inference
        import course.language

        backend = course.inference.create(
            part.backend,
            model=plan.model,
            device=resolved(plan.device),
            dtype=plan.dtype,
            batch=part.batch,
            length=plan.length,
            threads=plan.threads,
            seed=plan.seed,
            processes=plan.shards,
            port=plan.port,
        )
        variant = Variant(
            name=part.name,
            backend=part.backend,
            dtype=backend.arithmetic,
            batch=part.batch,
            rate=part.rate,
            shape=Shape.of(backend.config),
            bytes_per_weight=ROUNDED_WEIGHTS.get(backend.arithmetic, VALUE_BYTES[plan.dtype]),
            bytes_per_value=VALUE_BYTES[plan.dtype],
            logit_rows=backend.logit_rows(plan.prompt),
            memory_predicted=self.memory_needed(plan, part),
            code=code_of(*(Path(room.__file__).parent for room in (course.inference, course.language))),
            counted=_counted(backend, plan, part),
        )
        return Loaded(variant, backend, lambda tokens: torch.as_tensor(np.ascontiguousarray(tokens)))


def source_for(plan: Plan) -> Source:
    """The made-up backends for the device "fake", those of Lecture 11 for any other."""
    return FakeSource() if plan.device == "fake" else InferenceSource()


@cache
def code_of(*places: Path) -> str:
    """SHA-256 over the names and contents of Python files, of folders those directly inside."""
    digest = hashlib.sha256()
    for place in places:
        for file in sorted(place.glob("*.py")) if place.is_dir() else [place]:
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _counted(backend, plan: Plan, part: Part) -> tuple[Counted, ...]:
    from course.inference import roofline

    rounded = backend.arithmetic if backend.arithmetic in ROUNDED_WEIGHTS else ""
    read = roofline.prefill_work(
        backend.config,
        part.batch,
        plan.prompt,
        plan.dtype,
        logit_rows=backend.logit_rows(plan.prompt),
        weights_as=rounded,
    )
    written = [
        roofline.decode_work(backend.config, part.batch, plan.prompt + step, plan.dtype, rounded)
        for step in range(1, plan.generated)
    ]
    return (
        Counted(phase="prefill", flops=read.flops, bytes=read.weights + read.cache_read),
        Counted(
            phase="decode",
            flops=sum(step.flops for step in written),
            bytes=sum(step.weights + step.cache_read for step in written),
        ),
    )


def _all_known(names, known: dict[str, Callable]) -> None:
    for name in names:
        if name not in known:
            raise CourseError(f"No backend is called {name!r}; there are {', '.join(known)}.")
