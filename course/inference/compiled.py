"""A static cache and `torch.compile`: the same kernels' work with fewer launches (Lecture 11).

On a GPU the mode is "reduce-overhead": the whole step becomes one CUDA graph, replayed with one launch. The first
decode step compiles: minutes for 30 layers on a slow processor.

Source: J. Ansel et al., PyTorch 2: Faster Machine Learning Through Dynamic Python Bytecode Transformation and Graph
Compilation, ASPLOS 2024; the arrangement (static cache, one compiled step, eager prefill) is gpt-fast's.
"""

import importlib.util
import math
import shutil

import torch
from torch.nn.functional import scaled_dot_product_attention

from course.inference import models
from course.inference.protocol import Backend, Setup
from course.language.attention import repeat_kv
from course.language.cache import StaticCache


class Compiled(Backend):
    """The course's LLaMA with a static cache; the decode step is compiled, the prefill is not.

    A prompt comes in many lengths and each would be compiled anew; a decode step has one shape for ever.
    """

    name = "compiled"

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.model = self._weights(setup)
        self.model.use_attention(attend_static)
        self.cache = StaticCache(setup.config, setup.batch, setup.length, setup.torch_dtype, setup.device)
        for tensor in (*self.cache.keys, *self.cache.values, self.cache.written):
            torch._dynamo.mark_static_address(tensor)  # a CUDA graph may write where it wrote when it was captured
        self.mode = "reduce-overhead" if self.device.type == "cuda" else "default"
        self._step = torch.compile(self._next, mode=self.mode, fullgraph=True, dynamic=False)

    @classmethod
    def missing(cls, setup: Setup) -> str:
        if setup.device == "cpu" and not any(map(shutil.which, ("g++", "clang++"))):
            return "torch.compile needs a C++ compiler on a CPU, and neither g++ nor clang++ is here. Install g++."
        if setup.device != "cpu" and not importlib.util.find_spec("triton"):
            return (
                "torch.compile needs the package triton on a GPU. Install the CUDA build of PyTorch, which brings it."
            )
        return ""

    def _weights(self, setup: Setup):
        return models.load(setup)

    def _prefill(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._next(tokens)

    def _decode(self, tokens: torch.Tensor) -> torch.Tensor:
        torch.compiler.cudagraph_mark_step_begin()
        return self._step(tokens[:, None]).clone()  # a CUDA graph's output is overwritten by its next replay

    def _next(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.model.lm_head(self.model.hidden(tokens, self.cache)[:, -1]).float()

    def _logits(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.model.lm_head(self.model.hidden(tokens)).float()

    def _reset(self) -> None:
        self.cache.written.zero_()

    def close(self) -> None:
        """Let go of weights, cache and graphs."""
        self.model = self.cache = self._step = None
        torch.compiler.reset()


def attend_static(queries, keys, values, offset=0) -> torch.Tensor:
    """Attention over a static cache, `course.language.attention.attend_grouped`'s contract.

    One query compares itself with every place and hides those not written yet; a prompt, which starts at position 0,
    takes the places that it has just written and leaves the mask to the kernel.
    """
    n, groups = queries.shape[-2], queries.shape[-3] // keys.shape[-3]
    if n == 1:
        return _attend_one(queries, keys, values, offset, groups)
    keys, values = repeat_kv(keys[..., :n, :], groups), repeat_kv(values[..., :n, :], groups)
    return scaled_dot_product_attention(queries, keys, values, is_causal=True)


def _attend_one(queries, keys, values, offset, groups: int) -> torch.Tensor:
    """``(batch, heads, 1, d)``: heads that share keys become the rows of one product, so that keys are read once."""
    rows = queries.unflatten(-3, (-1, groups)).squeeze(-2)
    scores = rows @ keys.transpose(-1, -2) / math.sqrt(rows.shape[-1])
    ahead = torch.arange(keys.shape[-2], device=keys.device) > offset
    weights = scores.float().masked_fill(ahead, -math.inf).softmax(-1).to(values.dtype)
    return (weights @ values).flatten(-3, -2).unsqueeze(-2)
