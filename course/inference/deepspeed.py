"""DeepSpeed: automatic tensor parallelism, and weights that wait in host memory (Lecture 11).

Two things that DeepSpeed's inference side still does for a model of transformers 5: it splits the linear layers over
processes by itself (AutoTP), and it runs a model whose weights do not fit on the device by bringing each layer when it
is needed (ZeRO-3 with offload). Its injected kernels do not fit transformers 5 any more.

The first run on a CPU compiles an extension with g++ and ninja, which takes minutes; it is kept. Processes are started
by DeepSpeed's own launcher: started otherwise, the sum over shared memory crashes. What they leave in shared memory,
two files of 69 MB, is removed here.

Sources: R. Y. Aminabadi et al., DeepSpeed-Inference, SC 2022; S. Rajbhandari et al., ZeRO-Infinity, SC 2021.
"""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from course.inference.eager import TransformersEager
from course.inference.protocol import Setup
from course.inference.remote import Remote
from course.inference.tensor_parallel import on_gpu, without_gpus

SHARED_MEMORY = Path("/dev/shm")


def without_deepspeed(setup: Setup) -> str:
    """Why DeepSpeed cannot run, or nothing."""
    if not importlib.util.find_spec("deepspeed"):
        return "The package deepspeed is not installed. Run make course."
    if setup.device == "cpu" and not (shutil.which("g++") and shutil.which("ninja", path=_path())):
        return "DeepSpeed compiles its CPU extension at the first run; it needs g++ and ninja. Install them."
    return ""


class AutoTpShard(TransformersEager):
    """What one process holds of a model that DeepSpeed split."""

    name, attention = "deepspeed shard", "sdpa"

    def __init__(self, setup: Setup):
        import deepspeed

        rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        super().__init__(on_gpu(setup, rank))
        self.model = deepspeed.init_inference(self.model, dtype=setup.torch_dtype, tensor_parallel={"tp_size": world})


class OffloadShard(TransformersEager):
    """A model whose weights stay in host memory under ZeRO-3; each layer's are brought when it runs."""

    name, attention = "deepspeed-offload shard", "sdpa"

    def __init__(self, setup: Setup):
        import deepspeed

        super().__init__(setup)
        settings = {
            "train_micro_batch_size_per_gpu": 1,
            "zero_optimization": {"stage": 3, "offload_param": {"device": "cpu"}},
            "bf16": {"enabled": setup.dtype == "bfloat16"},
            "fp16": {"enabled": setup.dtype == "float16"},
        }
        self.model = deepspeed.initialize(model=self.model, config=settings)[0]
        self.model.eval()


class AutoTp(Remote):
    """A model that DeepSpeed splits over `Setup.processes` processes; heads need not divide."""

    name, shard = "deepspeed", ("deepspeed", "AutoTpShard")

    @classmethod
    def missing(cls, setup: Setup) -> str:
        if setup.processes < 2:
            return "With one process DeepSpeed's AutoTP changes nothing. Ask for 2 processes or more."
        return without_deepspeed(setup) or without_gpus(setup)

    def commands(self) -> list[tuple[list[str], dict[str, str]]]:
        """DeepSpeed's launcher, which starts the processes."""
        arguments = [sys.executable, "-m", "deepspeed.launcher.runner", "--num_accelerators", str(self.n_processes)]
        arguments += ["--master_port", str(self._port), "--module", "course.inference.worker"]
        return [(arguments, {"PATH": _path()})]

    def close(self) -> None:
        """End the processes and remove what they left in shared memory."""
        super().close()
        for left in SHARED_MEMORY.glob(f"deepspeed_allreduce_buffer_{os.getuid()}_*_{self._port}_*"):
            left.unlink(missing_ok=True)


class Offload(AutoTp):
    """One process with the weights in host memory: for models that the device does not hold."""

    name, shard = "deepspeed-offload", ("deepspeed", "OffloadShard")

    @classmethod
    def missing(cls, setup: Setup) -> str:
        return without_deepspeed(setup)

    @property
    def n_processes(self) -> int:
        """One."""
        return 1


def _path() -> str:
    """The search path with this environment's programs first: ninja is one of them."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
