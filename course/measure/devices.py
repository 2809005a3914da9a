"""What is measured on, with its clocks (Lecture 11, *Fast inference*).

A device works while the host goes on: launching a kernel returns at once, and only :meth:`synchronize` waits. Whoever
reads the clock without it has measured the launch. :class:`FakeDevice` behaves like that without any GPU: its clock is
virtual and the true latency of each of its kernels is known.
"""

import math
import os
import platform
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol, TypeVar

import psutil

from course.bench.machine import this_machine
from course.errors import CourseError
from course.measure.record import Device as Description
from course.measure.record import Memory, Phase, Timing

PACKAGES = ("torch", "transformers", "onnxruntime", "onnxruntime-genai", "deepspeed", "torchao", "triton", "numpy")
CPU_CLOCK = 2  # with a process's number, the clock of what its processor computed: clock_getcpuclockid(3) of Linux
T = TypeVar("T")


class Device(Protocol):
    """A device as the harness sees it."""

    name: str

    def synchronize(self) -> None:
        """Wait until all that was launched is done."""

    def now(self) -> float:
        """The host's clock, seconds from anywhere, never backwards."""

    def process_seconds(self) -> float | None:
        """Seconds that this process computed; None where there is no such clock."""

    def mark(self) -> Any:
        """Note the present place in the device's queue; None where it has no events."""

    def between(self, first: Any, last: Any) -> float | None:
        """Seconds between two marks on the device's own clock, after :meth:`synchronize`."""

    def reset_peak(self) -> None:
        """Forget the peak of memory."""

    def memory(self) -> Memory:
        """The peak since :meth:`reset_peak`, and what the process holds."""

    def free_memory(self) -> int:
        """Bytes that can still be had."""

    def describe(self) -> Description:
        """Kind, name and versions, for the record."""


def timed(device: Device, phase: Phase, steps: int, work: Callable[[], T]) -> tuple[T, Timing]:
    """Run work and take its time between two synchronisations.

    Args:
        device: that the work runs on.
        phase, steps: for the timing.
        work: launches it; what it returns may still be on its way.

    Returns:
        What the work returned, and its timing.
    """
    device.synchronize()
    first, computed, began = device.mark(), device.process_seconds(), device.now()
    result = work()
    last = device.mark()
    device.synchronize()
    seconds = device.now() - began
    # A process that ended meanwhile takes its seconds with it, hence the 0.
    process_seconds = None if computed is None else max(device.process_seconds() - computed, 0.0)
    return result, Timing(
        phase=phase,
        steps=steps,
        seconds=seconds,
        process_seconds=process_seconds,
        device_seconds=device.between(first, last),
    )


def resolved(name: str) -> str:
    """The name of a device; for "auto" that of the GPU where there is one, else of the processor. Opens nothing."""
    if name != "auto":
        return name
    return "cuda" if _torch_sees_a_gpu() else "cpu"


def device_named(name: str, threads: int = 1) -> "Device":
    """The device called "cpu", "cuda", "cuda:N" or "auto": the GPU where there is one, else the processor.

    Raises:
        CourseError: another name, or no such GPU here.
    """
    name = resolved(name)
    if name == "cpu":
        return CpuDevice(threads)
    if name.partition(":")[0] == "cuda":
        return CudaDevice(name)
    raise CourseError(
        f"No device is called {name!r}; there are cpu, cuda, cuda:N, fake, and auto for whichever is there."
    )


class CpuDevice:
    """The processor: work is done when the call returns, so that there is nothing to wait for.

    Args:
        threads: that the libraries were told to use, for the record.
    """

    name = "cpu"

    def __init__(self, threads: int = 1):
        self.threads = threads

    def synchronize(self) -> None:
        """Nothing is ever under way."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.perf_counter_ns() * 1e-9

    def process_seconds(self) -> float:
        """Seconds of all threads of this process, and of the processes that it started and that still run."""
        return sum(map(_computed, _descendants(os.getpid()))) + time.process_time_ns() * 1e-9

    def mark(self) -> None:
        """A processor has no events."""

    def between(self, first: None, last: None) -> None:
        """A processor has no events."""

    def reset_peak(self) -> None:
        """The system tells only the process's whole peak, so nothing can be forgotten."""

    def memory(self) -> Memory:
        """Bytes in memory of this process and those that it started: their peaks, and what they hold now."""
        own = psutil.Process()
        peak = held = 0
        for process in (own, *own.children(recursive=True)):
            try:
                now = process.memory_info().rss
                peak += max(_peak_resident(process.pid), now)
                held += now
            except psutil.NoSuchProcess:
                continue
        return Memory(allocated=peak, reserved=held)

    def free_memory(self) -> int:
        """Bytes that the system can give without swapping."""
        return psutil.virtual_memory().available

    def describe(self) -> Description:
        """Processor, memory, threads and versions."""
        machine = this_machine()
        return Description(
            kind="cpu",
            name=machine.cpu[:80],
            clock="perf_counter_ns, beside it process_time_ns",
            memory_bytes=machine.memory_bytes,
            threads=self.threads,
            driver=machine.system,
            versions=_versions(),
            state={"cores": str(machine.cores), "load": ", ".join(f"{load:.2f}" for load in os.getloadavg())},
        )


class CudaDevice:
    """An NVIDIA GPU through torch: events beside the host's clock, and NVML for what the driver knows.

    Args:
        name: "cuda" or "cuda:N".

    Raises:
        CourseError: torch is not there or sees no such GPU.
    """

    def __init__(self, name: str = "cuda"):
        if not _torch_sees_a_gpu():
            raise CourseError(f"No GPU is visible to PyTorch here, and {name!r} was asked for. Take --device cpu.")
        import torch

        number = name.partition(":")[2] or "0"
        if not number.isdigit() or int(number) >= torch.cuda.device_count():
            raise CourseError(f"There is no {name!r}; PyTorch sees {torch.cuda.device_count()}, counted from cuda:0.")
        self.name, self._torch, self._index = name, torch, int(number)
        torch.cuda.set_device(self._index)

    def synchronize(self) -> None:
        """Wait for all streams."""
        self._torch.cuda.synchronize(self._index)

    def now(self) -> float:
        """Seconds of the host's monotonic clock."""
        return time.perf_counter_ns() * 1e-9

    def process_seconds(self) -> float:
        """Seconds that the host computed: what the launches cost."""
        return time.process_time_ns() * 1e-9

    def mark(self):
        """An event on the current stream."""
        event = self._torch.cuda.Event(enable_timing=True)
        event.record(self._torch.cuda.current_stream(self._index))
        return event

    def between(self, first, last) -> float:
        """Seconds between two events; torch gives milliseconds."""
        return first.elapsed_time(last) * 1e-3

    def reset_peak(self) -> None:
        """Forget torch's peak."""
        self._torch.cuda.reset_peak_memory_stats(self._index)

    def memory(self) -> Memory:
        """Torch's peak; and all that is taken on the GPU, so that what other libraries hold is in it."""
        free, total = self._torch.cuda.mem_get_info(self._index)
        return Memory(allocated=self._torch.cuda.max_memory_allocated(self._index), reserved=total - free)

    def free_memory(self) -> int:
        """Bytes that the driver can still give."""
        return self._torch.cuda.mem_get_info(self._index)[0]

    def describe(self) -> Description:
        """The card, its driver, the CUDA libraries, clocks and temperature."""
        torch, properties = self._torch, self._torch.cuda.get_device_properties(self._index)
        driver, state = _nvml(str(getattr(properties, "uuid", "")), self._index)
        libraries = {"cuda": str(torch.version.cuda), "cudnn": str(torch.backends.cudnn.version())}
        return Description(
            kind="cuda",
            name=properties.name[:80],
            clock="perf_counter_ns after synchronize, beside it CUDA events",
            memory_bytes=properties.total_memory,
            threads=torch.get_num_threads(),
            driver=driver,
            versions=_versions() | libraries | {"capability": f"{properties.major}.{properties.minor}"},
            state=state,
        )


@dataclass(frozen=True)
class Behaviour:
    """How a fake device differs from its true latencies; all factors multiply the time of a kernel.

    Attributes:
        noise: standard deviation of a launch's logarithm.
        cold: factor of a kernel's first launch, which falls to 1 with ``settle`` further launches (a time constant).
        drift: what the device becomes slower by as it heats up, with the time constant ``heating`` in seconds.
        outliers: share of launches that take ``outlier`` times as long.
        slow_mode: share of trials that run in a second, slower state, by ``slow_factor``; a trial begins where
            :meth:`FakeDevice.reset_peak` is called, or with ``mode`` set by hand.
        between_processes: standard deviation, from process to process, of the logarithm of all latencies.
        launch_seconds: that the host needs to launch.
        sync_seconds: that a synchronisation costs when nothing is under way.
        queue: launches that may be under way; the next one waits.
    """

    noise: float = 0.01
    cold: float = 4.0
    settle: float = 3.0
    drift: float = 0.05
    heating: float = 2.0
    outliers: float = 0.004
    outlier: float = 3.0
    slow_mode: float = 0.0
    slow_factor: float = 2.0
    between_processes: float = 0.01
    launch_seconds: float = 4e-6
    sync_seconds: float = 2e-6
    queue: int = 1024


STEADY = Behaviour(noise=0.0, cold=1.0, drift=0.0, outliers=0.0, between_processes=0.0)


class FakeDevice:
    """An asynchronous device with a virtual clock: launching returns at once, the work is done later.

    Nothing waits and nothing depends on the machine, so that a whole measurement takes milliseconds and gives the same
    numbers each time. What a launch truly takes is the ``seconds`` that it is launched with.

    Args:
        seed: of noise, outliers and states.
        behaviour: how it differs from the true latencies.
        memory_bytes: that it claims to have.

    Attributes:
        log: counts of launches, synchronisations and readings of the clock.
    """

    name = "fake"

    def __init__(self, seed: int = 0, behaviour: Behaviour = Behaviour(), memory_bytes: int = 80 << 30):
        self.behaviour, self.memory_bytes = behaviour, memory_bytes
        self.log: Counter[str] = Counter()
        self._random = random.Random(f"fake device {seed}")
        self._speed = math.exp(self._random.gauss(0, behaviour.between_processes))
        self._host = 0.0
        self._under_way: deque[float] = deque()
        self._worked = 0.0
        self._launched: Counter[str] = Counter()
        self._slow = False
        self._held = self._peak = 0

    def launch(self, kernel: str, seconds: float) -> None:
        """Put a kernel into the queue, and return.

        Args:
            kernel: its name; each has its own warm-up.
            seconds: that it takes on this device when warm, without noise.

        Raises:
            ValueError: the time is not positive and finite.
        """
        if not (seconds > 0 and math.isfinite(seconds)):
            raise ValueError(f"A kernel takes a positive number of seconds; {seconds} came.")
        self._host += self.behaviour.launch_seconds
        while self._under_way and self._under_way[0] <= self._host:
            self._under_way.popleft()
        if len(self._under_way) >= self.behaviour.queue:
            self._host = max(self._host, self._under_way[len(self._under_way) - self.behaviour.queue])
        starts = max(self._host, self._under_way[-1] if self._under_way else self._host)
        duration = seconds * self._factor(kernel, starts)
        self._under_way.append(starts + duration)
        self._worked += duration
        self.log["launch"] += 1

    def synchronize(self) -> None:
        """Let the virtual clock go on to where all work is done."""
        if self._under_way:
            self._host = max(self._host, self._under_way[-1])
            self._under_way.clear()
        self._host += self.behaviour.sync_seconds
        self.log["synchronize"] += 1

    def now(self) -> float:
        """The virtual clock of the host, seconds."""
        self.log["now"] += 1
        return self._host

    def wait_until(self, instant: float) -> None:
        """Let the host sleep until the virtual clock shows ``instant``; the device works on."""
        self._host = max(self._host, instant)

    def process_seconds(self) -> None:
        """A virtual clock has no process."""

    def mark(self) -> float:
        """The place in the queue, as the instant at which the device gets there."""
        return self._under_way[-1] if self._under_way else self._host

    def between(self, first: float, last: float) -> float:
        """Seconds between two marks."""
        return last - first

    def reset_peak(self) -> None:
        """Forget the peak; and draw the state that the device is in from here."""
        self._peak = self._held
        self._slow = self._random.random() < self.behaviour.slow_mode

    def hold(self, n_bytes: int) -> None:
        """Take memory, or give it back where ``n_bytes`` is negative."""
        self._held += n_bytes
        self._peak = max(self._peak, self._held)

    def memory(self) -> Memory:
        """What was taken with :meth:`hold`."""
        return Memory(allocated=self._peak, reserved=self._held)

    def free_memory(self) -> int:
        """What was not."""
        return self.memory_bytes - self._held

    def describe(self) -> Description:
        """That it is a fake."""
        return Description(
            kind="fake",
            name="made-up asynchronous device",
            clock="virtual",
            memory_bytes=self.memory_bytes,
            threads=1,
            versions={"python": platform.python_version()},
        )

    def _factor(self, kernel: str, instant: float) -> float:
        """By how much this launch takes longer than its true time."""
        own = self.behaviour
        factor = self._speed * (1 + (own.cold - 1) * math.exp(-self._launched[kernel] / own.settle))
        factor *= 1 + own.drift * (1 - math.exp(-instant / own.heating))
        if own.noise:
            factor *= math.exp(self._random.gauss(0, own.noise))
        if own.outliers and self._random.random() < own.outliers:
            factor *= own.outlier
        self._launched[kernel] += 1
        return factor * (own.slow_factor if self._slow else 1.0)


def _torch_sees_a_gpu() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def _versions() -> dict[str, str]:
    """Versions of the installed packages that take part in inference."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _nvml(uuid: str, index: int) -> tuple[str, dict[str, str]]:
    """The driver's version and the card's state; empty where NVML is not there or does not answer.

    Args:
        uuid: of the card; NVML's own numbers pay no heed to ``CUDA_VISIBLE_DEVICES``.
        index: taken where the card is not found by its uuid.
    """
    try:
        import pynvml
    except ImportError:
        return "", {"nvml": "not installed (package nvidia-ml-py)"}
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return "", {"nvml": str(error)}
    try:
        card = _nvml_card(pynvml, uuid, index)
        state = {
            "sm clock, MHz": pynvml.nvmlDeviceGetClockInfo(card, pynvml.NVML_CLOCK_SM),
            "largest sm clock, MHz": pynvml.nvmlDeviceGetMaxClockInfo(card, pynvml.NVML_CLOCK_SM),
            "memory clock, MHz": pynvml.nvmlDeviceGetClockInfo(card, pynvml.NVML_CLOCK_MEM),
            "temperature, degrees Celsius": pynvml.nvmlDeviceGetTemperature(card, pynvml.NVML_TEMPERATURE_GPU),
            "power, W": round(pynvml.nvmlDeviceGetPowerUsage(card) / 1000),
            "throttled, bits": hex(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(card)),
            "busy, %": pynvml.nvmlDeviceGetUtilizationRates(card).gpu,
        }
        return str(pynvml.nvmlSystemGetDriverVersion()), {name: str(value) for name, value in state.items()}
    except pynvml.NVMLError as error:
        return "", {"nvml": str(error)}
    finally:
        pynvml.nvmlShutdown()


def _nvml_card(pynvml, uuid: str, index: int):
    try:
        return pynvml.nvmlDeviceGetHandleByUUID(uuid if uuid.startswith("GPU-") else f"GPU-{uuid}")
    except pynvml.NVMLError:
        return pynvml.nvmlDeviceGetHandleByIndex(index)


def _descendants(pid: int) -> list[int]:
    """The processes that a process started and that still run, and theirs; none where the system does not tell."""
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            children = [int(child) for child in thread.read_text().split()]
            found += [*children, *(one for child in children for one in _descendants(child))]
    return found


def _computed(pid: int) -> float:
    """Seconds that another process computed, all its threads together; 0 if it is gone."""
    with suppress(OSError):
        return time.clock_gettime_ns((~pid << 3) | CPU_CLOCK) * 1e-9
    return 0.0


def _peak_resident(pid: int) -> int:
    """The highest resident size of a process, bytes; 0 where the system does not tell."""
    if not sys.platform.startswith("linux"):
        return 0
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            lines: Mapping[str, str] = dict(line.split(":", 1) for line in status if ":" in line)
    except OSError:
        return 0
    return int(lines.get("VmHWM", "0 kB").split()[0]) * 1024
