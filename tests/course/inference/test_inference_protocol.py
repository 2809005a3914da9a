"""What all backends share: checks of what comes in, the registry, memory counted before loading."""

import pytest
import torch

from course.errors import CourseError
from course.inference import (
    BACKENDS,
    Setup,
    Unavailable,
    available,
    create,
    generate,
    memory_needed,
    teacher_forced,
)
from course.inference.memory import Memory, memory_free, require_memory
from course.inference.memory import memory_needed as memory_of
from course.language.model import CONFIGS, random_llama

TINY = {"model": "tiny", "length": 16}


@pytest.fixture(scope="module")
def backend():
    with create("eager", **TINY) as made:
        yield made


def tokens(*shape):
    return torch.randint(0, 512, shape, generator=torch.Generator().manual_seed(5))


def test_a_backend_goes_through_its_states(backend):
    backend.reset()
    assert backend.cached == 0
    logits = backend.prefill(tokens(1, 5))
    assert (backend.cached, logits.shape, logits.dtype) == (5, (1, 512), torch.float32)
    assert not logits.requires_grad
    backend.decode(tokens(1))
    assert backend.cached == 6
    backend.prefill(tokens(1, 3))
    assert backend.cached == 3, "a prompt begins anew"
    assert backend.logits(tokens(1, 4)).shape == (1, 4, 512)
    assert backend.cached == 0


def test_decode_continues_what_prefill_began(backend):
    prompt = tokens(1, 9)
    whole = backend.logits(prompt)
    torch.testing.assert_close(teacher_forced(backend, prompt, 4), whole[:, 3:])


def test_generate_takes_the_best_token_each_time(backend):
    prompt, text = tokens(1, 4), tokens(1, 4)
    for _ in range(5):
        text = torch.cat([text, backend.logits(text)[:, -1].argmax(-1, keepdim=True)], dim=1)
    assert torch.equal(generate(backend, prompt, 5), text[:, 4:])


def test_setups_of_another_seed_are_other_models(backend):
    with create("eager", **TINY, seed=1) as other:
        assert not torch.allclose(other.logits(tokens(1, 4)), backend.logits(tokens(1, 4)))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda b: b.prefill(tokens(1, 5).int()), TypeError, r"int64 tensor \(batch, n\); torch.int32"),
        (lambda b: b.prefill([[1, 2]]), TypeError, "list came"),
        (lambda b: b.prefill(tokens(5)), TypeError, r"\(batch, n\)"),
        (lambda b: b.prefill(tokens(2, 5)), ValueError, "made for 1 sequences; 2 came"),
        (lambda b: b.prefill(tokens(1, 0)), ValueError, "room for 1 to 16 positions; 0 were asked for"),
        (lambda b: b.prefill(tokens(1, 17)), ValueError, "room for 1 to 16 positions; 17"),
        (lambda b: b.prefill(tokens(1, 3) + 512), ValueError, "lie in 0 to 511"),
        (lambda b: b.prefill(tokens(1, 3) - 512), ValueError, "lie in 0 to 511"),
        (lambda b: b.decode(tokens(1)), ValueError, "Call prefill first"),
        (lambda b: (b.prefill(tokens(1, 16)), b.decode(tokens(1))), ValueError, "1 to 16 positions; 17"),
        (lambda b: generate(b, tokens(1, 2), 0), ValueError, "n_new has to be 1 or more"),
    ],
)
def test_bad_tokens_are_refused_with_a_sentence(backend, call, error, words):
    backend.reset()
    with pytest.raises(error, match=words):
        call(backend)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model": "gpt-9"}, "model has to be one of smollm2, tiny"),
        ({"dtype": "float8"}, "dtype has to be one of"),
        ({"device": "abacus"}, "device has to be one of cpu, cuda"),
        ({"batch": 0}, "batch has to be a whole number, 1 or more; 0"),
        ({"length": 2.5}, "length has to be a whole number"),
        ({"threads": True}, "threads has to be a whole number"),
        ({"length": 513}, "tiny has 512 positions; length=513"),
        ({"colour": "red"}, "A backend has no colour; it has model, device"),
    ],
)
def test_a_setup_that_makes_no_sense_is_refused(fields, words):
    with pytest.raises(CourseError, match=words):
        create("eager", **{"model": "tiny", "length": 16, **fields})


def test_an_unknown_backend_is_refused_with_those_there_are():
    with pytest.raises(CourseError, match="No backend is called 'abacus'; there are eager, "):
        create("abacus")
    with pytest.raises(CourseError, match="No backend is called 'abacus'"):
        memory_needed("abacus", "tiny", 1, 1)


def test_every_backend_says_whether_it_can_run_and_what_it_is():
    found = available("cpu")
    assert set(found) == set(BACKENDS)
    assert found["eager"] == found["sdpa-flash"] == ""
    assert "no cudnn kernel" in found["sdpa-cudnn"]
    for name, reason in found.items():
        assert reason == "" or reason.endswith("."), name
        assert BACKENDS[name].find().name == name
        assert BACKENDS[name].about


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_every_cuda_backend_says_so():
    for reason in available("cuda").values():
        assert reason.startswith("No CUDA device is visible")
    with pytest.raises(Unavailable, match="No CUDA device is visible"):
        create("eager", model="tiny", device="cuda")


def test_a_kernel_that_the_device_lacks_is_one_sentence():
    if available("cpu")["sdpa-cudnn"]:
        with pytest.raises(Unavailable, match="^PyTorch has no cudnn kernel of attention for cpu, float32"):
            create("sdpa-cudnn", **TINY)


def test_memory_is_counted_as_the_tensors_are():
    config = CONFIGS["tiny"]
    needed = memory_needed("eager", "tiny", 3, 20, "bfloat16")
    model = random_llama(config, dtype=torch.bfloat16)
    assert needed.weights == sum(weight.nbytes for weight in model.parameters())
    assert needed.cache == config.cache_bytes(20, batch=3, bytes_per_value=2)
    assert needed.total == needed.weights + needed.cache + needed.logits
    assert memory_needed("onnx", "tiny", 1, 1).weights == 3 * memory_needed("eager", "tiny", 1, 1).weights
    assert memory_of(config, 1, 1, "int4").weights == memory_of(config, 1, 1).weights // 8


def test_too_little_memory_is_predicted_with_the_bytes(monkeypatch):
    monkeypatch.setattr("course.inference.memory_free", lambda device: 1_000_000)
    with pytest.raises(
        CourseError, match=r"llama-8b in bfloat16 with eager needs [\d,]{14} bytes .* 1,000,000 are free"
    ):
        create("eager", model="llama-8b", dtype="bfloat16", length=128)
    require_memory(Memory(5, 3, 2), 10, "It")
    with pytest.raises(CourseError, match="It needs 10 bytes"):
        require_memory(Memory(5, 3, 2), 9, "It")


def test_memory_of_nonsense_is_refused():
    with pytest.raises(CourseError, match="dtype has to be one of"):
        memory_of(CONFIGS["tiny"], 1, 1, "int2")
    with pytest.raises(CourseError, match="length has to be a whole number"):
        memory_of(CONFIGS["tiny"], 1, 0)
    assert memory_free("cpu") > 0


def test_threads_are_set_only_where_they_are_asked_for():
    before = torch.get_num_threads()
    create("eager", **TINY).close()
    assert torch.get_num_threads() == before
    try:
        create("eager", **TINY, threads=before + 1).close()
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_two_setups_that_are_equal_are_equal():
    assert Setup(**TINY) == Setup(**TINY)
    assert Setup(**TINY).config == CONFIGS["tiny"]


def test_processes_load_the_weights_once_each():
    assert memory_needed("tensor-parallel", "tiny", 1, 1).weights == 2 * memory_needed("eager", "tiny", 1, 1).weights
