"""onnxruntime-genai: a builder that writes the graph itself, with int4 weights, and a loop in C++ (Lecture 11).

The builder knows LLaMA and writes its graph operator by operator, without tracing: seconds where the exporter takes
minutes. Weights are rounded to four bits in blocks of 32 along a row. Its generator keeps the cache; one token is
appended at a time, and the logits are read, so that it fits the protocol of the other backends.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from course.errors import CourseError
from course.inference import models
from course.inference.artefacts import artefact
from course.inference.protocol import Backend, Setup, one_sequence
from course.inference.quiet import quiet

PACKAGES = ("torch", "transformers", "onnxruntime-genai")


def built(setup: Setup) -> Path:
    """The folder with the int4 model, built at the first call.

    Raises:
        CourseError: the builder failed, with its last words.
    """
    return artefact(
        setup, f"genai-int4-{setup.device.partition(':')[0]}", PACKAGES, lambda folder: build(setup, folder)
    )


def build(setup: Setup, folder: Path) -> None:
    """Save the model as transformers does, and have the builder convert it."""
    with tempfile.TemporaryDirectory() as work:
        source = Path(work, "source")
        with quiet():
            models.load_transformers(setup).save_pretrained(source)
            _tokenizer(setup).save_pretrained(source)
        provider = setup.device.partition(":")[0]
        command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", source, "-o", folder, "-p", "int4"]
        done = subprocess.run([*command, "-e", provider, "-c", work], capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CourseError(f"onnxruntime-genai could not build {setup.model} in int4: {last} Use another backend.")


def _tokenizer(setup: Setup):
    """The builder wants one in the folder; a model with random weights gets one that knows nothing."""
    if setup.model == "smollm2":
        from course.language.pretrained import smollm_tokenizer

        return smollm_tokenizer()
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"?": 0}, unk_token="?")), unk_token="?")


class GenAi(Backend):
    """onnxruntime-genai with int4 weights; activations and cache in float32 on a CPU.

    It takes tokens that somebody else chose for one sequence alone, not for a batch.
    """

    name, arithmetic = "genai-int4", "int4"

    def __init__(self, setup: Setup):
        super().__init__(setup)
        import onnxruntime_genai

        self.library = onnxruntime_genai
        settings = onnxruntime_genai.Config(str(built(setup)))
        if setup.threads is not None:
            threads = {"session_options": {"intra_op_num_threads": setup.threads}}
            settings.overlay(json.dumps({"model": {"decoder": threads}}))
        self.model = onnxruntime_genai.Model(settings)
        self.generator = None

    @classmethod
    def missing(cls, setup: Setup) -> str:
        if not importlib.util.find_spec("onnxruntime_genai"):
            return "The package onnxruntime-genai is not installed. Run make course."
        if setup.device.startswith("cuda"):
            import onnxruntime_genai

            if not onnxruntime_genai.is_cuda_available():
                return "This onnxruntime-genai has no CUDA. Install onnxruntime-genai-cuda in its place."
        return one_sequence(setup)

    def _prefill(self, tokens: torch.Tensor) -> torch.Tensor:
        parameters = self.library.GeneratorParams(self.model)
        parameters.set_search_options(max_length=self.setup.length + 1, do_sample=False)
        self.generator = self.library.Generator(self.model, parameters)
        return self._append(tokens)[:, -1]

    def _decode(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._append(tokens[:, None])[:, -1]

    def _append(self, tokens: torch.Tensor) -> torch.Tensor:
        self.generator.append_tokens(tokens.cpu().numpy().astype(np.int32))
        return torch.from_numpy(np.array(self.generator.get_output("logits"), np.float32)).to(self.device)

    def _logits(self, tokens: torch.Tensor) -> torch.Tensor:
        """Its generator gives the last row alone, so the rows come one by one through the cache."""
        rows = [self._prefill(tokens[:, :1])]
        rows += [self._decode(tokens[:, place]) for place in range(1, tokens.shape[1])]
        return torch.stack(rows, dim=1)

    def _reset(self) -> None:
        self.generator = None

    def close(self) -> None:
        """Let go of the model."""
        self.generator = self.model = None

    def _use_threads(self, threads: int) -> None:
        """The session has threads of its own."""
