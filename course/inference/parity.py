"""How far one way of computing logits is from another, and how far is too far (Lecture 11).

Logits are natural-log scores up to a constant: ``(..., n, vocab)``. Kullback-Leibler divergences are in nats.
"""

from dataclasses import dataclass

import torch

from course.errors import CourseError
from course.inference.limits import LIMITS, Limits
from course.inference.protocol import Backend, generate, teacher_forced


@dataclass(frozen=True)
class Parity:
    """What was compared, over all rows.

    Attributes:
        rows: rows of logits that were compared.
        rel_l2: norm of the difference over the norm of the reference.
        max_abs: largest absolute difference.
        top1: share of rows whose best token is the same.
        kl: mean of KL(reference || other) over the rows, in nats.
        tokens: share of greedily generated tokens that are equal; None where nothing was generated.
    """

    rows: int
    rel_l2: float
    max_abs: float
    top1: float
    kl: float
    tokens: float | None = None

    def failures(self, limits: Limits) -> list[str]:
        """One sentence for each limit that is broken; none means that a speed may be reported."""
        found, asked = [], limits.asked()
        if not self.rel_l2 <= asked.get("rel_l2", float("inf")):
            found.append(f"The logits differ by {self.rel_l2:.2g} (relative L2); {limits.rel_l2:.2g} is allowed.")
        if not self.kl <= asked.get("kl", float("inf")):
            found.append(f"The distributions differ by {self.kl:.2g} nats; {limits.kl:.2g} are allowed.")
        if not self.top1 >= asked.get("top1", 0.0):
            found.append(f"The best token agrees in {self.top1:.1%} of the rows; {limits.top1:.1%} are asked for.")
        if self.tokens is not None and not self.tokens >= asked.get("tokens", 0.0):
            found.append(f"{self.tokens:.1%} of the greedy tokens agree; {limits.tokens:.1%} are asked for.")
        return found


def compare(reference: torch.Tensor, other: torch.Tensor, tokens: float | None = None) -> Parity:
    """How far ``other`` is from ``reference``, in float64.

    Args:
        reference, other: logits ``(..., vocab)`` of equal shape, on any device, all finite.
        tokens: share of equal greedy tokens, if known.

    Raises:
        ValueError: the shapes differ, there is no row, or a value is not finite.
    """
    if reference.shape != other.shape or reference.ndim < 1 or reference.numel() == 0:
        raise ValueError(f"Logits of equal shape are compared; {tuple(reference.shape)} and {tuple(other.shape)} came.")
    wanted, found = (_rows(logits) for logits in (reference, other))
    for name, logits in (("reference", wanted), ("other", found)):
        if not logits.isfinite().all():
            raise ValueError(f"{(~logits.isfinite()).sum()} of the {name}'s logits are not finite: nothing to compare.")
    difference, log_p, log_q = found - wanted, wanted.log_softmax(-1), found.log_softmax(-1)
    scale = wanted.norm().item()
    return Parity(
        rows=len(wanted),
        rel_l2=difference.norm().item() / scale if scale else float(difference.norm() > 0),
        max_abs=difference.abs().max().item(),
        top1=(wanted.argmax(-1) == found.argmax(-1)).double().mean().item(),
        kl=max((log_p.exp() * (log_p - log_q)).sum(-1).mean().item(), 0.0),
        tokens=tokens,
    )


def measure(reference: Backend, other: Backend, tokens: torch.Tensor, n_prompt: int, n_new: int = 0) -> Parity:
    """Compare two backends on all three of their ways: whole sequences, the cache, and what they say next.

    Args:
        reference, other: with equal weights; both are reset.
        tokens: ``(batch, n)``, fed to both.
        n_prompt: tokens of the prompt, 1 to n; the rest goes through the cache, one at a time.
        n_new: tokens to generate greedily from the prompt; 0 for none.

    Returns:
        Over all rows of both ways, with the share of equal greedy tokens.

    Raises:
        ValueError: n_prompt lies outside the tokens, or a backend gave logits that are not finite.
    """
    if not 1 <= n_prompt <= tokens.shape[1]:
        raise ValueError(f"n_prompt has to lie in 1 to {tokens.shape[1]}, the tokens there are; {n_prompt} came.")
    agreed = None
    if n_new:
        said, heard = (generate(backend, tokens[:, :n_prompt], n_new).cpu() for backend in (reference, other))
        agreed = (said == heard).double().mean().item()
    pair = [
        torch.cat([backend.logits(tokens).cpu(), teacher_forced(backend, tokens, n_prompt).cpu()], dim=1)
        for backend in (reference, other)
    ]
    return compare(*pair, agreed)


def require(parity: Parity, arithmetic: str) -> Parity:
    """The parity itself if it is within the limits of an arithmetic (see `course.inference.limits.LIMITS`).

    Raises:
        CourseError: it is not, with each limit that is broken; or the arithmetic is unknown.
    """
    if arithmetic not in LIMITS:
        raise CourseError(f"No limits of parity are known for {arithmetic!r}; there are {', '.join(LIMITS)}.")
    failures = parity.failures(LIMITS[arithmetic])
    if failures:
        raise CourseError(" ".join(failures) + " Its speed is not reported.")
    return parity


def _rows(logits: torch.Tensor) -> torch.Tensor:
    return logits.detach().to("cpu", torch.float64).reshape(-1, logits.shape[-1])
