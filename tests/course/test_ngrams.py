"""N-gram models against counts by hand, probabilities that sum to one, and PocketSphinx's own reader of ARPA files."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course import ngrams
from course.ngrams import END, START, UNKNOWN

PROMPTS = ["press one", "press two", "press two now", "to end press one"]
ESTIMATES = {
    "add one": ngrams.add_k,
    "add a tenth": lambda sentences, order: ngrams.add_k(sentences, order, 0.1),
    "Witten-Bell": ngrams.witten_bell,
    "Kneser-Ney": ngrams.kneser_ney,
}
sentences = st.lists(st.lists(st.sampled_from("abcd"), max_size=6).map(" ".join), min_size=1, max_size=8)


@pytest.fixture(params=ESTIMATES)
def estimate(request):
    return ESTIMATES[request.param]


def mass(model, history):
    return sum(math.exp(model.log_prob(word, history)) for word in model.vocabulary)


# ---------------------------------------------------------------------------------------------------------- counts


def test_counts_are_those_by_hand():
    unigrams, bigrams = ngrams.count_ngrams(["press one", "press"], 2)
    assert unigrams == {("press",): 2, ("one",): 1, (END,): 2}
    assert bigrams == {
        (START, "press"): 2,
        ("press", "one"): 1,
        ("one", END): 1,
        ("press", END): 1,
    }


@given(sentences, st.integers(1, 4))
def test_counts_are_those_of_a_slow_search(texts, order):
    lines = [[START, *text.split(), END] for text in texts]
    for k, counter in enumerate(ngrams.count_ngrams(texts, order), start=1):
        windows = [tuple(line[i:j]) for line in lines for i in range(len(line)) for j in range(i + 1, len(line) + 1)]
        windows = [w for w in windows if len(w) == k and w != (START,)]
        assert counter == {w: windows.count(w) for w in windows}


def test_an_empty_sentence_is_a_start_and_an_end():
    assert ngrams.count_ngrams([""], 2) == [{(END,): 1}, {(START, END): 1}]


@pytest.mark.parametrize("order", [0, -1, 1.5, "2"])
def test_an_order_that_is_none_is_refused(order, estimate):
    with pytest.raises(ValueError, match="order of 1"):
        estimate(PROMPTS, order)


def test_an_empty_corpus_is_refused(estimate):
    with pytest.raises(ValueError, match="none came"):
        estimate([], 2)
    with pytest.raises(ValueError, match="no sentences"):
        ngrams.perplexity(estimate(PROMPTS, 2), [])


def test_marks_of_the_ends_are_refused_inside_a_sentence():
    with pytest.raises(ValueError, match="</s>"):
        ngrams.count_ngrams(["press </s> one"], 2)


def test_a_negative_k_is_refused():
    with pytest.raises(ValueError, match="-1 came"):
        ngrams.add_k(PROMPTS, 2, -1)


# --------------------------------------------------------------------------------------------------- probabilities


@given(sentences, st.integers(1, 4), st.sampled_from(sorted(ESTIMATES)), st.lists(st.sampled_from("abcdx"), max_size=4))
def test_probabilities_sum_to_one_after_any_history(texts, order, name, history):
    model = ESTIMATES[name](texts, order)
    assert {END, UNKNOWN} <= set(model.vocabulary) and START not in model.vocabulary
    for before in (history, [START, *history], [START], []):
        assert mass(model, before) == pytest.approx(1)


def test_shares_of_the_counts():
    model = ngrams.maximum_likelihood(PROMPTS, 2)
    assert math.exp(model.log_prob("press", [START])) == pytest.approx(3 / 4)
    assert math.exp(model.log_prob("two", ["press"])) == pytest.approx(2 / 4)
    assert model.log_prob("now", ["press"]) == -math.inf
    assert ngrams.perplexity(model, ["press now"]) == math.inf


def test_adding_k_is_the_formula():
    model = ngrams.add_k(PROMPTS, 2, 0.5)
    size = len({word for text in PROMPTS for word in text.split()}) + 2
    assert math.exp(model.log_prob("two", ["press"])) == pytest.approx((2 + 0.5) / (4 + 0.5 * size))
    assert math.exp(model.log_prob("now", ["press"])) == pytest.approx(0.5 / (4 + 0.5 * size))
    assert math.exp(model.log_prob("now", ["never-seen"])) == pytest.approx(1 / size)


def test_witten_bell_is_the_formula():
    model = ngrams.witten_bell(PROMPTS, 2)
    words = [word for text in PROMPTS for word in [*text.split(), END]]
    kinds, vocabulary = len(set(words)), len(set(words)) + 1

    def unigram(word):
        return (words.count(word) + kinds / vocabulary) / (len(words) + kinds)

    for word, count in (("two", 2), ("one", 2), ("now", 0), ("unheard-of", 0)):
        expected = (count + 2 * unigram(word)) / (4 + 2)  # press: 4 times, followed by 2 different words
        assert math.exp(model.log_prob(word, ["press"])) == pytest.approx(expected)


def test_kneser_ney_is_the_formula():
    model = ngrams.kneser_ney(PROMPTS, 2)
    bigrams = ngrams.count_ngrams(PROMPTS, 2)[1]
    once, twice = (sum(c == n for c in bigrams.values()) for n in (1, 2))
    discount = once / (once + 2 * twice)
    before = {w: len({a for a, b in bigrams if b == w}) for _, w in bigrams}
    ones, twos = (sum(c == n for c in before.values()) for n in (1, 2))
    lower = ones / (ones + 2 * twos)

    def continuation(word):
        rest = lower * len(before) / sum(before.values()) / (len(before) + 1)
        return max(before.get(word, 0) - lower, 0) / sum(before.values()) + rest

    for word in ("two", "one", "now", "unheard-of"):
        kept = max(bigrams["press", word] - discount, 0) / 4
        assert math.exp(model.log_prob(word, ["press"])) == pytest.approx(kept + discount * 2 / 4 * continuation(word))


def test_kneser_ney_knows_that_francisco_follows_one_word_only():
    texts = ["in san francisco"] * 5 + ["a b", "c b", "d b", "e b"]
    plain, clever = ngrams.witten_bell(texts, 2), ngrams.kneser_ney(texts, 2)
    unseen = ["unheard-of"]
    assert plain.log_prob("francisco", unseen) > plain.log_prob("b", unseen)
    assert clever.log_prob("francisco", unseen) < clever.log_prob("b", unseen)


def test_words_never_heard_of_are_the_unknown_word(estimate):
    model = estimate(PROMPTS, 3)
    assert model.log_prob("xyzzy", ["press"]) == model.log_prob(UNKNOWN, ["press"])
    assert model.log_prob("one", ["xyzzy"]) == model.log_prob("one", [UNKNOWN])
    assert ngrams.out_of_vocabulary(model, ["press xyzzy", ""]) == 0.5
    assert ngrams.out_of_vocabulary(model, [""]) == 0


def test_words_can_be_added_to_the_vocabulary(estimate):
    model = estimate(PROMPTS, 2)
    assert "three" not in model.vocabulary
    larger = ngrams.witten_bell(PROMPTS, 2, ["three", START])
    assert "three" in larger.vocabulary and mass(larger, ["press"]) == pytest.approx(1)


# ------------------------------------------------------------------------------------------- perplexity, sentences


def test_perplexity_by_hand():
    model = ngrams.maximum_likelihood(["a b", "a c"], 2)
    # <s> a: 1, a b: 1/2, b </s>: 1
    assert ngrams.perplexity(model, ["a b"]) == pytest.approx(2 ** (1 / 3))
    assert ngrams.perplexity(ngrams.add_k(["a"], 1, 1), ["a"]) == pytest.approx((2 / 5 * 2 / 5) ** -0.5)


def test_a_uniform_model_is_as_perplexed_as_it_has_words():
    model = ngrams.add_k(["a b c d"], 1, 1e9)
    assert ngrams.perplexity(model, ["d c b", "", "zzz"]) == pytest.approx(len(model.vocabulary), rel=1e-6)


def test_a_longer_history_never_hurts_on_the_training_text():
    by_order = [ngrams.perplexity(ngrams.maximum_likelihood(PROMPTS, n), PROMPTS) for n in (1, 2, 3, 4)]
    assert by_order == sorted(by_order, reverse=True)


def test_random_sentences_are_as_frequent_as_the_model_says(rng):
    model = ngrams.maximum_likelihood(["a b", "a b", "a b", "c"], 2)
    drawn = [ngrams.random_sentence(model, rng) for _ in range(800)]
    assert set(drawn) == {"a b", "c"} and drawn.count("a b") / 800 == pytest.approx(0.75, abs=0.05)
    endless = ngrams.add_k(["a " * 50], 1, 0)
    assert all(len(ngrams.random_sentence(endless, rng, longest=5).split()) <= 5 for _ in range(50))


# ------------------------------------------------------------------------------------------------------------ ARPA


@pytest.mark.parametrize("order", [1, 2, 3])
def test_an_arpa_file_comes_back_as_it_was(order, estimate, tmp_path, rng):
    model = estimate(PROMPTS, order)
    ngrams.write_arpa(model, tmp_path / "model.arpa")
    again = ngrams.read_arpa(tmp_path / "model.arpa")
    assert again.order == order and again.vocabulary == model.vocabulary
    words = [*model.vocabulary, "unheard-of"]
    for _ in range(100):
        word, *history = rng.choice(words, 4)
        assert again.log_prob(word, history) == pytest.approx(model.log_prob(word, history), abs=1e-4)


@pytest.mark.parametrize("order", [2, 3])
def test_pocketsphinx_reads_the_same_probabilities(order, estimate, tmp_path):
    """Its own logarithms are whole numbers to the base 1.0001, so that each is off by up to 1e-4 of a natural one."""
    pocketsphinx = pytest.importorskip("pocketsphinx")
    model = estimate(PROMPTS, order)
    ngrams.write_arpa(model, tmp_path / "model.arpa")
    config = pocketsphinx.Config(loglevel="FATAL", lw=1.0, wip=1.0)
    logmath = pocketsphinx.LogMath(1.0001, 0, False)
    theirs = pocketsphinx.NGramModel(config, logmath, str(tmp_path / "model.arpa"))
    for text in (*PROMPTS, "two press", "now one"):
        words = [START, *text.split(), END]
        for end in range(2, len(words) + 1):
            history = words[max(0, end - order) : end - 1]
            expected = model.log_prob(words[end - 1], history)
            found = logmath.log_to_ln(theirs.prob([words[end - 1], *history[::-1]]))  # the word, then backwards
            assert found == pytest.approx(expected, abs=2e-3), words[:end]


def test_every_probability_is_followed_by_a_tab(tmp_path):
    ngrams.write_arpa(ngrams.witten_bell(PROMPTS, 2), tmp_path / "model.arpa")
    lines = (tmp_path / "model.arpa").read_text(encoding="utf-8").splitlines()
    entries = [line for line in lines if line[:1] == "-"]
    assert entries and all("\t" in line and line.split("\t")[0].count(" ") == 0 for line in entries)
    assert f"-99.000000\t{START}\t" in "\n".join(entries)


GOOD = "\\data\\\nngram 1=2\n\n\\1-grams:\n-0.3\t</s>\n-0.3\t<unk>\n\n\\end\\\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("\\end\\\n", ""), "cut short"),
        (GOOD.replace("ngram 1=2", "ngram 1=3"), "promises"),
        (GOOD.replace("-0.3\t<unk>", "half\t<unk>"), "line 6.*numbers"),
        (GOOD.replace("-0.3\t<unk>", "-0.3\ta b c d"), "line 6.*1 words"),
        ("", "last line"),
        ("\\end\\\n", "promises"),
    ],
)
def test_a_malformed_arpa_file_is_refused_with_its_line(text, words, tmp_path):
    path = tmp_path / "bad.arpa"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        ngrams.read_arpa(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "noise").write_bytes(np.arange(128, 256, dtype=np.uint8).tobytes())
    for path in (tmp_path / "none", tmp_path, tmp_path / "noise"):
        with pytest.raises(ValueError, match="cannot be read"):
            ngrams.read_arpa(path)
