"""One kernel after the other, as Python calls them: the baseline of every comparison (Lecture 11)."""

import torch

from course.inference import models
from course.inference.attention import naive_attention, tiled_attention
from course.inference.protocol import Backend, Setup
from course.language.attention import repeat_kv
from course.language.cache import GrowingCache


class Eager(Backend):
    """The course's own LLaMA with the attention of Lecture 7, which writes down every score, and a growing cache."""

    name = "eager"

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.model = models.load(setup)
        self.cache = GrowingCache()

    def _prefill(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._next(tokens)

    def _decode(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._next(tokens[:, None])

    def _next(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.model.lm_head(self.model.hidden(tokens, self.cache)[:, -1]).float()

    def _logits(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.model.lm_head(self.model.hidden(tokens)).float()

    def _reset(self) -> None:
        self.cache.reset()

    def close(self) -> None:
        """Let go of weights and cache."""
        self.model = self.cache = None


class Uncached(Eager):
    """`Eager` without a cache: each token costs the reading of the whole text again."""

    name = "uncached"

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.text = None

    def _next(self, tokens: torch.Tensor) -> torch.Tensor:
        self.text = tokens if self.text is None else torch.cat([self.text, tokens], dim=1)
        return self.model.lm_head(self.model.hidden(self.text)[:, -1]).float()

    def _reset(self) -> None:
        self.text = None


class ByHand(Eager):
    """`Eager` with one of the two functions of `course.inference.attention`, for comparing the two inside a model."""

    function = staticmethod(naive_attention)

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.model.use_attention(self._attend)

    def _attend(self, queries, keys, values, offset=0) -> torch.Tensor:
        groups = queries.shape[-3] // keys.shape[-3]
        return self.function(queries, repeat_kv(keys, groups), repeat_kv(values, groups), causal=True)


class Naive(ByHand):
    """Attention that writes down the whole matrix of scores."""

    name = "naive"


class Tiled(ByHand):
    """Attention by tiles with an online softmax, in Python: it moves fewer bytes and launches more kernels."""

    name = "tiled"
    function = staticmethod(tiled_attention)


class TransformersEager(Backend):
    """transformers' LLaMA with its "eager" attention and its growing cache: what most users start from."""

    name = "transformers-eager"
    attention = "eager"

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.model = models.load_transformers(setup, self.attention)
        self.cache = None

    def _prefill(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._next(tokens)

    def _decode(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._next(tokens[:, None])

    def _next(self, tokens: torch.Tensor) -> torch.Tensor:
        output = self.model(tokens, past_key_values=self.cache, use_cache=True, logits_to_keep=1)
        self.cache = output.past_key_values
        return output.logits[:, -1].float()

    def _logits(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.model(tokens, use_cache=False).logits.float()

    def _reset(self) -> None:
        self.cache = None

    def close(self) -> None:
        """Let go of weights and cache."""
        self.model = self.cache = None


class TransformersSdpa(TransformersEager):
    """transformers' LLaMA with PyTorch's fused attention: its default."""

    name = "transformers-sdpa"
    attention = "sdpa"
