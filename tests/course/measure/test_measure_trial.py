"""Single trials against the fake device's truth, and the comparison of answers against SciPy."""

import gc

import numpy as np
import pytest
import scipy.special

from course.measure.devices import STEADY, FakeDevice, timed
from course.measure.fake_backend import SHAPE, FakeBackend
from course.measure.record import Variant
from course.measure.rehearsal import launches_only
from course.measure.trial import Answers, Loaded, Place, answers, compare, draw_prompt, take_trial, warm_up

PLACE = Place(process=0, round=1, warm_up=False)


def loaded(kind="slow", batch=1, behaviour=STEADY):
    device = FakeDevice(0, behaviour)
    variant = Variant(name=kind, backend=kind, dtype="float32", batch=batch, code="0")
    return Loaded(variant, FakeBackend(kind, device, batch, 64)), device


@pytest.mark.parametrize(("batch", "prompt", "generated"), [(1, 16, 5), (3, 7, 2), (2, 9, 1)])
def test_a_trial_finds_the_true_times(batch, prompt, generated):
    one, device = loaded(batch=batch)
    trial = take_trial(one, device, PLACE, draw_prompt(256, batch, prompt, 1), generated)
    backend = one.backend
    assert trial.timing("prefill").seconds == pytest.approx(backend.true_seconds("prefill", prompt), rel=1e-3)
    if generated == 1:
        assert trial.timing("decode") is None
    else:
        steps = [backend.true_seconds("decode", prompt + step) for step in range(generated - 1)]
        assert trial.timing("decode").steps == generated - 1
        assert trial.timing("decode").seconds == pytest.approx(sum(steps), rel=1e-3)
        assert backend.true_seconds("decode", prompt, generated - 1) == pytest.approx(sum(steps))
    assert backend.cached == prompt + generated - 1
    assert (trial.batch, trial.prompt, trial.generated, trial.cached_before) == (batch, prompt, generated, 0)
    assert trial.drained < 1e-5 and trial.memory.allocated > 0


def test_what_is_left_in_the_queue_is_seen():
    one, device = loaded()
    trial = take_trial(one, device, PLACE, draw_prompt(256, 1, 16, 1), 5, take=launches_only)
    assert not trial.synchronised
    true = one.backend.true_seconds("prefill", 16) + one.backend.true_seconds("decode", 16, 4)
    assert trial.drained == pytest.approx(true, rel=0.01)
    assert trial.seconds < true / 100


def test_a_trial_begins_with_an_empty_cache_and_ends_with_collection_as_it_was():
    one, device = loaded()
    one.backend.prefill(draw_prompt(256, 1, 30, 1))
    assert take_trial(one, device, PLACE, draw_prompt(256, 1, 4, 2), 2).cached_before == 0
    assert gc.isenabled()


def test_prompts_are_the_same_for_the_same_key():
    assert (draw_prompt(100, 2, 8, 1, 2, 3) == draw_prompt(100, 2, 8, 1, 2, 3)).all()
    assert (draw_prompt(100, 2, 8, 1, 2, 3) != draw_prompt(100, 2, 8, 1, 2, 4)).any()
    assert draw_prompt(5, 1, 1000, 0).max() == 4


def test_a_warm_up_ends_when_it_is_warm_or_given_up():
    one, device = loaded()
    numbers = []

    def take(seconds):
        def trial(number):
            numbers.append(number)
            template = take_trial(one, device, PLACE, draw_prompt(256, 1, 4, number), 1)
            timing = template.timings[0].model_copy(update={"seconds": seconds(number)})
            return template.model_copy(update={"timings": (timing,)})

        return trial

    assert len(list(warm_up(take(lambda number: 1.0), 3, 30))) == 6
    assert len(list(warm_up(take(lambda number: 2.0 if number < 4 else 1.0), 3, 30))) == 9
    assert len(list(warm_up(take(lambda number: 0.5**number), 3, 11))) == 11
    assert numbers == [*range(6), *range(9), *range(11)]


def test_answers_are_compared_as_scipy_would():
    random = np.random.default_rng(0)
    wanted, found = random.normal(size=(2, 2, 4, 3, 17))  # two of: prompts, steps, sequences, vocabulary
    tokens = tuple(tuple(random.integers(17, size=4).tolist()) for _ in range(6))
    other = (tokens[0][:2] + (99, 99), *tokens[1:])
    parity = compare("a", Answers(tuple(wanted), tokens), Answers(tuple(found), other), {"kl": 1.0})
    for n in range(6):
        p, q = wanted[n // 3, :, n % 3], found[n // 3, :, n % 3]
        assert parity.rel_l2[n] == pytest.approx(np.linalg.norm(p - q) / np.linalg.norm(p))
        kl = scipy.special.rel_entr(scipy.special.softmax(p, -1), scipy.special.softmax(q, -1)).sum(-1).mean()
        assert parity.kl[n] == pytest.approx(kl)
        assert parity.top1[n] == np.mean(p.argmax(-1) == q.argmax(-1))
    assert parity.agreement == pytest.approx(22 / 24)


def test_logits_that_cannot_be_compared():
    good = Answers((np.zeros((2, 1, 5)),), ((0, 0),))
    with pytest.raises(ValueError, match="Finite logits"):
        compare("a", good, Answers((np.full((2, 1, 5), np.nan),), ((0, 0),)), {"kl": 1.0})
    with pytest.raises(ValueError, match=r"shape \(2, 1, 5\).*\(2, 1, 6\) came"):
        compare("a", good, Answers((np.zeros((2, 1, 6)),), ((0, 0),)), {"kl": 1.0})


def test_one_other_token_does_not_make_the_rest_incomparable():
    """The variant is fed the reference's tokens for its logits, and its own for what it would say."""
    reference, other = loaded("slow")[0], loaded("wrong")[0]
    prompts = [draw_prompt(SHAPE.vocab_size, 1, 8, number) for number in range(2)]
    first = answers(reference, prompts, 6)
    second = answers(other, prompts, 6, forced=first)
    assert first.tokens != second.tokens
    for number, prompt in enumerate(prompts):
        fed = [prompt[0, -1], *first.tokens[number][:-1]]
        for step, token in enumerate(fed):
            logits = other.backend._logits_after(np.array([token]))
            np.testing.assert_array_equal(second.logits[number][step], logits)
    again = answers(reference, prompts, 6, forced=first)
    assert compare("slow", first, again, {"rel_l2": 1e-9}).failures() == []
    assert reference.backend.cached == 0


def test_the_stopwatch_gives_back_what_the_work_gave():
    device = FakeDevice(0, STEADY)
    assert timed(device, "kernel", 3, lambda: (device.launch("one", 0.1), "result"))[0][1] == "result"
