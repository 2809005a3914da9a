"""Hidden Markov models against every path there is, hmmlearn, and what EM promises."""

import itertools

import numpy as np
import pytest
from hmmlearn.hmm import GMMHMM
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from course.hmm import (
    Chain,
    Hmm,
    Mixtures,
    backward,
    baum_welch,
    first_guess,
    forward,
    log_sum_exp,
    occupancy,
    total,
    uniform_states,
    viterbi,
)

seeds = st.integers(0, 2**32 - 1)


def random_chain(rng, n_states, end=None):
    return Chain.of(rng.dirichlet(np.ones(n_states)), rng.dirichlet(np.ones(n_states), n_states), end)


def random_mixtures(rng, n_states, n_mixtures, n_features):
    shape = (n_states, n_mixtures, n_features)
    weights = np.log(rng.dirichlet(np.ones(n_mixtures), n_states))
    return Mixtures(weights, rng.standard_normal(shape), rng.uniform(0.3, 2, shape))


def every_path(chain, emissions):
    """All state sequences with the log probability of each together with the frames."""
    for states in itertools.product(range(chain.n_states), repeat=len(emissions)):
        score = chain.log_start[states[0]] + chain.log_end[states[-1]]
        score += sum(chain.log_transitions[pair] for pair in itertools.pairwise(states))
        yield states, score + sum(emissions[t, state] for t, state in enumerate(states))


lattices = pytest.mark.parametrize("topology", ["any", "left-right", "impossible emissions"])


def lattice(topology, rng):
    n_states, n_frames = rng.integers(1, 4), rng.integers(3, 6)
    emissions = 5 * rng.standard_normal((n_frames, n_states))
    if topology == "left-right":
        return Chain.left_right(n_states, 1.7), emissions
    if topology == "impossible emissions":
        emissions[rng.random(emissions.shape) < 0.2] = -np.inf
    return random_chain(rng, n_states), emissions


@lattices
@given(seed=seeds)
@settings(max_examples=30)
def test_sum_and_maximum_are_those_over_all_paths(topology, seed):
    chain, emissions = lattice(topology, np.random.default_rng(seed))
    paths = list(every_path(chain, emissions))
    scores = np.array([score for _, score in paths])
    assert total(chain, forward(chain, emissions)) == pytest.approx(log_sum_exp(scores))
    best, states = viterbi(chain, emissions)
    assert best == pytest.approx(scores.max())
    if np.isfinite(best):
        assert dict(paths)[tuple(states.tolist())] == pytest.approx(best)
    else:
        assert states.size == 0


@lattices
@given(seed=seeds)
@settings(max_examples=30)
def test_occupancy_is_that_of_all_paths(topology, seed):
    chain, emissions = lattice(topology, np.random.default_rng(seed))
    paths = list(every_path(chain, emissions))
    likelihood = log_sum_exp([score for _, score in paths])
    if not np.isfinite(likelihood):
        with pytest.raises(ValueError, match="none leads through"):
            occupancy(chain, emissions)
        return
    states, transitions = np.zeros(emissions.shape), np.zeros((chain.n_states, chain.n_states))
    for path, score in paths:
        share = np.exp(score - likelihood)
        states[np.arange(len(path)), path] += share
        for pair in itertools.pairwise(path):
            transitions[pair] += share
    got = occupancy(chain, emissions)
    assert got.states == pytest.approx(states, abs=1e-9)
    assert got.transitions == pytest.approx(transitions, abs=1e-9)
    assert got.log_likelihood == pytest.approx(likelihood)


@given(seeds)
@settings(max_examples=20)
def test_forward_and_backward_meet_at_every_frame(seed):
    rng = np.random.default_rng(seed)
    chain, emissions = random_chain(rng, 4, end=[0.5, 1, 0, 1]), rng.standard_normal((30, 4))
    alphas, betas = forward(chain, emissions), backward(chain, emissions)
    assert log_sum_exp(alphas + betas, axis=1) == pytest.approx(total(chain, alphas))


def test_a_long_word_neither_underflows_nor_loses_its_precision(rng):
    chain, emissions = random_chain(rng, 3), -500 + rng.standard_normal((2_000, 3))
    log_likelihood = total(chain, forward(chain, emissions))
    assert -1_010_000 < log_likelihood < -990_000
    assert total(chain, forward(chain, emissions + 500)) == pytest.approx(log_likelihood + 500 * 2_000)


def test_mixtures_are_sums_of_scipys_densities(rng):
    mixtures, frames = random_mixtures(rng, 2, 3, 4), rng.standard_normal((5, 4))
    for t, state in np.ndindex(5, 2):
        densities = norm.pdf(frames[t], mixtures.means[state], np.sqrt(mixtures.variances[state])).prod(axis=1)
        expected = np.log(np.exp(mixtures.log_weights[state]) @ densities)
        assert mixtures.log_likelihoods(frames)[t, state] == pytest.approx(expected)
    assert mixtures.n_parameters == 2 * (2 * 3 * 4 + 2)


def in_hmmlearn(hmm):
    """The same model as hmmlearn's."""
    n_states, n_mixtures, n_features = hmm.mixtures.means.shape
    twin = GMMHMM(n_states, n_mixtures, covariance_type="diag", init_params="", n_iter=1, tol=-np.inf, min_covar=0)
    twin.n_features = n_features
    twin.startprob_, twin.transmat_ = np.exp(hmm.chain.log_start), np.exp(hmm.chain.log_transitions)
    twin.weights_, twin.means_ = np.exp(hmm.mixtures.log_weights), hmm.mixtures.means.copy()
    twin.covars_ = hmm.mixtures.variances.copy()
    return twin


@pytest.fixture
def model(rng):
    return Hmm(random_chain(rng, 3), random_mixtures(rng, 3, 2, 4))


def test_likelihoods_paths_and_occupancies_are_hmmlearns(model, rng):
    twin = in_hmmlearn(model)
    for n_frames in (1, 2, 40):
        frames = rng.standard_normal((n_frames, 4))
        log_likelihood, states = twin.score_samples(frames)
        assert model.log_likelihood(frames) == pytest.approx(log_likelihood)
        assert model.occupancy(frames).states == pytest.approx(states, abs=1e-8)
        score, path = twin.decode(frames, algorithm="viterbi")
        best, ours = model.best_path(frames)
        assert best == pytest.approx(score) and ours.tolist() == path.tolist()


def test_a_round_of_training_is_hmmlearns(model, rng):
    sequences = [rng.standard_normal((n, 4)) for n in (20, 5, 33)]
    twin = in_hmmlearn(model)
    # hmmlearn's priors are conjugate; these make them flat, so that it maximises the likelihood alone.
    twin.covars_prior, twin.covars_weight = np.full((3, 2, 4), -1.5), np.zeros((3, 2, 4))
    twin.means_weight, twin.weights_prior = np.zeros((3, 2)), np.ones((3, 2))
    twin.fit(np.vstack(sequences), [20, 5, 33])
    trained = baum_welch(model, sequences, 1, variance_floor=1e-12)
    assert trained.log_likelihoods[0] == pytest.approx(twin.monitor_.history[0])
    assert np.exp(trained.hmm.chain.log_start) == pytest.approx(twin.startprob_)
    assert np.exp(trained.hmm.chain.log_transitions) == pytest.approx(twin.transmat_)
    assert np.exp(trained.hmm.mixtures.log_weights) == pytest.approx(twin.weights_)
    assert trained.hmm.mixtures.means == pytest.approx(twin.means_)
    # hmmlearn takes its variances around the means of the round before, which adds the square of their move.
    moved = (trained.hmm.mixtures.means - model.mixtures.means) ** 2
    assert trained.hmm.mixtures.variances + moved == pytest.approx(twin.covars_)


@given(seeds, st.integers(1, 4), st.integers(1, 3), st.sampled_from([1e-3, 0.05, 1.0]))
@settings(max_examples=40)
def test_training_never_lowers_the_likelihood(seed, n_states, n_mixtures, floor):
    rng = np.random.default_rng(seed)
    sequences = [rng.standard_normal((rng.integers(12, 25), 2)).cumsum(axis=0) for _ in range(3)]
    training = baum_welch(first_guess(sequences, n_states, n_mixtures, floor, seed), sequences, 8, floor)
    slack = 1e-9 * np.abs(training.log_likelihoods[0])
    assert (np.diff(training.log_likelihoods) >= -slack).all()
    assert training.log_likelihoods[-1] == pytest.approx(sum(map(training.hmm.log_likelihood, sequences)))
    assert (training.hmm.mixtures.variances >= floor).all()


def test_training_finds_the_stages_of_a_made_up_word(rng):
    chain, means = Chain.left_right(3, 6.0), np.array([-3.0, 0.0, 3.0])
    sequences, truth = [], []
    for _ in range(40):
        states = np.repeat([0, 1, 2], 1 + rng.geometric(1 / 6, 3))
        truth.append(states)
        sequences.append((means[states] + 0.5 * rng.standard_normal(len(states)))[:, None])
    trained = baum_welch(first_guess(sequences, 3, 1), sequences, 10).hmm
    assert trained.mixtures.means.ravel() == pytest.approx(means, abs=0.1)
    paths = [trained.best_path(sequence)[1] for sequence in sequences]
    assert np.mean(np.concatenate(paths) == np.concatenate(truth)) > 0.98
    assert (trained.chain.log_transitions > -np.inf).tolist() == (chain.log_transitions > -np.inf).tolist()


def test_frames_are_dealt_out_evenly():
    assert uniform_states(7, 3).tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert uniform_states(3, 3).tolist() == [0, 1, 2]


def test_too_few_frames_have_no_path_through_a_left_right_chain(rng):
    hmm = Hmm(Chain.left_right(4, 3.0), random_mixtures(rng, 4, 1, 2))
    assert hmm.log_likelihood(np.zeros((3, 2))) == -np.inf
    assert hmm.best_path(np.zeros((3, 2)))[1].size == 0
    assert hmm.best_path(np.zeros((4, 2)))[1].tolist() == [0, 1, 2, 3]
    assert hmm.n_parameters == 4 * 4 + 3


def test_log_sum_exp_is_numpys_and_knows_nothing_of_nothing():
    assert log_sum_exp([-1000.0, -1000.0]) == pytest.approx(-1000 + np.log(2))
    assert log_sum_exp([1.0, 2.0]) == pytest.approx(np.logaddexp(1, 2))
    assert log_sum_exp([-np.inf, -np.inf]) == -np.inf
    assert log_sum_exp(np.zeros((2, 3)), axis=1) == pytest.approx(np.log([3, 3]))


def test_a_component_that_explains_nothing_stays_as_it_was():
    far = Mixtures(np.log([[0.5, 0.5]]), np.array([[[0.0], [1e6]]]), np.ones((1, 2, 1)))
    trained = baum_welch(Hmm(Chain.of([1], [[1]]), far), [np.linspace(-1, 1, 9)[:, None]], 1).hmm
    assert trained.mixtures.means[0, 1] == 1e6 and np.exp(trained.mixtures.log_weights[0]).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Chain.of([0.5, 0.4], np.eye(2)), "sum to 1"),
        (lambda: Chain.of([1.0], np.eye(2)), r"\(2, 2\)"),
        (lambda: Chain.left_right(0, 3), "0 states"),
        (lambda: Chain.left_right(3, 1), "more than 1 frame"),
        (lambda: forward(Chain.left_right(2, 3), np.zeros((0, 2))), r"\(0, 2\) came"),
        (lambda: viterbi(Chain.left_right(2, 3), np.zeros((4, 3))), r"\(4, 3\) came"),
        (lambda: backward(Chain.left_right(2, 3), np.full((4, 2), np.nan)), "8 of the log likelihoods are NaN"),
        (lambda: occupancy(Chain.left_right(3, 3), np.zeros((2, 3))), "longer recording or use fewer states"),
        (lambda: Mixtures(np.zeros((1, 1)), np.zeros((1, 1, 2)), np.zeros((1, 1, 2))), "smallest is 0.0"),
        (lambda: Mixtures(np.zeros((1, 2)), np.zeros((1, 1, 2)), np.ones((1, 1, 2))), r"\(1, 2\) came"),
        (lambda: first_guess([], 2, 1), "none came"),
        (lambda: first_guess([np.zeros((2, 1))], 3, 1), "one of 2 came"),
        (lambda: first_guess([np.zeros((6, 1))], 3, 4), "2 came. Give more recordings"),
        (lambda: first_guess([np.zeros((6, 1)), np.zeros((6, 2))], 3, 1), "equally many features"),
        (lambda: first_guess([np.full((6, 1), np.nan)], 3, 1), "NaN"),
    ],
)
def test_mistakes_get_a_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_model_needs_as_many_mixtures_as_states_and_frames_as_many_features(rng):
    mixtures = random_mixtures(rng, 2, 1, 3)
    with pytest.raises(ValueError, match="3 states and 2 mixtures"):
        Hmm(Chain.left_right(3, 2.0), mixtures)
    with pytest.raises(ValueError, match="Frames of 3 features were expected and 4 came"):
        mixtures.log_likelihoods(np.zeros((5, 4)))


def test_k_means_survives_frames_that_are_all_alike():
    hmm = first_guess([np.ones((12, 2))], 2, 3)
    assert (hmm.mixtures.means == 1).all() and np.isfinite(hmm.log_likelihood(np.ones((12, 2))))
