"""PyTorch's fused attention, with the kernel chosen by name (Lecture 11)."""

import warnings
from contextlib import nullcontext

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from course.errors import CourseError
from course.inference.eager import Eager
from course.inference.protocol import DTYPES, Setup, Unavailable, no_device
from course.language.attention import repeat_kv, visible

KERNELS = {
    "math": SDPBackend.MATH,
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
}


def attention_by(kernel: str, queries, keys, values, causal: bool = False) -> torch.Tensor:
    """`scaled_dot_product_attention` by one kernel or not at all.

    Args:
        kernel: "math", "flash", "efficient", "cudnn".
        queries, keys, values: ``(batch, heads, n, d)``, as many of each.
        causal: hide from each query the keys behind it.

    Raises:
        CourseError: no kernel has that name, or PyTorch has it not for this device, dtype and shape.
    """
    with kernel_called(kernel):
        try:
            return scaled_dot_product_attention(queries, keys, values, is_causal=causal)
        except RuntimeError as error:
            shape = f"{queries.device.type}, {str(queries.dtype).removeprefix('torch.')} and {tuple(queries.shape)}"
            raise Unavailable(f"PyTorch has no {kernel} kernel of attention for {shape} here. Try math.") from error


def kernel_called(name: str):
    """A context in which attention uses this kernel alone; "" leaves PyTorch its choice."""
    if name and name not in KERNELS:
        raise CourseError(f"No kernel of attention is called {name!r}; there are {', '.join(KERNELS)}.")
    return sdpa_kernel(KERNELS[name]) if name else nullcontext()


def without_kernel(name: str, setup: Setup, grouped: bool) -> str:
    """Why a kernel cannot serve a setup's heads and dtype, or nothing: tried on 16 positions.

    Args:
        name: of the kernel.
        setup: device, dtype and model.
        grouped: hand it the heads of keys as they are, not repeated for each head of queries.
    """
    if reason := no_device(setup.device):
        return reason
    config, kind = setup.config, {"device": setup.device, "dtype": DTYPES[setup.dtype]}
    queries = torch.ones(1, config.n_heads, 16, config.head_dim, **kind)
    keys = torch.ones(1, config.n_kv_heads if grouped else config.n_heads, 16, config.head_dim, **kind)
    try:
        with kernel_called(name), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on a GPU, PyTorch warns once for each reason why a kernel was not taken
            scaled_dot_product_attention(queries, keys, keys, is_causal=True, enable_gqa=grouped)
    except RuntimeError:
        return f"PyTorch has no {name} kernel of attention for {setup.device}, {setup.dtype} here. Try sdpa-math."
    return ""


class Sdpa(Eager):
    """The course's LLaMA with `scaled_dot_product_attention`; PyTorch chooses the kernel.

    Keys and values that heads share are handed over as they are where the kernel takes that, else repeated.
    """

    name = "sdpa"
    kernel = ""

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.grouped = setup.config.n_heads > setup.config.n_kv_heads and not without_kernel(self.kernel, setup, True)
        self.model.use_attention(self._attend)

    @classmethod
    def missing(cls, setup: Setup) -> str:
        return without_kernel(cls.kernel, setup, grouped=False)

    def _attend(self, queries, keys, values, offset=0) -> torch.Tensor:
        n, m = queries.shape[-2], keys.shape[-2]
        if not self.grouped:
            groups = queries.shape[-3] // keys.shape[-3]
            keys, values = repeat_kv(keys, groups), repeat_kv(values, groups)
        # One query behind a cache sees all keys; a whole prompt needs no mask but the kernel's own.
        mask = None if n == 1 or n == m else visible(n, m, offset, queries.device)
        return scaled_dot_product_attention(
            queries, keys, values, attn_mask=mask, is_causal=n == m and n > 1, enable_gqa=self.grouped
        )

    def _next(self, tokens: torch.Tensor) -> torch.Tensor:
        with kernel_called(self.kernel):
            return super()._next(tokens)

    def _logits(self, tokens: torch.Tensor) -> torch.Tensor:
        with kernel_called(self.kernel):
            return super()._logits(tokens)


class SdpaMath(Sdpa):
    """Attention as a sequence of plain operations."""

    name, kernel = "sdpa-math", "math"


class SdpaFlash(Sdpa):
    """FlashAttention: tiles and an online softmax in one kernel."""

    name, kernel = "sdpa-flash", "flash"


class SdpaEfficient(Sdpa):
    """The memory-efficient kernel that came from xFormers."""

    name, kernel = "sdpa-efficient", "efficient"


class SdpaCudnn(Sdpa):
    """cuDNN's fused attention."""

    name, kernel = "sdpa-cudnn", "cudnn"
