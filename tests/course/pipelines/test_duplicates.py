"""Duplicates: against brute force, and independent of the order."""

import random
from itertools import combinations

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.pipelines.duplicates import (
    PRIME,
    Banding,
    all_similar_pairs,
    connected,
    estimated_similarity,
    exact_key,
    jaccard,
    keep_one,
    minhash,
    preference,
    shingles,
    similar_pairs,
    without_duplicates,
)
from course.pipelines.made_up import copied, made_up_records, retyped

SETS = st.sets(st.integers(0, 2**32 - 1), min_size=1, max_size=30)


def as_array(values) -> np.ndarray:
    return np.array(sorted(values), dtype=np.uint64)


def test_the_hash_of_words_passes_over_case_punctuation_and_spaces():
    assert exact_key("Hello, my card!") == exact_key("hello  my card") != exact_key("hello my cards")


def test_shingles_are_the_runs_of_words():
    assert shingles("a b c d", 3).size == 2 and shingles("a b a b a b", 2).size == 2
    assert shingles("one two", 3).size == 1 and shingles("", 3).size == 0
    assert shingles("A, b c", 3).tolist() == shingles("a b c", 3).tolist()
    with pytest.raises(ValueError, match="at least one word"):
        shingles("a", 0)


@given(SETS, SETS)
def test_similarity_is_that_of_the_sets(a, b):
    assert jaccard(as_array(a), as_array(b)) == pytest.approx(len(a & b) / len(a | b))


def test_similarity_of_nothing():
    nothing, something = as_array([]), as_array([1])
    assert jaccard(nothing, nothing) == 1 and jaccard(nothing, something) == 0


def test_the_modulus_is_the_first_prime_above_32_bits_and_products_fit():
    assert all(PRIME % divisor for divisor in range(2, 2**16 + 1))
    assert all(any(n % d == 0 for d in range(2, 2**16 + 1)) for n in range(2**32, PRIME))
    assert (2**32 - 1) * (2**32 - 1) + 2**32 - 1 < 2**64


@given(SETS)
def test_signatures_are_minima_of_permutations_computed_with_whole_numbers(values):
    from course.pipelines.duplicates import SEED, _coefficients

    a, b = _coefficients(5, SEED)
    expected = [min((int(i) * x + int(j)) % PRIME for x in values) for i, j in zip(a, b, strict=True)]
    assert minhash(as_array(values), 5).tolist() == expected
    assert minhash(as_array(values), 3).tolist() == expected[:3]


def test_signatures_agree_as_often_as_the_sets_are_similar(rng):
    n = 4096
    for similarity in (0.0, 0.2, 0.5, 0.9):
        both = round(200 * similarity)
        values = rng.choice(2**32, size=400 - both, replace=False)
        a, b = as_array(values[:200]), as_array(values[200 - both :])
        truth = jaccard(a, b)
        error = np.sqrt(max(truth * (1 - truth), 1e-9) / n)
        assert abs(estimated_similarity(minhash(a, n), minhash(b, n)) - truth) < 4 * error + 1e-12


def test_signature_of_nothing_or_of_too_large_members_is_refused():
    for bad in (as_array([]), as_array([2**32])):
        with pytest.raises(ValueError, match="At least one shingle"):
            minhash(bad, 4)


def test_the_curve_of_the_bands_is_what_simulated_signatures_do(rng):
    banding, trials = Banding(8, 3), 4000
    for similarity in (0.2, 0.5, 0.8):
        agree = rng.random((trials, banding.n_bands, banding.n_rows)) < similarity
        met = agree.all(axis=2).any(axis=1).mean()
        expected = float(banding.probability(similarity))
        assert abs(met - expected) < 4 * np.sqrt(expected * (1 - expected) / trials) + 1e-3
    assert banding.probability(0) == 0 and banding.probability(1) == 1
    assert np.all(np.diff(banding.probability(np.linspace(0, 1, 50))) >= 0)
    assert banding.threshold == pytest.approx((1 / 8) ** (1 / 3))


@pytest.mark.parametrize("bands, rows", [(0, 4), (4, 0), (-1, 1)])
def test_a_banding_has_bands_and_rows(bands, rows):
    with pytest.raises(ValueError, match="At least one band"):
        Banding(bands, rows)


def test_pairs_are_those_of_brute_force():
    records = made_up_records(60)
    texts = records + tuple(retyped(record, 3) for record in records[:20])
    shingled = {record.id: shingles(record.text) for record in texts}
    brute = {
        tuple(sorted((a, b)))
        for (a, x), (b, y) in combinations(shingled.items(), 2)
        if len(set(x.tolist()) & set(y.tolist())) / len(set(x.tolist()) | set(y.tolist())) >= 0.7
    }
    assert len(brute) >= 20
    assert similar_pairs(shingled, 0.7) == brute == all_similar_pairs(shingled, 0.7)


def test_texts_without_words_resemble_nothing():
    assert Banding().keys(shingles("")) == [] and similar_pairs({"a": shingles(""), "b": shingles("")}, 0.5) == set()


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=25), st.randoms())
def test_connected_parts_are_those_of_networkx_in_any_order(pairs, order):
    graph = networkx.Graph(pairs)
    expected = {node: min(part) for part in networkx.connected_components(graph) for node in part}
    shuffled = [pair[::-1] if order.random() < 0.5 else pair for pair in order.sample(pairs, len(pairs))]
    assert connected(pairs) == expected == connected(shuffled)


def test_the_record_that_stays_does_not_depend_on_the_order(dialog):
    records = [
        dialog("one two", name="b"),
        dialog("one two", name="a"),
        dialog("one two three", name="z"),
        dialog("one two four", name="y"),
    ]
    for seed in range(10):
        kept, dropped = keep_one(random.Random(seed).sample(records, 4), "duplicates", "near")
        assert kept.id == "y" and sorted(one.id for one in dropped) == ["a", "b", "z"]
        assert {(one.stage, one.reason) for one in dropped} == {("duplicates", "near")}
    with pytest.raises(ValueError):
        keep_one([], "duplicates", "near")


def test_records_of_one_id_are_ordered_by_all_that_they_hold(dialog):
    one, other = dialog("a b"), dialog("a c")
    assert preference(one) != preference(other) and keep_one([one, other], "", "") == keep_one([other, one], "", "")


def test_planted_duplicates_go_and_nothing_else():
    records = list(made_up_records(80))
    planted = [copied(record, "copy") for record in records[:10]] + [retyped(record, 1) for record in records[10:20]]
    kept, dropped = without_duplicates(records + planted + records[20:25], threshold=0.7)
    reasons = [one.reason for one in dropped]
    assert [reasons.count(name) for name in ("exact", "near", "same id")] == [10, 10, 5]
    assert len(kept) == 80 and {record.id.removesuffix("-retyped") for record in kept} == {r.id for r in records}


def test_what_is_kept_does_not_depend_on_the_order():
    records = list(made_up_records(50))
    records += [retyped(record, 1) for record in records[:20]]
    expected = without_duplicates(records, 0.5)
    for seed in range(3):
        kept, dropped = without_duplicates(random.Random(seed).sample(records, len(records)), 0.5)
        assert {record.line for record in kept} == {record.line for record in expected[0]}
        assert sorted(dropped) == sorted(expected[1])
    again, none = without_duplicates(expected[0], 0.5)
    assert none == [] and len(again) == len(expected[0])
