"""The acoustic network: front end against its definition, training by seed, checkpoints, recogniser, bad input."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from course.acoustic import (
    NOISY,
    PLAIN,
    AttentionHead,
    ByGrammar,
    CtcNetwork,
    CtcRecogniser,
    TransducerHead,
    alphabet_of,
    by_beam,
    by_best_path,
    count_parameters,
    facts_of,
    frontend,
    load_into,
    load_network,
    log_probs,
    random_strings,
    rate,
    score,
    train,
    word_errors,
)
from course.acoustic.augmentation import batch_features, coloured_noises, string_signal, with_line_noise
from course.acoustic.checkpoints import SEEN, fingerprint, save, shipped_folder
from course.acoustic.command import train as train_command
from course.acoustic.network import STRIDE, output_frames
from course.acoustic.synthetic_voices import synthetic_voices
from course.acoustic.training import Strings
from course.errors import CourseError
from course.recordings import DIGITS, SPEAKERS, Recording, digits, seen_split

NAMES = [SEEN, *(f"unseen-{speaker}" for speaker in SPEAKERS)]


def noise(n_samples, seed=0, level=0.1):
    return (level * np.random.default_rng(seed).standard_normal(n_samples)).astype(np.float32)


def word(text="two", speaker="a", n_samples=3_000, seed=0, sample_rate=8_000):
    return Recording(f"{text}-{seed}", noise(n_samples, seed), sample_rate, text, speaker, "made for a test", False)


@pytest.fixture(scope="module")
def few():
    return [word(text, speaker, seed=i) for i, text in enumerate(("one", "two", "nine")) for speaker in "ab"]


# ---------------------------------------------------------------------------------------------------------- alphabet


def test_text_survives_the_alphabet():
    alphabet = alphabet_of(["one", "two three"])
    assert alphabet.decode(alphabet.encode("three one")) == "three one" and len(alphabet) == len(set("onetwhr ")) + 1
    assert alphabet.encode("") == [] and alphabet.decode([0, 0]) == "" and 0 not in alphabet.encode("two")
    assert alphabet[0] == "-" and alphabet[alphabet.encode(" ")[0]] == "␣"


def test_unknown_characters_are_named():
    with pytest.raises(CourseError, match="'4', 'x'"):
        alphabet_of(["one"]).encode("x4")


# --------------------------------------------------------------------------------------------------------- front end


def test_features_follow_their_definition():
    """Against the definition in NumPy: centred frames, |DFT|², triangles in mel, log over a floor, normalised."""
    signal = noise(2_000)
    padded = np.pad(signal.astype(float), frontend.N_FFT // 2)
    window = np.zeros(frontend.N_FFT)
    window[28:228] = np.sin(np.pi * np.arange(200) / 200) ** 2
    starts = range(0, len(signal) + 1, frontend.HOP_LENGTH)
    power = np.abs(np.fft.rfft([window * padded[start : start + 256] for start in starts])) ** 2
    levels = power @ frontend.mel_filters().numpy().T.astype(float)
    levels = np.log(levels / levels.max() + frontend.FLOOR)
    mean = (levels.sum(0) - 30 * 9.5) / (len(levels) + 30)
    expected = (levels - mean) / np.sqrt((np.square(levels - mean).sum(0) + 30 * 2.5**2) / (len(levels) + 30))
    assert frontend.log_mel(signal)[0].numpy() == pytest.approx(expected, abs=1e-3)
    assert frontend.frame_count(signal.size) == len(expected)


@pytest.mark.parametrize("warp", [1 / 1.2, 0.9, 1.0, 1.1, 1.2])
def test_warped_filters_stay_filters(warp):
    filters = frontend.mel_filters(warp).numpy()
    assert filters.shape == (40, 129) and filters.min() >= 0 and (filters.max(axis=1) > 0.3).all()
    centres = filters @ np.arange(129) / filters.sum(axis=1)
    assert (np.diff(centres) > 0).all()
    plain = frontend.mel_filters().numpy()
    plain_centres = plain @ np.arange(129) / plain.sum(axis=1)
    assert centres[20] / plain_centres[20] == pytest.approx(warp, rel=0.05)


def test_the_level_does_not_change_the_features():
    signal = noise(8_000)
    assert frontend.log_mel(0.01 * signal).numpy() == pytest.approx(frontend.log_mel(signal).numpy(), abs=1e-3)


def test_padding_does_not_change_an_utterance():
    short, long = noise(1_600, 1), noise(4_000, 2)
    rng = np.random.default_rng(0)
    features, counts = batch_features([short, long], rng, PLAIN)
    assert counts.tolist() == [21, 51] and features.shape == (2, 51, 40)
    assert features[0, :20].numpy() == pytest.approx(frontend.log_mel(short)[0, :20].numpy(), abs=0.02)
    assert not features[0, 21:].any()


@pytest.mark.parametrize("signal", [np.zeros(1), np.zeros(8_000), noise(1), noise(79)])
def test_silence_and_single_samples_give_finite_features(signal):
    features = frontend.log_mel(signal)
    assert torch.isfinite(features).all() and features.shape == (1, len(signal) // 80 + 1, 40)


# ------------------------------------------------------------------------------------------------------ augmentation


def test_changes_are_drawn_by_seed_and_keep_their_shape():
    signals = [noise(3_000, 1), noise(5_000, 2)]
    first, second, other = (batch_features(signals, np.random.default_rng(seed), NOISY)[0] for seed in (1, 1, 2))
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert torch.isfinite(first).all() and first.shape == (2, 63, 40)


def test_speed_changes_the_length():
    rng = np.random.default_rng(0)
    lengths = [string_signal([noise(8_000)] * 4, np.random.default_rng(3), speed).size for speed in (0.8, 1.0, 1.25)]
    assert lengths[0] == pytest.approx(lengths[1] / 0.8, rel=0.01) and lengths[2] == pytest.approx(
        lengths[1] / 1.25, rel=0.01
    )
    assert string_signal([np.zeros(10, np.float32)], rng, 1.0).dtype == np.float32


def test_noise_comes_at_its_ratio():
    signal = noise(16_000, level=0.3)
    always = [with_line_noise(signal, np.random.default_rng(seed), NOISY) - signal for seed in range(30)]
    ratios = [20 * np.log10(signal.std() / added.std()) for added in always if added.any()]
    assert 10 < len(ratios) < 30 and min(ratios) > 4.9 and max(ratios) < 35.1
    assert with_line_noise(signal, np.random.default_rng(0), PLAIN) is signal
    assert len(coloured_noises()) == 16 and all(n.std() == pytest.approx(1, rel=1e-3) for n in coloured_noises())


# ----------------------------------------------------------------------------------------------- network and training


@pytest.mark.parametrize("n_frames", [1, 2, 3, 50])
def test_the_network_gives_log_probabilities_for_half_the_frames(n_frames):
    network = CtcNetwork(17).eval()
    out = network(torch.randn(2, n_frames, 40))
    assert out.shape == (2, output_frames(n_frames), 17) == (2, -(-n_frames // STRIDE), 17)
    assert out.exp().sum(-1).detach().numpy() == pytest.approx(1, abs=1e-5)


def test_the_network_is_small():
    assert count_parameters(CtcNetwork(17)) <= 345_000


def test_training_is_the_same_by_seed_and_different_by_another(few):
    runs = [[p.loss for p in train(few, steps=3, seed=seed, width=8)] for seed in (4, 4, 5)]
    assert runs[0] == runs[1] != runs[2]


def test_training_lowers_the_loss(few):
    losses = [p.loss for p in train(few, steps=30, augmentation=PLAIN, longest=1, width=16)]
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:2])


@pytest.mark.parametrize(
    ("recordings", "steps", "sentence"),
    [([], 3, "0 recordings"), ([word()], 0, "0 steps"), ([word(sample_rate=16_000)], 1, "8000 Hz.*16000")],
)
def test_training_refuses_what_it_cannot_learn_from(recordings, steps, sentence):
    with pytest.raises(CourseError, match=sentence):
        next(train(recordings, steps=steps))


def test_training_refuses_voices_at_another_rate(few):
    with pytest.raises(CourseError, match="16000"):
        next(train(few, steps=1, voices=[word(sample_rate=16_000)]))


def test_voices_say_half_of_the_strings_and_change_what_is_learned(few):
    people = [word("one", speaker) for speaker in "abcde"]
    strings = Strings(people, alphabet_of(DIGITS), PLAIN, np.random.default_rng(0), [word("nine", v) for v in "vwxyz"])
    _, _, targets = strings.batch(400, 1)
    said = [strings.alphabet.decode(target) for target in targets]
    assert set(said) == {"one", "nine"} and 160 < said.count("nine") < 240  # four standard deviations
    assert [p.loss for p in train(few, 2, width=8)] != [p.loss for p in train(few, 2, width=8, voices=people)]


def test_synthetic_voices_say_every_digit_in_thirty_ways():
    voices = synthetic_voices()
    assert (
        len(voices) == 900 and len({voice.speaker for voice in voices}) == 30 and len({v.name for v in voices}) == 900
    )
    assert {(v.speaker, v.text) for v in voices} == {(s, d) for s in {v.speaker for v in voices} for d in DIGITS}
    for voice in voices:
        assert voice.sample_rate == 8_000 and not voice.recorded and voice.signal.dtype == np.float32
        assert 0.1 < voice.signal.size / 8_000 < 1.2 and 0.05 < np.abs(voice.signal).max() <= 1.01
    one = next(v for v in voices if v.text == "nine")
    same = sum(np.array_equal(one.signal, v.signal) for v in voices)
    assert same == 1


def test_synthetic_voices_are_the_same_in_another_process():
    script = (
        "from course.acoustic.checkpoints import fingerprint\n"
        "from course.acoustic.synthetic_voices import synthetic_voices\n"
        "print(fingerprint(synthetic_voices()))"
    )
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == fingerprint(synthetic_voices())


def test_a_word_without_text_and_one_too_short_do_no_harm():
    odd = [word("", seed=1), word("seven", n_samples=40, seed=2), word("seven", seed=3)]
    losses = [p.loss for p in train(odd, steps=2, augmentation=PLAIN, longest=3, width=8)]
    assert np.isfinite(losses).all()


# ------------------------------------------------------------------------------------------------------- checkpoints


def test_a_checkpoint_survives_the_disk_in_half_precision(tmp_path):
    network = CtcNetwork(5, width=8).eval()
    save(network, {"alphabet": "abcd", "width": 8}, "tiny", tmp_path)
    again, alphabet = load_network("tiny", tmp_path)
    features = torch.randn(1, 30, 40)
    assert alphabet.characters == "abcd" and not any(p.requires_grad for p in again.parameters())
    assert again(features).numpy() == pytest.approx(network(features).detach().numpy(), abs=0.02)


def test_a_missing_a_damaged_and_another_models_checkpoint_get_a_sentence(tmp_path):
    with pytest.raises(CourseError, match="'nobody'.*course train digits"):
        facts_of("nobody", tmp_path)
    save(TransducerHead(5, width=8), {"alphabet": "abcd", "width": 8}, "head", tmp_path)
    with pytest.raises(CourseError, match="another model"):
        load_network("head", tmp_path)
    (tmp_path / "head.safetensors").write_bytes(b"not weights")
    with pytest.raises(CourseError, match="could not be read"):
        load_into(TransducerHead(5, width=8), "head", tmp_path)
    with pytest.raises(CourseError, match="unseen-nobody"):
        CtcRecogniser.shipped(held_out="nobody")


def test_shipped_checkpoints_are_small_documented_and_within_their_bars():
    sizes = {path.name: path.stat().st_size for path in shipped_folder().glob("*.safetensors")}
    assert set(sizes) >= {f"{name}.safetensors" for name in NAMES}
    assert max(sizes.values()) <= 410_000 and sum(sizes.values()) <= 3_000_000
    for name in NAMES:
        facts = facts_of(name)
        assert facts["cpu_seconds"] <= 300 and facts["recorded"] and "CC BY-SA" in facts["licence"]
        assert {"seed", "steps", "machine", "recordings_sha256", "scores", "parameters"} <= set(facts)
    best = "lexicon and bigram"
    assert facts_of(SEEN)["scores"][best]["wer"] <= 1.5
    unseen = [facts_of(name)["scores"][best]["wer"] for name in NAMES[1:]]
    assert np.median(unseen) <= 7 and np.mean(unseen) < 12  # two of six keep the mean above 7


def test_facts_agree_with_the_recordings_here():
    training, _ = seen_split()
    if not training[0].recorded:
        pytest.skip("the recordings of the Free Spoken Digit Dataset are not here")
    assert facts_of(SEEN)["recordings_sha256"] == fingerprint(training)
    digest = hashlib.sha256()
    for recording in training:
        digest.update(f"{recording.name}\t{recording.text}\t8000\n".encode() + recording.signal.tobytes())
    assert facts_of(SEEN)["recordings_sha256"] == digest.hexdigest()


def test_a_shipped_network_reads_strings_of_voices_that_it_never_heard():
    recordings = digits(("theo",), takes=range(10))
    if not recordings[0].recorded:
        pytest.skip("the recordings of the Free Spoken Digit Dataset are not here")
    strings = random_strings(recordings, 15, seed=1)
    recogniser = CtcRecogniser.shipped(held_out="theo")
    found = score(strings, [recogniser.recognise(s.signal, s.sample_rate) for s in strings])
    assert found["wer"] <= 20 and found["low"] <= found["wer"] <= found["high"]


# -------------------------------------------------------------------------------------------------------- recogniser


@pytest.fixture(scope="module")
def recogniser():
    torch.manual_seed(0)
    alphabet = alphabet_of(DIGITS)
    return CtcRecogniser(CtcNetwork(len(alphabet), width=8).eval(), alphabet)


def test_a_fitted_recogniser_says_what_it_cost(few):
    fitted = CtcRecogniser.fit(few, steps=2, name="short")
    assert fitted.name == "short" and fitted.n_parameters > 0 and fitted.train_seconds > 0
    assert isinstance(fitted.recognise(noise(4_000), 8_000), str)


@pytest.mark.parametrize("decoder", [by_best_path, by_beam, ByGrammar()])
def test_every_way_to_read_gives_text_for_every_signal(recogniser, decoder):
    for signal in (np.zeros(1), np.zeros(8_000), noise(1), noise(4_000)):
        text = decoder(recogniser.log_probs(signal), recogniser.alphabet)
        assert isinstance(text, str)
        if isinstance(decoder, ByGrammar):
            assert set(text.split()) <= set(DIGITS)


def test_integers_and_other_rates_are_taken(recogniser):
    integers = (1_000 * np.sin(np.arange(8_000))).astype(np.int16)
    assert isinstance(recogniser.recognise(integers, 8_000), str)
    assert len(recogniser.log_probs(noise(16_000), 16_000)) == len(recogniser.log_probs(noise(8_000), 8_000))
    assert isinstance(recogniser.recognise(noise(1), 44_100), str)


@pytest.mark.parametrize(
    ("signal", "sample_rate", "error", "sentence"),
    [
        (np.zeros(0), 8_000, ValueError, "at least one sample"),
        (np.zeros((100, 2)), 8_000, ValueError, "one channel"),
        (np.full(100, np.nan), 8_000, ValueError, "NaN"),
        (np.zeros(100, complex), 8_000, TypeError, "real numbers"),
        (["a"], 8_000, TypeError, "real numbers"),
        (np.zeros(100), 4_000, ValueError, "8000 Hz or more.*4000"),
        (np.zeros(100), 0, ValueError, "8000 Hz or more"),
        (np.zeros(100), float("nan"), ValueError, "8000 Hz or more"),
    ],
)
def test_what_is_no_signal_is_refused(recogniser, signal, sample_rate, error, sentence):
    with pytest.raises(error, match=sentence):
        recogniser.recognise(signal, sample_rate)


def test_log_probs_are_normalised_in_double_precision(recogniser):
    scores = log_probs(recogniser.network, noise(8_000))
    assert scores.dtype == np.float64 and np.logaddexp.reduce(scores, axis=1) == pytest.approx(0, abs=1e-12)


# ----------------------------------------------------------------------------------------- evaluation, heads, command


def test_strings_are_drawn_by_seed_from_one_speaker_each(few):
    first, second = random_strings(few, 6, seed=1), random_strings(few, 6, seed=1)
    assert [s.name for s in first] == [s.name for s in second]
    assert all(3 <= len(s.text.split()) <= 7 and s.speaker in "ab" for s in first)
    assert {s.speaker for s in first} == {"a", "b"}


def test_scores_count_words(few):
    strings = random_strings(few, 4, seed=2)
    texts = [s.text for s in strings]
    assert score(strings, texts)["wer"] == 0
    errors, words = word_errors(strings, ["", *texts[1:]])
    assert errors.tolist() == [words[0], 0, 0, 0]
    assert rate(errors, words)["wer"] == pytest.approx(100 * words[0] / words.sum())


@pytest.mark.parametrize("kind", [TransducerHead, AttentionHead])
def test_a_head_learns_a_toy_language(kind):
    """Frames that say plainly which label they carry: a head must learn to copy them."""
    torch.manual_seed(1)
    head, rng = kind(4, width=4), np.random.default_rng(0)
    optimiser = torch.optim.Adam(head.parameters(), 2e-2)
    for _ in range(100):
        targets = torch.from_numpy(rng.integers(1, 4, (8, 3)))
        encoded = 3 * torch.nn.functional.one_hot(targets.repeat_interleave(2, 1), 4).float()
        encoded[:, 1::2] = 0
        n_frames, n_labels = torch.full((8,), 6), torch.full((8,), 3)
        loss = head.loss(encoded, n_frames, targets, n_labels).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 1.5  # 3.3 is chance


def test_attention_weights_are_shares_and_ignore_padding():
    torch.manual_seed(2)
    head = AttentionHead(5, width=6).eval()
    encoded = torch.randn(2, 7, 6)
    log_probs_, weights = head(encoded, torch.tensor([4, 7]), torch.tensor([[1, 2], [3, 4]]))
    assert weights.detach().sum(-1).numpy() == pytest.approx(1, abs=1e-6) and not weights[0, :, 4:].any()
    alone, _ = head(encoded[:1, :4], torch.tensor([4]), torch.tensor([[1, 2]]))
    assert alone[0].detach().numpy() == pytest.approx(log_probs_[0].detach().numpy(), abs=1e-5)
    labels, listened = head.write(encoded[0], longest=9)
    assert len(labels) <= 9 and listened.shape == (len(labels), 7)


def test_the_command_trains_and_writes(tmp_path, monkeypatch, few):
    from course.acoustic import shipping

    monkeypatch.setattr(shipping, "seen_split", lambda: (few, few))
    monkeypatch.setattr(shipping, "synthetic_voices", lambda: few)
    monkeypatch.setattr(shipping, "N_STRINGS", 2)
    monkeypatch.setattr(shipping, "HEAD_STEPS", {"transducer": 1, "attention": 1})
    result = CliRunner().invoke(train_command, ["digits", "--steps", "1", "-o", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0 and "step 1" in result.output
    assert {path.name for path in tmp_path.glob("*.safetensors")} == {
        "seen.safetensors",
        "seen-transducer.safetensors",
        "seen-attention.safetensors",
    }
    facts = json.loads((tmp_path / "seen.json").read_text())
    assert (
        facts["steps"] == 1
        and facts["recordings"] == facts["synthetic"] == 6
        and facts["recordings_sha256"] == fingerprint(few)
    )
    assert set(facts["scores"]) == {"greedy", "beam", "lexicon", "lexicon and bigram"}
