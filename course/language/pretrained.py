"""SmolLM2-135M-Instruct in our own modules and in transformers', from the same weights (Lectures 7, 9 and 11).

The registry has the model as a GGUF file of 4-bit weights. It is converted once, by transformers, into float32
safetensors and a tokenizer, beside the models in the cache; loading that takes less than a second.

Source: L. Ben Allal et al., SmolLM2: When Smol Goes Big, 2025.
"""

import functools
import io
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

import torch
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.torch import load_file

from course.errors import CourseError
from course.language.model import CONFIGS, Llama, LlamaConfig
from course.models import MODELS
from course.registry import cache
from course.storage import PREFIX, sync_folder

NAME, FILE = "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"
WEIGHTS = "model.safetensors"
CHATTY = ("transformers", "torchao", "torch.utils._pytree")  # loggers that speak while transformers is imported
CONVERSION = 1  # raised when the conversion below changes what it writes


def smollm(dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> Llama:
    """SmolLM2-135M-Instruct in our modules; a new copy at each call, which may be changed.

    Raises:
        CourseError: the model is neither in the cache nor can it be pulled, or its converted weights are damaged.
    """
    model = _with_weights(CONFIGS["smollm2-135m"], _read_weights(smollm_folder() / WEIGHTS))
    return model.to(device=device, dtype=dtype).eval()


def smollm_transformers(attn_implementation: str = "sdpa", dtype: torch.dtype = torch.float32):
    """The same weights in transformers' ``LlamaForCausalLM``.

    Args:
        attn_implementation: "sdpa", "eager", or another that transformers knows.
        dtype: of the weights.

    Raises:
        CourseError: as :func:`smollm`.
    """
    with _quietly():
        from transformers import LlamaForCausalLM

        return LlamaForCausalLM.from_pretrained(
            smollm_folder(), attn_implementation=attn_implementation, dtype=dtype, local_files_only=True
        ).eval()


@functools.cache
def smollm_tokenizer():
    """The model's tokenizer, transformers' fast one: ``encode``, ``decode``, ``apply_chat_template``.

    Raises:
        CourseError: as :func:`smollm`.
    """
    with _quietly():
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(smollm_folder(), local_files_only=True)


def chat(messages: Sequence[dict[str, str]]) -> str:
    """The prompt that the model was taught to answer: the messages with its marks, up to where its answer begins.

    Args:
        messages: each with "role" ("system", "user" or "assistant") and "content"; without a system message the
            template puts its own in front.

    Raises:
        ValueError: no messages, or one that lacks a role or its content, or has another role.
    """
    roles = ("system", "user", "assistant")
    for message in messages or [{}]:
        if message.get("role") not in roles or not isinstance(message.get("content"), str):
            raise ValueError(
                f"Messages with a role of {', '.join(roles)} and a text as content were expected; {message} came."
            )
    return smollm_tokenizer().apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)


def smollm_folder() -> Path:
    """The folder with the converted model, which transformers can load; converts it if nobody has yet.

    Its name holds the SHA-256 of the GGUF file. It appears whole or not at all: the conversion writes elsewhere, under
    a lock, and renames.

    Raises:
        CourseError: the model is neither in the cache nor can it be pulled.
    """
    folder = cache() / f"{NAME}-float32-{CONVERSION}-{MODELS[NAME].hashes[FILE][:16]}"
    if folder.is_dir():
        return folder
    try:
        gguf = MODELS.fetch(NAME, FILE)
    except CourseError as error:
        raise CourseError(f"SmolLM2 is not on this machine: {error} Try 'course models pull {NAME}'.") from error
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            _convert(gguf, folder)
    return folder


def _convert(gguf: Path, folder: Path) -> None:
    """Write the model's weights and tokenizer into ``folder``; the caller holds the lock, so leftovers are nobody's."""
    prefix = f"{PREFIX}{folder.name}-"
    for leftover in folder.parent.glob(f"{prefix}*"):
        shutil.rmtree(leftover)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=prefix) as work:
        fresh = Path(work, "model")
        _dequantise(gguf, fresh)
        for path in fresh.iterdir():
            path.chmod(0o644)  # safetensors lets nobody else read what it writes, and caches are shared
            _sync_file(path)
        sync_folder(fresh)
        os.replace(fresh, folder)
    sync_folder(folder.parent)


def _dequantise(gguf: Path, folder: Path) -> None:
    with _quietly(), redirect_stderr(io.StringIO()):  # the bar of GGUF files obeys nobody
        from transformers import AutoTokenizer, GgufConfig, LlamaForCausalLM

        model = LlamaForCausalLM.from_pretrained(
            gguf.parent,
            gguf_file=gguf.name,
            dtype=torch.float32,
            quantization_config=GgufConfig(dequantize=True),
            local_files_only=True,
        )
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name, local_files_only=True).save_pretrained(folder)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without progress bars and warnings of transformers and what it imports, which would end up on a page."""
    from transformers.utils import logging as transformers_logging

    bars = transformers_logging.is_progress_bar_enabled()
    levels = {name: logging.getLogger(name).level for name in CHATTY}
    transformers_logging.disable_progress_bar()
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        if bars:
            transformers_logging.enable_progress_bar()


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise CourseError(
            f"{path} cannot be read ({error}). Remove the folder {path.parent}; the next call makes it again."
        ) from error


# Between our modules and transformers'


def from_transformers(reference) -> Llama:
    """A ``LlamaForCausalLM``'s weights in our modules; both share their memory.

    Args:
        reference: without biases, with default rotary angles, and heads that fill the hidden size.

    Raises:
        ValueError: another architecture than ours.
    """
    return _with_weights(config_of(reference.config), reference.state_dict()).eval()


def to_transformers(model: Llama, attn_implementation: str = "sdpa"):
    """Our weights in transformers' ``LlamaForCausalLM``; both share their memory.

    Args:
        model: any.
        attn_implementation: "sdpa", "eager", or another that transformers knows.
    """
    with _quietly():
        from transformers import LlamaForCausalLM
        from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    config = transformers_config(model.config)
    config._attn_implementation = attn_implementation
    with torch.device("meta"):
        reference = LlamaForCausalLM(config)
    weights = model.state_dict()
    head = weights.pop("lm_head.weight")
    weights = {f"model.{name}": tensor for name, tensor in weights.items()} | {"lm_head.weight": head}
    reference.load_state_dict(weights, assign=True)
    reference.tie_weights()
    reference.model.rotary_emb = LlamaRotaryEmbedding(config).to(model.norm.weight.device)
    return reference.eval()


def transformers_config(config: LlamaConfig):
    """Our configuration as transformers'."""
    from transformers import LlamaConfig as TransformersConfig

    return TransformersConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.n_layers,
        num_attention_heads=config.n_heads,
        num_key_value_heads=config.n_kv_heads,
        intermediate_size=config.intermediate_size,
        rms_norm_eps=config.norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        tie_word_embeddings=config.tie_embeddings,
        max_position_embeddings=config.max_positions,
    )


def config_of(config) -> LlamaConfig:
    """Transformers' configuration as ours.

    Raises:
        ValueError: biases, stretched rotary angles, or another activation or head width than ours.
    """
    ours = LlamaConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        n_layers=config.num_hidden_layers,
        n_heads=config.num_attention_heads,
        n_kv_heads=config.num_key_value_heads,
        intermediate_size=config.intermediate_size,
        rope_theta=config.rope_parameters["rope_theta"],
        norm_eps=config.rms_norm_eps,
        tie_embeddings=config.tie_word_embeddings,
        max_positions=config.max_position_embeddings,
    )
    biased = config.attention_bias or config.mlp_bias
    other = (config.rope_parameters["rope_type"], config.hidden_act) != ("default", "silu")
    if biased or other or config.head_dim not in (None, ours.head_dim):
        raise ValueError(
            "A LLaMA without biases, with default rotary angles, SiLU and heads that fill its width was expected; "
            f"{config.rope_parameters['rope_type']} angles, {config.hidden_act} and width {config.head_dim} came."
        )
    return ours


def _with_weights(config: LlamaConfig, weights: dict[str, torch.Tensor]) -> Llama:
    """A model that takes over tensors under transformers' names."""
    with torch.device("meta"):
        model = Llama(config)
    ours = {name.removeprefix("model."): tensor for name, tensor in weights.items()}
    ours.setdefault("lm_head.weight", ours["embed_tokens.weight"])
    model.load_state_dict(ours, assign=True)
    model.tie()
    return model
