"""Learning from a caller's digits that nobody transcribed."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from course.acoustic import CtcNetwork, alphabet_of, facts_of, load_network, log_probs
from course.acoustic.adaptation import adapted, balancing, labelled, word_scores
from course.acoustic.command import train as train_command
from course.ctc import ctc_loss
from course.errors import CourseError
from course.recordings import DIGITS, SPEAKERS, Recording, digits

SPOKEN = ("one", "two", "nine")


def said(text, speaker, seed):
    signal = (0.1 * np.random.default_rng(seed).standard_normal(3_000)).astype(np.float32)
    return Recording(f"{text}-{seed}", signal, 8_000, text, speaker, "made for a test", False)


@pytest.fixture(scope="module")
def heard():
    return [said(text, "new", seed) for seed, text in enumerate(SPOKEN * 4)]


@pytest.fixture(scope="module")
def others():
    return [said(text, speaker, 100 + seed) for seed, text in enumerate(SPOKEN) for speaker in "ab"]


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    alphabet = alphabet_of(DIGITS)
    return CtcNetwork(len(alphabet), width=8).eval().requires_grad_(False), alphabet


# --------------------------------------------------------------------------------------------------------- balancing


def shares(scores):
    return np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)).mean(axis=0)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
@pytest.mark.parametrize("seed", range(3))
def test_offsets_make_all_words_equally_frequent(seed, temperature):
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 3, (40, 6)) + rng.normal(0, 4, 6)
    offsets = balancing(scores, temperature, spread=np.inf)
    assert shares((scores + offsets) / temperature) == pytest.approx(np.full(6, 1 / 6), abs=1e-7)
    assert offsets.mean() == pytest.approx(0, abs=1e-12)


def test_offsets_are_the_most_probable_ones_of_a_gaussian():
    scores = np.random.default_rng(7).normal(0, 2, (30, 4)) + np.array([3, 0, -2, 0])
    grid = np.stack(np.meshgrid(*[np.linspace(-1.5, 1.5, 61)] * 3), axis=-1).reshape(-1, 3)
    grid = np.column_stack([grid, -grid.sum(axis=1)])  # offsets in units of the temperature, with mean 0
    log_posterior = -np.logaddexp.reduce(scores / 2 + grid[:, None], axis=2).sum(axis=1) - (grid**2).sum(axis=1) / 2
    found = balancing(scores, temperature=2.0, spread=1.0) / 2
    assert found == pytest.approx(grid[log_posterior.argmax()], abs=0.06)


def test_a_planted_preference_is_taken_back():
    planted = np.array([3.0, -5.0, 1.0, 1.0])
    fair = np.vstack([np.roll([9.0, 2.0, 1.0, 0.0], k) for k in range(4)] * 3)
    assert balancing(fair) == pytest.approx(np.zeros(4), abs=1e-6)
    assert balancing(fair + planted, spread=np.inf) == pytest.approx(planted.mean() - planted, abs=1e-4)
    pulled = balancing(fair + planted) / (planted.mean() - planted)[[0, 1, 2, 2]]
    assert ((pulled[:2] > 0.5) & (pulled[:2] < 1)).all()


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        (np.zeros((9, 10)), "at least 10 recordings"),
        (np.zeros((0, 10)), "0 came"),
        (np.full((12, 10), -np.inf), "not finite"),
        (np.full((12, 10), np.nan), "not finite"),
    ],
)
def test_scores_that_say_nothing_are_refused(scores, sentence):
    with pytest.raises(CourseError, match=sentence):
        balancing(scores)


# --------------------------------------------------------------------------------------------------- scores and labels


def test_scores_are_the_sum_over_alignments(small, heard):
    network, alphabet = small
    found = word_scores(network, alphabet, heard[:2], SPOKEN)
    for row, recording in zip(found, heard, strict=False):
        frames = log_probs(network, np.pad(recording.signal, 800))
        assert row == pytest.approx([-ctc_loss(frames, alphabet.encode(word)) for word in SPOKEN], rel=1e-9)


def test_labels_do_not_look_at_transcripts(small, heard):
    network, alphabet = small
    found = labelled(network, alphabet, heard, SPOKEN)
    masked = labelled(network, alphabet, [replace(one, text="six") for one in heard], SPOKEN)
    assert [one.text for one in found] == [one.text for one in masked]
    assert [one.name for one in found] == [one.name for one in heard] and {one.text for one in found} <= set(SPOKEN)


def test_balanced_labels_of_a_stranger_are_right_more_often():
    recordings = digits(("george",), takes=range(8))
    if not recordings[0].recorded:
        pytest.skip("the recordings of the Free Spoken Digit Dataset are not here")
    network, alphabet = load_network("unseen-george")
    plain = word_scores(network, alphabet, recordings).argmax(axis=1)
    before = np.mean([DIGITS[n] == one.text for n, one in zip(plain, recordings, strict=True)])
    after = np.mean(
        [a.text == b.text for a, b in zip(labelled(network, alphabet, recordings), recordings, strict=True)]
    )
    assert before < 0.85 < after


# -------------------------------------------------------------------------------------------------------- adaptation


def weights(network):
    return torch.cat([one.flatten() for one in network.parameters()])


def test_learning_leaves_the_network_alone_and_follows_its_seed(small, heard, others):
    network, alphabet = small
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first, again, other = (adapted(network, alphabet, heard, others, steps=2, seed=seed) for seed in (0, 0, 1))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(weights(first), weights(again)) and not torch.equal(weights(first), weights(other))
    assert not torch.equal(weights(first), weights(network)) and not first.training
    assert not any(one.requires_grad for one in first.parameters())


def test_learning_needs_others_and_enough_digits(small, heard, others):
    network, alphabet = small
    with pytest.raises(CourseError, match="of others were expected"):
        adapted(network, alphabet, heard, [], steps=1)
    with pytest.raises(CourseError, match="at least 10 recordings"):
        adapted(network, alphabet, heard[:3], others, steps=1)


def test_the_kept_scores_reach_the_bar():
    scores = {name: facts_of(f"unseen-{name}-adapted")["scores"] for name in SPEAKERS}
    for of_speaker in scores.values():
        assert of_speaker["adapted"]["wer"] < of_speaker["as shipped"]["wer"]
        for found in of_speaker.values():
            errors, words = (sum(map(int, found[key].split())) for key in ("errors", "words"))
            assert found["wer"] == pytest.approx(100 * errors / words, abs=0.006)
    assert np.mean([of_speaker["adapted"]["wer"] for of_speaker in scores.values()]) <= 7


def test_the_command_writes_scores_before_and_after(tmp_path, monkeypatch):
    from course.acoustic import shipping

    monkeypatch.setattr(shipping, "N_STRINGS", 4)
    monkeypatch.setattr(shipping, "N_HEARD", 12)
    monkeypatch.setattr(shipping, "adapted", lambda network, *rest: network)
    result = CliRunner().invoke(train_command, ["adapted", "--speaker", "theo", "-o", str(tmp_path)])
    assert result.exit_code == 0 and result.output.startswith("theo: as shipped")
    facts = json.loads((tmp_path / "unseen-theo-adapted.json").read_text())
    assert set(facts["scores"]) == {"as shipped", "offsets", "adapted"} and facts["heard"] == 12
    assert facts["scores"]["adapted"] == facts["scores"]["as shipped"]
