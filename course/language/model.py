"""A LLaMA for reading: the architecture of SmolLM2, Llama 3 and most open models since (Lecture 7).

Modules and weights are called as in transformers, so that what is read here is found there. `hidden` is the bare
computation, for compilers and CUDA graphs; `forward` and `next_logits` look at their input first.

Sources: H. Touvron et al., LLaMA: Open and Efficient Foundation Language Models, 2023, section 2; B. Zhang and
R. Sennrich, Root Mean Square Layer Normalization, 2019; N. Shazeer, GLU Variants Improve Transformer, 2020 (SwiGLU).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import nn

from course.language.attention import (
    Offset,
    attend_grouped,
    attention_weights,
    join_heads,
    repeat_kv,
    rotary_angles,
    split_heads,
    turn,
)
from course.language.cache import Cache

Attention = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, Offset], torch.Tensor]  # as attend_grouped
INITIAL_SPREAD = 0.02  # standard deviation of weights before training (Radford et al. 2019)


@dataclass(frozen=True)
class LlamaConfig:
    """The shape of a model.

    Attributes:
        vocab_size: tokens that there are.
        hidden_size: width of the vector that each token carries from layer to layer.
        n_layers: blocks.
        n_heads: heads of queries; their widths add up to ``hidden_size``.
        n_kv_heads: heads of keys and values, a divisor of ``n_heads``.
        intermediate_size: width within the feed-forward part.
        rope_theta: base of the rotary wavelengths.
        norm_eps: added to the mean square before its root is taken.
        tie_embeddings: whether the matrix that reads tokens also writes them.
        max_positions: longest text, in tokens.

    Raises:
        TypeError: a size that is not a whole number.
        ValueError: a size below 1, heads that do not divide, an odd head width, or theta or eps of 0 or less.
    """

    vocab_size: int
    hidden_size: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    intermediate_size: int
    rope_theta: float = 10000.0
    norm_eps: float = 1e-5
    tie_embeddings: bool = True
    max_positions: int = 2048

    def __post_init__(self):
        for field in fields(self):
            if field.type is int:
                _check_size(field.name, getattr(self, field.name))
        if self.hidden_size % self.n_heads or self.head_dim % 2:
            raise ValueError(
                f"A hidden size of {self.hidden_size} does not give {self.n_heads} heads one even width each. "
                "Choose a multiple of twice the number of heads."
            )
        if self.n_heads % self.n_kv_heads:
            raise ValueError(
                f"{self.n_heads} heads of queries cannot share {self.n_kv_heads} heads of keys: choose a divisor."
            )
        if not (self.rope_theta > 0 and self.norm_eps > 0):
            raise ValueError(f"theta and eps above 0 were expected; {self.rope_theta} and {self.norm_eps} came.")

    @property
    def head_dim(self) -> int:
        """Width of one head."""
        return self.hidden_size // self.n_heads

    @property
    def n_parameters(self) -> int:
        """Weights of the model, a tied matrix counted once."""
        width, kv_width = self.hidden_size, self.n_kv_heads * self.head_dim
        attention = 2 * width * width + 2 * width * kv_width
        block = attention + 3 * width * self.intermediate_size + 2 * width
        embeddings = self.vocab_size * width * (1 if self.tie_embeddings else 2)
        return embeddings + self.n_layers * block + width

    def cache_bytes(self, length: int, batch: int = 1, bytes_per_value: int = 4) -> int:
        """Bytes that the keys and values of ``batch`` texts of ``length`` tokens take."""
        return 2 * self.n_layers * batch * self.n_kv_heads * length * self.head_dim * bytes_per_value


def _check_size(name: str, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} was expected as a whole number and {value!r} came.")
    if value < 1:
        raise ValueError(f"{name} was expected as 1 or more and {value} came.")


# Llama 3.2 stretches its rotary wavelengths for long texts; its shape, which is what speed depends on, is here.
CONFIGS = {
    "tiny": LlamaConfig(512, 128, 4, 4, 2, 256, max_positions=512),
    "smollm2-135m": LlamaConfig(49_152, 576, 30, 9, 3, 1536, rope_theta=100_000.0, max_positions=8192),
    "llama-1b": LlamaConfig(128_256, 2048, 16, 32, 8, 8192, rope_theta=500_000.0, max_positions=8192),
    "llama-8b": LlamaConfig(
        128_256, 4096, 32, 32, 8, 14_336, rope_theta=500_000.0, tie_embeddings=False, max_positions=8192
    ),
}


class Positions(NamedTuple):
    """Where the tokens of one step stand; the same for all layers.

    Attributes:
        offset: tokens before the first.
        cos, sin: ``(n, head_dim / 2)``, of the angles that queries and keys are turned by.
    """

    offset: Offset
    cos: torch.Tensor
    sin: torch.Tensor


class RMSNorm(nn.Module):
    """Divide each vector by its root mean square, then scale each component (Zhang and Sennrich 2019).

    Args:
        width: components of a vector.
        eps: added to the mean square.
    """

    def __init__(self, width: int, eps: float = 1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(..., width)`` to the same; the mean is taken in float32."""
        exact = x.float()
        scale = torch.rsqrt(exact.square().mean(-1, keepdim=True) + self.eps)
        return self.weight * (exact * scale).to(x.dtype)


class SelfAttention(nn.Module):
    """Each token asks, all tokens up to it answer.

    Args:
        config: the model's.
        layer: number of the block, under which the cache keeps this layer's keys and values.

    Attributes:
        attend: the function that compares queries with keys; :meth:`Llama.use_attention` replaces it.
    """

    def __init__(self, config: LlamaConfig, layer: int):
        super().__init__()
        self.n_heads, self.n_kv_heads, self.layer = config.n_heads, config.n_kv_heads, layer
        width, kv_width = config.hidden_size, config.n_kv_heads * config.head_dim
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, kv_width, bias=False)
        self.v_proj = nn.Linear(width, kv_width, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)
        self.attend: Attention = attend_grouped

    def forward(self, x: torch.Tensor, positions: Positions, cache: Cache | None = None) -> torch.Tensor:
        """``(batch, n, hidden_size)`` to the same shape."""
        queries, keys, values = self.queries_keys_values(x, positions)
        if cache is not None:
            keys, values = cache.update(self.layer, keys, values)
        return self.o_proj(join_heads(self.attend(queries, keys, values, positions.offset)))

    def queries_keys_values(
        self, x: torch.Tensor, positions: Positions
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Queries ``(batch, n_heads, n, head_dim)``, keys and values ``(batch, n_kv_heads, n, head_dim)``, turned."""
        queries = split_heads(self.q_proj(x), self.n_heads)
        keys = split_heads(self.k_proj(x), self.n_kv_heads)
        values = split_heads(self.v_proj(x), self.n_kv_heads)
        return turn(queries, positions.cos, positions.sin), turn(keys, positions.cos, positions.sin), values


class FeedForward(nn.Module):
    """Each token on its own: widen, let a gate choose, narrow again (SwiGLU, Shazeer 2020)."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(..., hidden_size)`` to the same shape."""
        return self.down_proj(nn.functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    """Attention, then the feed-forward part; each adds to its input what it found."""

    def __init__(self, config: LlamaConfig, layer: int):
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.norm_eps)
        self.self_attn = SelfAttention(config, layer)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.norm_eps)
        self.mlp = FeedForward(config)

    def forward(self, x: torch.Tensor, positions: Positions, cache: Cache | None = None) -> torch.Tensor:
        """``(batch, n, hidden_size)`` to the same shape."""
        x = x + self.self_attn(self.input_layernorm(x), positions, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    """Tokens in, a score for every possible next token out. All rows of a batch have the same length.

    Args:
        config: its shape. The weights are PyTorch's initial ones: :func:`random_llama` has better.
    """

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Block(config, layer) for layer in range(config.n_layers))
        self.norm = RMSNorm(config.hidden_size, config.norm_eps)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.tie()

    def tie(self) -> None:
        """Make the output matrix the input matrix where the configuration says so; again after weights are replaced."""
        if self.config.tie_embeddings:
            self.lm_head.weight = self.embed_tokens.weight

    def forward(self, tokens: torch.Tensor, cache: Cache | None = None) -> torch.Tensor:
        """Scores of the token that follows each of ``tokens``.

        Args:
            tokens: ``(batch, n)`` int64; with a cache, those that it does not hold yet.
            cache: is read, and extended by these tokens.

        Returns:
            ``(batch, n, vocab_size)`` logits.

        Raises:
            TypeError: tokens that are not an int64 tensor.
            ValueError: no tokens, one that is not in the vocabulary, more than ``max_positions``, a full cache or one
                for another batch.
        """
        check_tokens(tokens, self.config, cache)
        return self.lm_head(self.hidden(tokens, cache))

    def next_logits(self, tokens: torch.Tensor, cache: Cache | None = None) -> torch.Tensor:
        """As :meth:`forward`, but only what follows the last token: ``(batch, vocab_size)``."""
        check_tokens(tokens, self.config, cache)
        return self.lm_head(self.hidden(tokens, cache)[:, -1])

    def hidden(self, tokens: torch.Tensor, cache: Cache | None = None) -> torch.Tensor:
        """What the last layer knows of each token, ``(batch, n, hidden_size)``; ``lm_head`` makes logits of it.

        Nothing is checked and nothing waits for the device: this is the part to compile or to capture.
        """
        x = self.embed_tokens(tokens)
        positions = self.positions(tokens.shape[1], 0 if cache is None else cache.offset)
        for layer in self.layers:
            x = layer(x, positions, cache)
        return self.norm(x)

    def positions(self, n: int, offset: Offset = 0) -> Positions:
        """Where ``n`` tokens stand that follow ``offset`` others: what :class:`Block` wants beside its vectors."""
        weight = self.norm.weight
        places = torch.arange(n, device=weight.device) + offset
        return Positions(offset, *rotary_angles(places, self.config.head_dim, self.config.rope_theta, weight.dtype))

    def use_attention(self, attend: Attention) -> None:
        """Have every layer compare queries and keys by another function with the contract of `attend_grouped`."""
        for layer in self.layers:
            layer.self_attn.attend = attend


def check_tokens(tokens: torch.Tensor, config: LlamaConfig, cache: Cache | None = None) -> None:
    """Raise what :meth:`Llama.forward` promises, before anything is computed."""
    if not isinstance(tokens, torch.Tensor) or tokens.dtype != torch.int64:
        came = tokens.dtype if isinstance(tokens, torch.Tensor) else type(tokens).__name__
        raise TypeError(f"Tokens were expected as an int64 tensor and {came} came. Try torch.tensor([[1, 2, 3]]).")
    if tokens.dim() != 2 or not tokens.numel():
        raise ValueError(f"Tokens of shape (batch, n) with n of 1 or more were expected; {tuple(tokens.shape)} came.")
    least, most = (int(value) for value in tokens.aminmax())
    if least < 0 or most >= config.vocab_size:
        wrong = least if least < 0 else most
        raise ValueError(
            f"Tokens from 0 to {config.vocab_size - 1} were expected and {wrong} came: another tokenizer's?"
        )
    batch, n = tokens.shape
    if cache is not None:
        cache.require_room(batch, n)
    check_length(n + (cache.length if cache is not None else 0), config)


def check_length(n: int, config: LlamaConfig) -> None:
    """Raise ValueError where a text of ``n`` tokens is longer than the model can take."""
    if n > config.max_positions:
        raise ValueError(f"At most {config.max_positions} tokens fit this model and {n} came. Shorten the text.")


def random_llama(
    config: LlamaConfig,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Llama:
    """A model with random weights, ready to train, or to be timed: speed does not depend on what the weights are.

    Matrices are normal with a standard deviation of 0.02, less in those that add to the vectors that pass from layer
    to layer: their sum over the layers then keeps its size (Radford et al. 2019, section 2.3).

    Args:
        config: the shape.
        seed: of the weights. The same seed gives other weights on another device.
        dtype, device: of the weights, which are made there: at no time does the model exist elsewhere.
    """
    with torch.device("meta"):
        model = Llama(config).to(dtype)
    model.to_empty(device=device)
    model.tie()
    generator = torch.Generator(device).manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.fill_(1.0)
            else:
                adds = name.endswith(("o_proj.weight", "down_proj.weight"))
                spread = INITIAL_SPREAD / math.sqrt(2 * config.n_layers) if adds else INITIAL_SPREAD
                parameter.normal_(0.0, spread, generator=generator)
    return model.eval()


@torch.no_grad()
def attention_maps(model: Llama, tokens: torch.Tensor) -> torch.Tensor:
    """Who looks at whom: the attention weights of every layer and head.

    Args:
        model: any.
        tokens: ``(1, n)`` int64.

    Returns:
        ``(n_layers, n_heads, n, n)``, each row a distribution over the tokens up to its own.

    Raises:
        TypeError, ValueError: as :meth:`Llama.forward`.
    """
    check_tokens(tokens, model.config)
    x, positions, maps = model.embed_tokens(tokens), model.positions(tokens.shape[1]), []
    for layer in model.layers:
        queries, keys, _ = layer.self_attn.queries_keys_values(layer.input_layernorm(x), positions)
        groups = model.config.n_heads // model.config.n_kv_heads
        maps.append(attention_weights(queries, repeat_kv(keys, groups))[0])
        x = layer(x, positions)
    return torch.stack(maps)
