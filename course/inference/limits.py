"""How far from the reference a backend may be and still be called the same model (Lecture 11)."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Limits:
    """The fields are those of `course.inference.parity.Parity`; None asks for nothing."""

    rel_l2: float | None = None
    kl: float | None = None
    top1: float | None = None
    tokens: float | None = None

    def asked(self) -> dict[str, float]:
        """The limits that are set, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


# What each arithmetic may cost. Rounded weights are held to the distribution, not to the logits: a quantized model is
# another model, and its divergence is part of its price.
LIMITS = {
    "float32": Limits(rel_l2=1e-4, kl=1e-6, top1=0.999),
    "bfloat16": Limits(rel_l2=5e-2, kl=2e-2, top1=0.95),
    "float16": Limits(rel_l2=1e-2, kl=2e-3, top1=0.98),
    "int8": Limits(kl=0.5, top1=0.8),
    "int4": Limits(kl=1.0, top1=0.6),
}
