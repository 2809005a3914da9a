"""SmolLM2 for many callers at once: each has a row of the cache, written at its own length (Lectures 7, 10 and 11).

Texts of a batch have different lengths. Instead of padding them on the left, each writes its keys and values from the
beginning of its own row, and a mask hides what lies behind its end: what another caller left there, or nothing. A row
that becomes free is filled by the last one, so that the rows in use stay together and nothing is copied to read them.
"""

import threading
from collections.abc import Sequence

import torch
from torch.nn.functional import scaled_dot_product_attention

from course.language.attention import rotary_angles
from course.language.model import Llama, LlamaConfig, Positions
from course.language.sampling import Sampler, greedy
from services.inference.engines import Messages, require
from services.inference.jobs import Reply

MOST_TOKENS = 4096  # of the prompts that are read in one pass, filled up to the longest


class Rows:
    """Keys and values of several texts of different lengths.

    Args:
        config: of the model.
        rows: texts side by side.
        length: tokens of the longest.
    """

    def __init__(self, config: LlamaConfig, rows: int, length: int):
        shape = (rows, config.n_kv_heads, length, config.head_dim)
        self.keys = [torch.zeros(shape) for _ in range(config.n_layers)]
        self.values = [torch.zeros(shape) for _ in range(config.n_layers)]

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` tokens of one row over another."""
        for tensor in self.keys + self.values:
            tensor[target, :, :length] = tensor[source, :, :length]


class Window:
    """What one pass of the model reads and writes: some neighbouring rows, each at its own places.

    Args:
        rows: of all texts.
        first: the first row.
        places: ``(batch, n)`` int64, where in its row each token of the pass stands.
    """

    def __init__(self, rows: Rows, first: int, places: torch.Tensor):
        self._rows, self._places = rows, places
        self._slice = slice(first, first + len(places))
        self._numbers = torch.arange(first, first + len(places)).unsqueeze(1)
        self._end = int(places.max()) + 1

    def update(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Write ``(batch, n_kv_heads, n, head_dim)``; return all of the rows up to the longest one's end."""
        return self._written(self._rows.keys[layer], keys), self._written(self._rows.values[layer], values)

    def _written(self, held: torch.Tensor, fresh: torch.Tensor) -> torch.Tensor:
        held[self._numbers, :, self._places] = fresh.transpose(1, 2)
        return held[self._slice, :, : self._end]


def attend_rows(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Attention in which each row has its own places: `course.language.attention.attend_grouped` for each of them.

    Args:
        queries: ``(batch, n_heads, n, head_dim)``.
        keys, values: ``(batch, n_kv_heads, m, head_dim)``.
        places: ``(batch, n)``, of the queries; each sees the keys up to its own place.
    """
    seen = torch.arange(keys.shape[-2]) <= places[:, None, :, None]
    return scaled_dot_product_attention(queries, keys, values, attn_mask=seen, enable_gqa=True)


@torch.no_grad()
def next_logits(model: Llama, rows: Rows, first: int, tokens: torch.Tensor, places: torch.Tensor, last: Sequence[int]):
    """One pass over new tokens of neighbouring rows.

    Args:
        model: with `attend_rows` as its attention.
        rows: read and extended.
        first: the first row.
        tokens: ``(batch, n)`` int64.
        places: ``(batch, n)`` int64, where each token stands in its text.
        last: for each row, which of its tokens is its last; those behind it fill up.

    Returns:
        ``(batch, vocab_size)``, of the token that follows each row's last one.
    """
    x, config = model.embed_tokens(tokens), model.config
    angles = rotary_angles(places.flatten(), config.head_dim, config.rope_theta)
    cos, sin = (angle.reshape(len(places), 1, -1, config.head_dim // 2) for angle in angles)
    window, positions = Window(rows, first, places), Positions(places, cos, sin)
    for layer in model.layers:
        x = layer(x, positions, window)
    return model.lm_head(model.norm(x[torch.arange(len(x)), torch.as_tensor(last)]))


class SmolLM2:
    """SmolLM2-135M-Instruct in float32 on the CPU, or another model of its kind.

    Args:
        slots: replies side by side.
        longest: tokens of a prompt and its answer.
        threads: of the CPU.
        model: instead of SmolLM2, for tests.
    """

    model = "smollm2-135m-instruct"

    def __init__(self, slots: int = 16, longest: int = 1280, threads: int = 1, model: Llama | None = None):
        self.slots, self.longest, self._threads = slots, longest, threads
        self._llama, self._tokenizer = model, None
        self._replies: list[Reply] = []  # row by row
        self._encoding = threading.Lock()  # callers encode in threads of their own
        self.end_tokens: frozenset[int] = frozenset()

    def load(self) -> None:
        """Read the weights.

        Raises:
            CourseError: they are not on this machine. Nothing is fetched: a service that starts asks no network.
        """
        torch.set_num_threads(self._threads)
        if self._llama is None:
            from course.language.pretrained import FILE, smollm, smollm_tokenizer

            require(self.model, FILE)
            self._llama, self._tokenizer = smollm(), smollm_tokenizer()
            self.end_tokens = frozenset(self._tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"]))
        self._llama.use_attention(attend_rows)
        self._rows = Rows(self._llama.config, self.slots, self.longest)

    def encode(self, messages: Messages) -> list[int]:
        """See :class:`services.inference.engines.ChatEngine`."""
        from course.language.pretrained import chat

        for mark in self._tokenizer.all_special_tokens:
            if any(mark in message["content"] for message in messages):
                raise ValueError(f"Text without the marks of the model was expected and {mark} came. Leave it out.")
        with self._encoding:
            return self._tokenizer.encode(chat(messages), add_special_tokens=False)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without special ones."""
        return self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)

    def begin(self, jobs: Sequence[Reply]) -> list[int]:
        """Read prompts, those of about the same length together."""
        order = sorted(jobs, key=lambda job: len(job.prompt))
        row, chosen = len(self._replies), {}
        for group in passes(order):
            chosen |= dict(zip(group, self._read(row, group), strict=True))
            row += len(group)
        self._replies += order
        return [chosen[job] for job in jobs]

    def step(self, jobs: Sequence[Reply]) -> list[int]:
        """One token more of all replies, or of one."""
        together = self._replies if len(jobs) > 1 else list(jobs)
        first = self._replies.index(together[0])
        places = torch.tensor([[len(job.prompt) + len(job.tokens) - 1] for job in together])
        tokens = torch.tensor([[job.tokens[-1]] for job in together])
        logits = next_logits(self._llama, self._rows, first, tokens, places, [0] * len(together))
        chosen = {job: choose(row, job) for job, row in zip(together, logits, strict=True)}
        return [chosen[job] for job in jobs]

    def end(self, job: Reply) -> None:
        """Fill the row that becomes free with the last one."""
        if job not in self._replies:
            return
        row, last = self._replies.index(job), self._replies.pop()
        if last is not job:
            self._rows.move(len(self._replies), row, len(last.prompt) + len(last.tokens))
            self._replies[row] = last

    def _read(self, row: int, jobs: list[Reply]) -> list[int]:
        longest = max(len(job.prompt) for job in jobs)
        tokens = torch.tensor([job.prompt + [0] * (longest - len(job.prompt)) for job in jobs])
        places = torch.arange(longest).expand(len(jobs), -1)
        logits = next_logits(self._llama, self._rows, row, tokens, places, [len(job.prompt) - 1 for job in jobs])
        return [choose(scores, job) for job, scores in zip(jobs, logits, strict=True)]


def passes(jobs: Sequence[Reply]) -> list[list[Reply]]:
    """Cut replies, shortest prompt first, into those that are read together.

    In a pass the longest prompt has at most twice the tokens of the shortest, which is filled up to it, and all have at
    most :data:`MOST_TOKENS`, because attention takes memory by their square.
    """
    found: list[list[Reply]] = []
    for job in jobs:
        n, last = len(job.prompt), found[-1] if found else []
        if last and n <= 2 * len(last[0].prompt) and n * (len(last) + 1) <= MOST_TOKENS:
            last.append(job)
        else:
            found.append([job])
    return found


def choose(logits: torch.Tensor, job: Reply) -> int:
    """The next token of a reply, from ``(vocab_size,)`` scores.

    Each draw has random numbers of its own, from the seed and the token's place: what a batch does to others, or a step
    that is done again, changes no answer.
    """
    if job.sampling.temperature == 0:
        return int(greedy(logits))
    generator = torch.Generator().manual_seed((job.sampling.seed * 1_000_003 + len(job.tokens)) % 2**63)
    return int(Sampler(job.sampling.temperature, top_p=job.sampling.top_p)(logits, generator))
