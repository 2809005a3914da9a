"""Devices: the fake one against closed forms, the processor, and what is said where there is no GPU."""

import math
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from course.errors import CourseError
from course.measure import devices
from course.measure.devices import STEADY, Behaviour, CpuDevice, CudaDevice, FakeDevice, device_named, timed


def steady(**more):
    return FakeDevice(0, Behaviour(**{**STEADY.__dict__, **more}))


def test_a_launch_returns_at_once_and_the_work_is_done_later():
    device = steady()
    began = device.now()
    for _ in range(100):
        device.launch("step", 0.01)
    assert device.now() - began == pytest.approx(100 * device.behaviour.launch_seconds)
    device.synchronize()
    assert device.now() - began == pytest.approx(1.0, rel=1e-3)


def test_without_synchronisation_the_number_is_visibly_wrong():
    device = steady()
    began = device.now()
    device.launch("step", 0.01)
    forgotten = device.now() - began
    device.synchronize()
    _, honest = timed(device, "kernel", 1, lambda: device.launch("step", 0.01))
    assert honest.seconds == pytest.approx(0.01, rel=1e-2)
    assert honest.device_seconds == pytest.approx(0.01, rel=1e-2)
    assert forgotten < honest.seconds / 1000


def test_work_that_was_under_way_before_is_not_in_the_timing():
    device = steady()
    device.launch("before", 5.0)
    _, timing = timed(device, "kernel", 1, lambda: device.launch("step", 0.01))
    assert timing.seconds == pytest.approx(0.01, rel=1e-2)


def test_the_host_works_beside_the_device():
    """Launches that are slower than the kernels: the host is what takes the time."""
    device = steady(launch_seconds=1e-3)
    _, timing = timed(device, "kernel", 50, lambda: [device.launch("small", 1e-5) for _ in range(50)])
    assert timing.seconds == pytest.approx(50 * 1e-3, rel=1e-2)


def test_a_full_queue_makes_the_launch_wait():
    device = steady(queue=4)
    began = device.now()
    for _ in range(10):
        device.launch("step", 1.0)
    assert device.now() - began == pytest.approx(6.0, rel=1e-3)
    device.synchronize()
    assert device.now() - began == pytest.approx(10.0, rel=1e-3)


def test_the_warm_up_of_each_kernel_follows_its_curve():
    device = steady(cold=5.0, settle=2.0)
    for kernel in ("one", "two"):
        for launch in range(8):
            _, timing = timed(device, "kernel", 1, lambda kernel=kernel: device.launch(kernel, 1.0))
            assert timing.seconds == pytest.approx(1 + 4 * math.exp(-launch / 2), rel=1e-4)


def test_drift_follows_the_virtual_clock():
    device = steady(drift=0.5, heating=10.0)
    for instant in (0.0, 10.0, 100.0):
        device.wait_until(instant)
        begins = device.now()
        _, timing = timed(device, "kernel", 1, lambda: device.launch("step", 1e-3))
        assert timing.seconds == pytest.approx(1e-3 * (1 + 0.5 * (1 - math.exp(-begins / 10))), rel=1e-2)


def test_the_second_state_and_outliers_come_as_often_as_they_should():
    device = steady(slow_mode=0.3, slow_factor=2.0)
    seconds = []
    for _ in range(2000):
        device.reset_peak()
        seconds.append(timed(device, "kernel", 1, lambda: device.launch("step", 1.0))[1].seconds)
    assert np.mean(np.array(seconds) > 1.5) == pytest.approx(0.3, abs=0.04)
    device = steady(outliers=0.1, outlier=7.0)
    seconds = [timed(device, "kernel", 1, lambda: device.launch("step", 1.0))[1].seconds for _ in range(2000)]
    assert np.mean(np.array(seconds) > 6) == pytest.approx(0.1, abs=0.03)


def test_the_same_seed_gives_the_same_numbers_and_another_gives_others():
    def sample(seed):
        device = FakeDevice(seed)
        return [timed(device, "kernel", 1, lambda: device.launch("step", 1.0))[1].seconds for _ in range(5)]

    assert sample(1) == sample(1) != sample(2)


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf])
def test_a_kernel_of_no_time_is_refused(seconds):
    with pytest.raises(ValueError, match="positive number of seconds"):
        FakeDevice().launch("step", seconds)


def test_memory_has_a_peak():
    device = FakeDevice(memory_bytes=1000)
    device.hold(600)
    device.hold(-500)
    assert (device.memory().allocated, device.memory().reserved, device.free_memory()) == (600, 100, 900)
    device.reset_peak()
    assert device.memory().allocated == 100


def test_the_processor():
    device = CpuDevice(threads=1)
    result, timing = timed(device, "kernel", 1, lambda: sum(range(100_000)))
    assert result == 4_999_950_000
    assert timing.seconds > 0 and timing.process_seconds > 0 and timing.device_seconds is None
    memory = device.memory()
    assert memory.allocated >= memory.reserved > 10 << 20
    assert 0 < device.free_memory() < device.describe().memory_bytes
    assert device.describe().kind == "cpu" and "torch" in device.describe().versions


def test_processor_time_counts_the_processes_that_were_started():
    """Backends that split a model compute in others; the one that asks them only waits."""
    device = CpuDevice()
    busy = "import sys, time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\nsys.stdin.read()"
    child = [sys.executable, "-c", busy]
    with subprocess.Popen(child, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        before = device.process_seconds()
        _, timing = timed(device, "kernel", 1, process.stdout.readline)
        assert device.process_seconds() >= before and timing.process_seconds > 0.1
    assert timed(device, "kernel", 1, lambda: None)[1].process_seconds < 0.1


def test_a_process_that_ends_takes_no_time_back():
    device = CpuDevice()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    _, timing = timed(device, "kernel", 1, lambda: child.communicate(b"\n"))
    assert timing.process_seconds >= 0


@pytest.mark.parametrize("name", ["tpu", "", "gpu", "CPU"])
def test_an_unknown_device(name):
    with pytest.raises(CourseError, match="there are cpu, cuda"):
        device_named(name)


def test_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(devices, "_torch_sees_a_gpu", lambda: False)
    assert device_named("auto").name == "cpu"
    for name in ("cuda", "cuda:1"):
        with pytest.raises(CourseError, match="No GPU is visible .* --device cpu"):
            device_named(name)


class MadeUpTorch(SimpleNamespace):
    """What CudaDevice uses of torch, on a clock of its own: milliseconds, as CUDA's events have."""

    def __init__(self):
        clock = self.clock = [0.0]

        class Event:
            def __init__(self, enable_timing):
                assert enable_timing

            def record(self, stream):
                self.at = clock[0]

            def elapsed_time(self, other):
                return other.at - self.at

        calls = self.calls = []
        cuda = SimpleNamespace(
            is_available=lambda: True,
            device_count=lambda: 1,
            set_device=lambda index: None,
            synchronize=lambda index: calls.append("synchronize"),
            Event=Event,
            current_stream=lambda index: None,
            reset_peak_memory_stats=lambda index: calls.append("reset"),
            max_memory_allocated=lambda index: 123,
            mem_get_info=lambda index: (600, 1000),
            get_device_properties=lambda index: SimpleNamespace(
                name="Made-up H100", total_memory=1000, major=9, minor=0, uuid="1234"
            ),
        )
        cudnn = SimpleNamespace(version=lambda: 91000)
        super().__init__(
            cuda=cuda,
            version=SimpleNamespace(cuda="13.0"),
            backends=SimpleNamespace(cudnn=cudnn),
            get_num_threads=lambda: 4,
            clock=clock,
            calls=calls,
        )


class MadeUpNvml(SimpleNamespace):
    """What is read of NVML; ``broken`` makes the driver refuse."""

    class NVMLError(Exception):
        pass

    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0

    def __init__(self, broken=False):
        def answer(value):
            def ask(*arguments):
                if broken:
                    raise self.NVMLError("Driver Not Loaded")
                return value

            return ask

        super().__init__(
            nvmlInit=answer(None),
            nvmlShutdown=lambda: None,
            nvmlDeviceGetHandleByUUID=answer("card"),
            nvmlDeviceGetHandleByIndex=answer("card"),
            nvmlDeviceGetClockInfo=answer(1755),
            nvmlDeviceGetMaxClockInfo=answer(1980),
            nvmlDeviceGetTemperature=answer(41),
            nvmlDeviceGetPowerUsage=answer(350_499),
            nvmlDeviceGetCurrentClocksThrottleReasons=answer(4),
            nvmlDeviceGetUtilizationRates=answer(SimpleNamespace(gpu=7)),
            nvmlSystemGetDriverVersion=answer("580.1"),
        )


def test_the_gpu_through_a_made_up_torch(monkeypatch):
    """The order of calls, units and fields; the real ones were not at hand here."""
    torch = MadeUpTorch()
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "pynvml", MadeUpNvml())
    device = CudaDevice("cuda:0")

    def work():
        torch.clock[0] += 12.5
        torch.calls.append("work")

    _, timing = timed(device, "decode", 5, work)
    assert torch.calls == ["synchronize", "work", "synchronize"]
    assert timing.device_seconds == pytest.approx(0.0125)
    assert (device.memory().allocated, device.memory().reserved, device.free_memory()) == (123, 400, 600)
    described = device.describe()
    assert (described.kind, described.name, described.driver) == ("cuda", "Made-up H100", "580.1")
    assert described.versions["cuda"] == "13.0" and described.versions["capability"] == "9.0"
    assert described.state["sm clock, MHz"] == "1755" and described.state["power, W"] == "350"
    with pytest.raises(CourseError, match="PyTorch sees 1, counted from cuda:0"):
        CudaDevice("cuda:1")
    monkeypatch.setitem(sys.modules, "pynvml", MadeUpNvml(broken=True))
    assert device.describe().state == {"nvml": "Driver Not Loaded"}
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert "not installed" in device.describe().state["nvml"]


def test_the_fake_device_needs_no_torch():
    """It is loaded in places where a second matters, and where there is no torch."""
    code = "import sys, course.measure.rehearsal; sys.exit('torch' in sys.modules or 'mlperf_loadgen' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
