"""How many operations and bytes a decoder needs at least, counted from its shape (Lecture 11, *Fast inference*).

A multiplication and an addition are two operations. Bytes are those that no cache can save: each weight once, each key
and value that is attended to once. Source of the roofline: S. Williams, A. Waterman and D. Patterson, Roofline: an
insightful visual performance model, 2009.
"""

from dataclasses import dataclass

from pydantic import Field

from course.bench.record import Strict


class Shape(Strict):
    """What speed depends on in a decoder of the LLaMA family; the names are those of its configuration."""

    vocab_size: int = Field(ge=1)
    hidden_size: int = Field(ge=1)
    n_layers: int = Field(ge=1)
    n_heads: int = Field(ge=1)
    n_kv_heads: int = Field(ge=1)
    head_dim: int = Field(ge=1)
    intermediate_size: int = Field(ge=1)
    tie_embeddings: bool = True

    @classmethod
    def of(cls, config) -> "Shape":
        """The shape in a :class:`course.language.model.LlamaConfig`, or in anything with the same attributes."""
        return cls(**{name: getattr(config, name) for name in cls.model_fields})

    @property
    def layer_weights(self) -> int:
        """Weights in the matrix products of one layer: queries, keys, values, output, and three of the feed-forward."""
        attention = 2 * self.hidden_size * self.head_dim * (self.n_heads + self.n_kv_heads)
        return attention + 3 * self.hidden_size * self.intermediate_size

    @property
    def head_weights(self) -> int:
        """Weights of the product that gives the logits."""
        return self.vocab_size * self.hidden_size

    def cache_values(self, positions: int) -> int:
        """Keys and values of one sequence, all layers."""
        return 2 * self.n_layers * self.n_kv_heads * self.head_dim * positions


@dataclass(frozen=True)
class Work:
    """What a phase takes at least, and what it takes where masked scores are computed as well.

    Attributes:
        flops: operations, with attention to what the mask leaves.
        flops_unmasked: operations, with attention to all keys, as FlopCounterMode counts.
        bytes: of weights and cache that are read.
    """

    flops: float
    flops_unmasked: float
    bytes: float


@dataclass(frozen=True)
class Costs:
    """How a variant stores numbers, and how many rows of logits its prefill computes for each sequence."""

    bytes_per_weight: float
    bytes_per_value: float
    logit_rows: int = 1


def prefill_work(shape: Shape, batch: int, prompt: int, costs: Costs) -> Work:
    """What reading ``batch`` prompts of ``prompt`` tokens into an empty cache takes."""
    dense = 2.0 * batch * (prompt * shape.n_layers * shape.layer_weights + costs.logit_rows * shape.head_weights)
    masked, unmasked = prompt * (prompt + 1) / 2, prompt * prompt
    weights = shape.n_layers * shape.layer_weights + shape.head_weights
    read = weights * costs.bytes_per_weight + batch * shape.cache_values(prompt) * costs.bytes_per_value
    per_pair = _attention_flops(shape, batch)
    return Work(dense + per_pair * masked, dense + per_pair * unmasked, read)


def decode_work(shape: Shape, batch: int, prompt: int, steps: int, costs: Costs) -> Work:
    """What ``steps`` further tokens of each sequence take, one at a time, after ``prompt`` positions in the cache."""
    weights = shape.n_layers * shape.layer_weights + shape.head_weights
    keys = steps * prompt + steps * (steps + 1) // 2  # the new token attends to itself as well
    flops = 2.0 * batch * steps * weights + _attention_flops(shape, batch) * keys
    read = steps * weights * costs.bytes_per_weight + batch * shape.cache_values(keys) * costs.bytes_per_value
    return Work(flops, flops, read)


def least_seconds(work: Work, flops_per_second: float, bytes_per_second: float) -> float:
    """The roofline: no device with these ceilings does the work in less."""
    return max(work.flops / flops_per_second, work.bytes / bytes_per_second)


def _attention_flops(shape: Shape, batch: int) -> float:
    """Operations for one query and one key: the score and the weighted value, two each, in all heads and layers."""
    return 4.0 * batch * shape.n_layers * shape.n_heads * shape.head_dim
