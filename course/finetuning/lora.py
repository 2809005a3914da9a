"""Low-rank adaptation: a frozen linear layer and a small trained change beside it (Lecture 9, experiments 1 to 3).

A linear layer ``y = x W^T`` gets a second way from ``x`` to ``y`` that is as narrow as ``rank``::

    y = x W^T + (alpha / rank) (x A^T) B^T        W: (out, in)   A: (rank, in)   B: (out, rank)

Only A and B are trained. B starts as zeros, so that at the start nothing has changed. Since
``x W^T + s (x A^T) B^T = x (W + s B A)^T``, the change can be added into W once training is over.

Source: E. J. Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022, section 4.1.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course.errors import CourseError


class LoraLinear(nn.Module):
    """A linear layer that is frozen, and its low-rank change.

    Args:
        base: the layer; it is frozen and kept, not copied.
        rank: width of the change, 1 up to the smaller side of the layer.
        alpha: the change is scaled by ``alpha / rank``; twice the rank, if not given.
        seed: of ``down``; ``up`` starts as zeros.

    Attributes:
        down: A, ``(rank, in)``; ``up``: B, ``(out, rank)``.
        merged: whether the change has been added into ``base``.
        enabled: whether an unmerged change is used.

    Raises:
        TypeError: ``base`` is no linear layer.
        ValueError: the rank or alpha is out of range.
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float | None = None, seed: int = 0):
        super().__init__()
        if not isinstance(base, nn.Linear):
            raise TypeError(f"A torch.nn.Linear was expected and {type(base).__name__} came.")
        if isinstance(rank, bool) or not isinstance(rank, int) or not 1 <= rank <= min(base.weight.shape):
            raise ValueError(
                f"A rank from 1 to {min(base.weight.shape)}, the smaller side of this layer, was expected and "
                f"{rank!r} came."
            )
        alpha = 2.0 * rank if alpha is None else float(alpha)
        if not (math.isfinite(alpha) and alpha > 0):
            raise ValueError(f"An alpha above 0 was expected and {alpha} came; twice the rank is usual.")
        self.base, self.rank, self.scale = base.requires_grad_(False), rank, alpha / rank
        self.merged, self.enabled = False, True
        weight = base.weight
        bound = 1 / math.sqrt(base.in_features)
        start = torch.empty(rank, base.in_features).uniform_(-bound, bound, generator=_generator(seed))
        self.down = nn.Parameter(start.to(weight))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank, dtype=weight.dtype, device=weight.device))

    def forward(self, x: Tensor) -> Tensor:
        """``(..., in)`` to ``(..., out)``."""
        if self.merged or not self.enabled:
            return self.base(x)
        return self.base(x) + self.scale * F.linear(F.linear(x, self.down), self.up)

    def update(self) -> Tensor:
        """The change as a matrix of the layer's own shape, ``(out, in)``, of rank ``rank`` at most."""
        return self.scale * (self.up @ self.down)

    def extra_repr(self) -> str:
        """What ``print`` shows beside the parts."""
        return f"rank={self.rank}, scale={self.scale:g}, merged={self.merged}"


def add_lora(
    module: nn.Module,
    rank: int,
    alpha: float | None = None,
    targets: Sequence[str] | None = None,
    seed: int = 0,
) -> dict[str, LoraLinear]:
    """Freeze a module and put a change beside each of its linear layers that is called for.

    Args:
        module: any; to adapt only some blocks of a model, freeze the model and give a ``nn.ModuleList`` of those.
        rank, alpha: as for :class:`LoraLinear`.
        targets: last parts of the names of the layers, for example ``("query", "value")``; all linear layers, if not
            given.
        seed: of the first layer; those that follow count on from it.

    Returns:
        Name to adapter, in the order of the module's layers.

    Raises:
        CourseError: the module has adapters already, or a target is the name of no linear layer.
    """
    if adapters(module):
        raise CourseError("This model has LoRA adapters already. Merge or remove them before adding others.")
    module.requires_grad_(False)
    names = [name for name, part in module.named_modules() if isinstance(part, nn.Linear)]
    chosen = [name for name in names if targets is None or name.rpartition(".")[2] in targets]
    missing = sorted(set(targets or ()) - {name.rpartition(".")[2] for name in chosen})
    if missing or not chosen:
        known = ", ".join(sorted({name.rpartition(".")[2] for name in names})) or "none"
        raise CourseError(f"No linear layer is called {', '.join(missing) or 'anything'}; this model has: {known}.")
    for place, name in enumerate(chosen):
        _replace(module, name, LoraLinear(module.get_submodule(name), rank, alpha, seed + place))
    return adapters(module)


def adapters(module: nn.Module) -> dict[str, LoraLinear]:
    """Name to adapter; empty for a module without any."""
    return {name: part for name, part in module.named_modules() if isinstance(part, LoraLinear)}


@torch.no_grad()
def merge(module: nn.Module) -> None:
    """Add every change into its layer: afterwards the model computes the same at no extra cost.

    Raises:
        CourseError: no adapters, or one that is merged already.
    """
    for adapter in _all_with(module, merged=False):
        adapter.base.weight += adapter.update()
        adapter.merged = True


@torch.no_grad()
def unmerge(module: nn.Module) -> None:
    """Subtract every change again. In floating point this restores the weights up to rounding, and not exactly.

    Raises:
        CourseError: no adapters, or one that is not merged.
    """
    for adapter in _all_with(module, merged=True):
        adapter.base.weight -= adapter.update()
        adapter.merged = False


def remove_lora(module: nn.Module) -> None:
    """Put the plain linear layers back: with the change where it was merged, without it where it was not."""
    for name, adapter in adapters(module).items():
        _replace(module, name, adapter.base)


@contextmanager
def disabled(module: nn.Module) -> Iterator[None]:
    """Within this block the model is the one that it was before its adapters; exactly, to the last bit.

    Raises:
        CourseError: no adapters, or they are merged and can't be taken out of the way.
    """
    switched = _all_with(module, merged=False)
    before = [adapter.enabled for adapter in switched]
    for adapter in switched:
        adapter.enabled = False
    try:
        yield
    finally:
        for adapter, enabled in zip(switched, before, strict=True):
            adapter.enabled = enabled


def count_trainable(module: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def adapter_state(module: nn.Module) -> dict[str, Tensor]:
    """Copies of ``NAME.down`` and ``NAME.up`` of every adapter: all that training has changed, and what one ships."""
    return {
        f"{name}.{part}": getattr(adapter, part).detach().clone()
        for name, adapter in adapters(module).items()
        for part in ("down", "up")
    }


@torch.no_grad()
def load_adapter(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Set the adapters of a module to a state that :func:`adapter_state` gave.

    Raises:
        CourseError: an adapter is merged, or the names or shapes do not fit this module.
    """
    for adapter in _all_with(module, merged=False):
        adapter.enabled = True
    own = {f"{name}.{part}": getattr(a, part) for name, a in adapters(module).items() for part in ("down", "up")}
    differ = sorted(set(own) ^ set(state)) or [name for name in own if own[name].shape != state[name].shape]
    if differ:
        raise CourseError(f"This state belongs to other adapters: {differ[0]} is missing or has another shape.")
    for name, parameter in own.items():
        parameter.copy_(state[name])


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _replace(module: nn.Module, name: str, part: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(module.get_submodule(parent), last, part)


def _all_with(module: nn.Module, merged: bool) -> list[LoraLinear]:
    found = list(adapters(module).values())
    if not found:
        raise CourseError("This model has no LoRA adapters; add_lora gives it some.")
    if any(adapter.merged != merged for adapter in found):
        raise CourseError(f"These adapters are {'not merged' if merged else 'merged already'}.")
    return found
