"""Generation: a loop that chooses a token, and reads it (Lecture 7)."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import torch

from course.language.cache import Cache, GrowingCache
from course.language.model import Llama, check_length, check_tokens
from course.language.sampling import greedy

Choose = Callable[[torch.Tensor, torch.Generator | None], torch.Tensor]  # as greedy and Sampler
Tokens = Sequence[int] | torch.Tensor


def generate(
    model: Llama,
    tokens: Tokens,
    n: int,
    sampler: Choose = greedy,
    cache: Cache | None = None,
    stop: Collection[int] = (),
    generator: torch.Generator | None = None,
) -> list[int]:
    """The tokens that follow, each from one step over the token before it and the cache.

    Args:
        model: any.
        tokens: the prompt; with a cache that already holds tokens, what comes after those.
        n: most tokens to make.
        sampler: from logits ``(1, vocab_size)`` to a token ``(1,)``.
        cache: a new growing one if there is none. Afterwards it holds all tokens but the last that was chosen.
        stop: tokens that end the text; they are not part of what is returned.
        generator: of the sampler's random numbers, on the model's device.

    Returns:
        At most ``n`` tokens.

    Raises:
        TypeError: tokens that are not whole numbers, or stop tokens that are no collection.
        ValueError: no tokens, one that is not in the vocabulary, ``n`` below 0, or more than the model or the cache
            can take. All of it before the first step.
    """
    return list(stream(model, tokens, n, sampler, cache, stop, generator))


def stream(
    model: Llama,
    tokens: Tokens,
    n: int,
    sampler: Choose = greedy,
    cache: Cache | None = None,
    stop: Collection[int] = (),
    generator: torch.Generator | None = None,
) -> Iterator[int]:
    """As :func:`generate`, each token as soon as there is one. The call itself refuses bad input."""
    prompt = as_prompt(tokens, model)
    cache = GrowingCache() if cache is None else cache
    _check_request(model, prompt, n, stop, cache)
    return _steps(model, prompt, n, sampler, cache, stop, generator)


def _steps(model, prompt, n, sampler, cache, stop, generator) -> Iterator[int]:
    unread = prompt
    for _ in range(n):
        chosen = sampler(_next_logits(model, unread, cache), generator)
        token = int(chosen)
        if token in stop:
            return
        yield token
        unread = chosen.reshape(1, 1)


def generate_uncached(
    model: Llama,
    tokens: Tokens,
    n: int,
    sampler: Choose = greedy,
    stop: Collection[int] = (),
    generator: torch.Generator | None = None,
) -> list[int]:
    """The same tokens as :func:`generate`, from a loop that reads the whole text again for each of them."""
    prompt = text = as_prompt(tokens, model)
    _check_request(model, prompt, n, stop)
    for _ in range(n):
        chosen = sampler(_next_logits(model, text), generator)
        if int(chosen) in stop:
            break
        text = torch.cat([text, chosen.reshape(1, 1)], dim=1)
    return text[0, prompt.shape[1] :].tolist()


@dataclass(frozen=True)
class Continuation:
    """One way on from a prompt.

    Attributes:
        tokens: of it.
        log_probs: natural logarithm of each token's probability, given all before it.
        ended: whether a stop token came next; its log probability is not among ``log_probs``.
    """

    tokens: tuple[int, ...]
    log_probs: tuple[float, ...]
    ended: bool = False

    @property
    def log_probability(self) -> float:
        """Of the tokens together."""
        return sum(self.log_probs)

    def extended(self, token: int, log_prob: float, stop: Collection[int]) -> "Continuation":
        """This and one token more, or its end."""
        if token in stop:
            return Continuation(self.tokens, self.log_probs, ended=True)
        return Continuation((*self.tokens, token), (*self.log_probs, log_prob))


def continuations(
    model: Llama, tokens: Tokens, n: int, width: int = 3, depth: int = 1, stop: Collection[int] = ()
) -> list[Continuation]:
    """Alternatives as the leaves of a tree: the first ``depth`` tokens branch into the ``width`` likeliest each.

    From there on each branch goes its likeliest way. All branches are rows of one batch and share the prompt's cache.

    Args:
        model: any.
        tokens: the prompt.
        n: most tokens of a continuation.
        width: branches at each of the first ``depth`` tokens.
        depth: tokens at which there is a choice.
        stop: tokens that end a continuation.

    Returns:
        ``width ** depth`` continuations, fewer where one stops before it has branched ``depth`` times; likeliest first.

    Raises:
        TypeError, ValueError: as :func:`generate`; also a width or depth below 1, more branches than 1,024, or a width
            larger than the vocabulary.
    """
    prompt, cache = as_prompt(tokens, model), GrowingCache()
    _check_request(model, prompt, n, stop)
    _check_branches(width, depth, model.config.vocab_size)
    alive, done, unread = [Continuation((), ())], [], prompt
    for step in range(n):
        log_probs = _next_logits(model, unread, cache).float().log_softmax(-1)
        values, choices = log_probs.topk(width if step < depth else 1)
        grown = [
            (row, path.extended(token, value, stop))
            for row, path in enumerate(alive)
            for token, value in zip(choices[row].tolist(), values[row].tolist(), strict=True)
        ]
        done += [path for _, path in grown if path.ended]
        parents = [row for row, path in grown if not path.ended]
        alive = [path for _, path in grown if not path.ended]
        if not alive:
            break
        cache.select(torch.tensor(parents, device=prompt.device))
        unread = torch.tensor([[path.tokens[-1]] for path in alive], device=prompt.device)
    return sorted(done + alive, key=lambda path: -path.log_probability)


def _check_branches(width: int, depth: int, vocab_size: int) -> None:
    if not 1 <= width <= vocab_size or depth < 1 or width**depth > 1024:
        raise ValueError(
            f"A width of 1 to {vocab_size}, a depth of 1 or more and at most 1,024 branches were expected; "
            f"width {width} and depth {depth} came."
        )


def as_prompt(tokens: Tokens, model: Llama) -> torch.Tensor:
    """Tokens as a batch of one row, ``(1, n)`` int64 on the model's device.

    Args:
        tokens: a list of whole numbers, or a tensor ``(n,)`` or ``(1, n)`` int64.

    Raises:
        TypeError: a text, floating-point numbers, or anything else that is no list of whole numbers.
        ValueError: no tokens, several rows, one that is not in the vocabulary, or too many.
    """
    if not isinstance(tokens, torch.Tensor):
        if isinstance(tokens, str | bytes) or not all(_is_whole(token) for token in tokens):
            raise TypeError("Tokens were expected as whole numbers. Is it text that a tokenizer has yet to encode?")
        tokens = torch.tensor([int(token) for token in tokens], dtype=torch.int64)
    rows = tokens.unsqueeze(0) if tokens.dim() == 1 else tokens
    check_tokens(rows, model.config)
    if rows.shape[0] != 1:
        raise ValueError(f"One row of tokens was expected and {rows.shape[0]} came.")
    return rows.to(model.norm.weight.device)


def _is_whole(token) -> bool:
    return hasattr(token, "__index__") and not isinstance(token, bool)


def _check_request(
    model: Llama, prompt: torch.Tensor, n: int, stop: Collection[int], cache: Cache | None = None
) -> None:
    """Raise unless all tokens that will be read fit; the last one that is chosen is not read."""
    if not isinstance(stop, Collection):
        raise TypeError(f"Stop tokens were expected as a set or a list and {stop!r} came. Try stop={{{stop!r}}}.")
    if n < 0:
        raise ValueError(f"A number of tokens of 0 or more was expected and {n} came.")
    read = prompt.shape[1] + max(n - 1, 0)
    check_length(read + (cache.length if cache is not None else 0), model.config)
    if cache is not None:
        cache.require_room(1, read)


@torch.no_grad()
def _next_logits(model: Llama, tokens: torch.Tensor, cache: Cache | None = None) -> torch.Tensor:
    return model.next_logits(tokens, cache)
