"""What users would take instead: llama.cpp, and vLLM on a GPU (Lecture 11).

Both are engines with a loop of their own, which take whole requests. Here each request asks for one token behind a
growing prompt, whose beginning the engine finds in its cache, so that a request is a prefill or a decode step. Telling
all probabilities would take an engine longer than computing them: a step asks for those of the `BEST` tokens, and what
is left is spread evenly over all others. That keeps the best token and its rivals right and no divergence; `logits`
asks for all.
"""

import abc
import importlib.util
import math
import secrets

import torch

from course.inference.limits import LIMITS
from course.inference.protocol import Backend, Setup, one_sequence
from course.inference.quiet import quiet

BEST = 64


class Engine(Backend):
    """A backend made of requests for one token each; one sequence at a time."""

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.device = torch.device("cpu")  # logits are made here of what the engine tells
        self.text: list[int] = []

    @abc.abstractmethod
    def ask(self, tokens: list[int], best: int) -> dict[int, float]:
        """The natural logarithms of the probabilities of the ``best`` likeliest next tokens, by token number."""

    @property
    def limits(self) -> dict[str, float]:
        """Of the best token alone: a step does not tell enough for more."""
        return {"top1": LIMITS[self.arithmetic].top1}

    def _prefill(self, tokens: torch.Tensor) -> torch.Tensor:
        self.text = tokens[0].tolist()
        return self._row(self.text)

    def _decode(self, tokens: torch.Tensor) -> torch.Tensor:
        self.text.append(int(tokens[0]))
        return self._row(self.text)

    def _logits(self, tokens: torch.Tensor) -> torch.Tensor:
        text = tokens[0].tolist()
        every = self.config.vocab_size
        return torch.stack([self._row(text[:end], every) for end in range(1, len(text) + 1)], dim=1)

    def _row(self, text: list[int], best: int = BEST) -> torch.Tensor:
        return spread(self.ask(text, best), self.config.vocab_size)

    def _reset(self) -> None:
        self.text = []

    def _use_threads(self, threads: int) -> None:
        """The engine has threads of its own."""


def spread(best: dict[int, float], vocab_size: int) -> torch.Tensor:
    """Log-probabilities of all tokens ``(1, vocab)``: those that are known, and the rest evenly among the others."""
    left = max(1.0 - sum(map(math.exp, best.values())), 1e-12)
    row = torch.full((1, vocab_size), math.log(left / max(vocab_size - len(best), 1)))
    row[0, list(best)] = torch.tensor(list(best.values()))
    return row


class LlamaCpp(Engine):
    """llama.cpp through xllamacpp, with SmolLM2's GGUF file as it is published: four-bit weights.

    The reference's float32 weights are those four bits written out, so that what differs is the arithmetic alone.

    Attributes:
        timings: what the engine's own clock says of the last request, as llama.cpp's server names it; milliseconds.
    """

    name, arithmetic = "llama.cpp", "int4"

    def __init__(self, setup: Setup):
        import xllamacpp

        from course.language.pretrained import FILE, NAME
        from course.models import MODELS

        super().__init__(setup)
        self.timings: dict[str, float] = {}
        settings = xllamacpp.CommonParams()
        settings.model.path = str(MODELS.fetch(NAME, FILE))
        settings.n_ctx, settings.n_parallel, settings.verbosity = max(setup.length + 1, 64), 1, -1
        settings.api_keys = [secrets.token_hex(16)]  # its server listens on the loopback; nobody else is to use it
        settings.n_gpu_layers = 0 if setup.device == "cpu" else 999
        if setup.threads is not None:
            settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = setup.threads
        self.server = xllamacpp.Server(settings)

    @classmethod
    def missing(cls, setup: Setup) -> str:
        if not importlib.util.find_spec("xllamacpp"):
            return "The package xllamacpp is not installed. Run make course."
        if setup.model != "smollm2":
            return f"There is a GGUF file of smollm2 alone; {setup.model} was asked for."
        return one_sequence(setup)

    def ask(self, tokens: list[int], best: int) -> dict[int, float]:
        """See `Engine.ask`."""
        request = {"prompt": tokens, "n_predict": 1, "temperature": 0, "n_probs": best, "cache_prompt": True}
        answer = self.server.handle_completions({**request, "post_sampling_probs": False})
        self.timings = answer.get("timings", {})
        told = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        return {one["id"]: one["logprob"] for one in told}

    def close(self) -> None:
        """End the engine."""
        self.server = None


class Vllm(Engine):
    """vLLM with SmolLM2's weights, and its cache of the beginnings of prompts."""

    name = "vllm"

    def __init__(self, setup: Setup):
        with quiet():
            import vllm

        from course.language.pretrained import smollm_folder

        super().__init__(setup)
        self.library = vllm
        self.engine = vllm.LLM(
            model=str(smollm_folder()),
            dtype=setup.dtype,
            max_model_len=setup.length + 1,
            enable_prefix_caching=True,
            max_logprobs=setup.config.vocab_size,
        )

    @classmethod
    def missing(cls, setup: Setup) -> str:
        if not setup.device.startswith("cuda"):
            return "vLLM is run on GPUs here. On a CPU take llama.cpp."
        if not importlib.util.find_spec("vllm"):
            return "The package vllm is not installed; it is no part of the kit's environment, whose pins it breaks."
        if setup.model != "smollm2":
            return f"vLLM reads smollm2 from its folder; {setup.model} has none."
        return one_sequence(setup)

    def ask(self, tokens: list[int], best: int) -> dict[int, float]:
        """See `Engine.ask`."""
        wanted = self.library.SamplingParams(max_tokens=1, temperature=0.0, logprobs=best, detokenize=False)
        answer = self.engine.generate({"prompt_token_ids": tokens}, wanted, use_tqdm=False)[0]
        return {number: one.logprob for number, one in answer.outputs[0].logprobs[0].items()}

    def close(self) -> None:
        """Let go of the engine."""
        self.engine = None
