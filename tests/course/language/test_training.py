"""Training, likelihood and calibration: against closed forms and PyTorch's own, and with bad input."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.calibration import calibration_curve

from course.language.calibration import calibration, next_token_confidences
from course.language.likelihood import bits_per_byte, perplexity, token_log_probs
from course.language.model import CONFIGS, random_llama
from course.language.training import draw, learning_rate, next_token_loss, train, training_steps

CONFIG = replace(CONFIGS["tiny"], n_layers=2, hidden_size=32, intermediate_size=64, vocab_size=20, max_positions=48)


@pytest.fixture
def model():
    return random_llama(CONFIG)


@pytest.fixture
def text():
    return torch.randint(0, 20, (300,), generator=torch.Generator().manual_seed(0))


# Training


def test_an_untrained_model_guesses(model, text):
    assert abs(perplexity(token_log_probs(model, text[:48])) - 20) < 2


def test_it_learns_a_cycle_and_does_not_touch_a_frozen_part(model):
    cycle = torch.arange(20).repeat(20)
    model.norm.weight.requires_grad_(False)
    losses = train(model, cycle, steps=40, batch=4, length=24, peak_rate=1e-2)
    assert len(losses) == 40 and abs(losses[0] - math.log(20)) < 0.2 and losses[-1] < 0.3
    assert not model.training and torch.equal(model.norm.weight, torch.ones(32))
    assert perplexity(token_log_probs(model, cycle[:40])[5:]) < 1.5


def test_it_cannot_learn_noise_beyond_its_entropy():
    """What comes next in noise cannot be told from what came before: the loss stays at ln 20."""
    noise = torch.randint(0, 20, (20_000,), generator=torch.Generator().manual_seed(3))
    losses = train(random_llama(CONFIG), noise, steps=30, batch=4, length=24)
    assert abs(np.mean(losses[-10:]) - math.log(20)) < 0.05


def test_the_same_seed_trains_the_same_model(text):
    losses = [train(random_llama(CONFIG), text, steps=3, length=20, seed=seed) for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]


def test_the_loss_is_the_mean_of_the_log_probabilities(model, text):
    rows = text[:40].reshape(2, 20)
    by_hand = -np.mean([token_log_probs(model, row) for row in rows])
    assert np.isclose(next_token_loss(model, rows).item(), by_hand, atol=1e-5)


def test_stretches_come_from_everywhere_in_the_text():
    text = torch.arange(12)
    rows = draw(text, 500, 9, torch.Generator().manual_seed(0))
    assert rows.shape == (500, 10) and torch.equal(rows - rows[:, :1], torch.arange(10).expand(500, 10))
    assert set(rows[:, 0].tolist()) == {0, 1, 2}


def test_the_rate_rises_and_falls():
    rates = [learning_rate(number, 100) for number in range(1, 101)]
    assert np.allclose(rates[:5], [0.2, 0.4, 0.6, 0.8, 1.0])
    assert all(np.diff(rates[4:]) < 0) and np.isclose(rates[-1], 0.1)
    assert learning_rate(1, 1) == 1


def test_reports_come_step_by_step(model, text):
    running = training_steps(model, text, 2, batch=2, length=10)
    before = model.norm.weight.clone()
    first = next(running)
    assert first.number == 1 and not torch.equal(before, model.norm.weight)
    assert [step.number for step in running] == [2]


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"steps": 0}, ValueError, "1 or more"),
        ({"batch": 0}, ValueError, "1 or more"),
        ({"length": 0}, ValueError, "1 or more"),
        ({"peak_rate": 0.0}, ValueError, "above 0"),
        ({"length": 49}, ValueError, "At most 48"),
        ({"tokens": [1] * 10}, ValueError, "at least 11 tokens"),
        ({"tokens": [0.5] * 30}, TypeError, "whole numbers"),
        ({"tokens": [1] * 30 + [20]}, ValueError, "0 to 19"),
    ],
)
def test_what_cannot_be_trained_is_refused_by_the_call(model, change, error, message):
    with pytest.raises(error, match=message):
        training_steps(model, **({"tokens": [1] * 60, "steps": 1, "batch": 1, "length": 10} | change))


# Likelihood


def test_log_probabilities_are_those_of_the_logits(model, text):
    with torch.no_grad():
        scores = model(text[None, :40])[0].double().log_softmax(-1)
    by_hand = [scores[i, text[i + 1]].item() for i in range(39)]
    assert np.allclose(token_log_probs(model, text[:40]), by_hand, atol=1e-5)


@pytest.mark.parametrize("n", [2, 10, 11, 12, 31, 111])
def test_windows_predict_each_token_once(model, text, n):
    found = token_log_probs(model, text[:n], window=10)
    by_hand = [token_log_probs(model, text[start : min(start + 11, n)]) for start in range(0, n - 1, 10)]
    assert np.allclose(found, np.concatenate(by_hand), atol=1e-5) and found.shape == (n - 1,)


def test_perplexity_and_bits_of_a_known_distribution():
    quarter = np.full(10, math.log(1 / 4))
    assert np.isclose(perplexity(quarter), 4) and np.isclose(bits_per_byte(quarter, 10), 2)
    assert np.isclose(bits_per_byte(quarter, 40), 0.5)
    mixed = np.log([0.5, 0.125])
    assert np.isclose(perplexity(mixed), 4) and perplexity([0.0]) == 1


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda model: token_log_probs(model, [1]), "2 tokens"),
        (lambda model: token_log_probs(model, [1], window=4), "2 tokens"),
        (lambda model: token_log_probs(model, []), "1 or more"),
        (lambda model: token_log_probs(model, [], window=4), "2 tokens"),
        (lambda model: token_log_probs(model, [1, 99]), "0 to 19"),
        (lambda model: token_log_probs(model, [99, 1], window=1), "0 to 19"),
        (lambda model: token_log_probs(model, [1] * 49), "At most 48"),
        (lambda model: token_log_probs(model, [1] * 99, window=49), "At most 48"),
        (lambda model: token_log_probs(model, [1, 2], window=0), "window"),
        (lambda model: perplexity([]), "One or more"),
        (lambda model: perplexity([-1.0, 0.5]), "none above 0"),
        (lambda model: perplexity([math.nan]), "NaN"),
        (lambda model: bits_per_byte([-1.0], 0), "1 byte"),
        (lambda model: next_token_confidences(model, [1]), "2 tokens"),
        (lambda model: next_token_confidences(model, [1, 2], temperature=0), "temperature"),
        (lambda model: calibration([], []), "at least one"),
        (lambda model: calibration([0.5], [1, 0]), "As many"),
        (lambda model: calibration([0.5], [1], n_bins=0), "one bin"),
        (lambda model: calibration([50.0], [1]), "percentages"),
        (lambda model: calibration([math.nan], [1]), "percentages"),
        (lambda model: calibration([0.5], [0.3]), "0 or 1"),
    ],
)
def test_bad_input_is_named(model, call, message):
    with pytest.raises(ValueError, match=message):
        call(model)


# Calibration


def test_bins_are_scikit_learns(rng):
    confidences = rng.random(500)
    correct = rng.random(500) < confidences**2
    found = calibration(confidences, correct, n_bins=8)
    accuracy, confidence = calibration_curve(correct, confidences, n_bins=8)
    filled = found.count > 0
    assert np.allclose(found.accuracy[filled], accuracy) and np.allclose(found.confidence[filled], confidence)
    by_hand = sum(
        abs(correct[chosen].mean() - confidences[chosen].mean()) * chosen.mean()
        for low in np.arange(8) / 8
        if (chosen := (confidences >= low) & (confidences < low + 1 / 8)).any()
    )
    assert np.isclose(found.expected_error, by_hand)


def test_a_model_that_knows_what_it_knows_has_no_error(rng):
    confidences = rng.random(200_000)
    sure = calibration(confidences, rng.random(200_000) < confidences)
    assert sure.expected_error < 0.01
    assert calibration(np.full(1000, 0.9), np.arange(1000) < 500).expected_error == pytest.approx(0.4)


def test_edges_belong_above_and_1_to_the_last_bin():
    found = calibration([0.0, 0.5, 1.0], [0, 1, 1], n_bins=2)
    assert found.count.tolist() == [1, 2] and found.expected_error == pytest.approx((0 + 2 * 0.25) / 3)
    empty = calibration([0.1], [1], n_bins=4)
    assert np.isnan(empty.accuracy[1:]).all() and empty.expected_error == pytest.approx(0.9)


def test_confidences_are_the_largest_probabilities(model, text):
    with torch.no_grad():
        probs = (model(text[None, :30])[0] / 0.5).softmax(-1)
    confidences, correct = next_token_confidences(model, text[:31], temperature=0.5)
    assert np.allclose(confidences, probs.amax(-1), atol=1e-6)
    assert correct.tolist() == (probs.argmax(-1) == text[1:31]).tolist()
