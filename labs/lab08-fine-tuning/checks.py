"""Hidden checks of Lab 8. They run outside of the student's process, on inputs drawn for each submission.

What an answer has to be comes from the change written out as a full matrix, from finite differences of the loss, from
SHA-256 in hexadecimal, from texts in which leaks were planted, from confusion matrices, and, for intervals, from an
independent bootstrap and from simulated evaluations of which the true difference is known.
"""

import hashlib
import itertools
import math

import numpy as np

from course.lab.checking import check, covers, expect, latitude, oracle

N_DRAWS = 2000
SLOW = 30.0  # seconds for a call that may ask a stand-in in every step
KINDS = ("copy", "near", "caller", "family")
COLUMNS = ("system", "accuracy", "macro_f1", "difference", "low", "high", "verdict")


def _layer(rng, n_out=4, n_in=6, rank=3, alpha=None, merged=False, dtype=float):
    return {
        "weight": rng.standard_normal((n_out, n_in)).astype(dtype),
        "down": rng.standard_normal((rank, n_in)),
        "up": rng.standard_normal((n_out, rank)),
        "alpha": float(rng.uniform(0.5, 20)) if alpha is None else alpha,
        "merged": merged,
    }


def _change(layer):
    """The change as a matrix, one rank after the other."""
    down, up = np.asarray(layer["down"]), np.asarray(layer["up"])
    change = np.zeros((len(up), down.shape[1]))
    for k in range(len(down)):
        change += np.multiply.outer(up[:, k], down[k])
    return layer["alpha"] * change / len(down)


def _require_fit(layer):
    n_out, n_in = np.shape(layer["weight"])
    rank = np.shape(layer["down"])[0]
    if rank < 1 or np.shape(layer["down"]) != (rank, n_in) or np.shape(layer["up"]) != (n_out, rank):
        raise ValueError("weight, down and up do not belong to one layer.")


# Task 1: lora_forward


@oracle("lora_forward")
def lora_forward(inputs, layer):
    """By the sum of weights and change, row by row."""
    _require_fit(layer)
    inputs = np.asarray(inputs)
    if inputs.ndim < 1 or inputs.shape[-1] != layer["weight"].shape[1]:
        raise ValueError(f"Inputs {inputs.shape} do not fit the layer.")
    together = np.asarray(layer["weight"], dtype=float)
    if not layer["merged"]:
        together = together + _change(layer)
    return np.einsum("...i,oi->...o", inputs, together)


@covers("lora_forward")
def are_inputs_and_a_layer(inputs, layer):
    """Floating point numbers in an array."""
    return isinstance(inputs, np.ndarray) and inputs.dtype.kind == "f" and bool(np.all(np.abs(inputs) < 1e6))


@check("lora_forward", hint="Write the change out as a matrix, alpha / r times B A, and compare, for several sizes.")
def adds_the_change(student, rng):
    for n_out, n_in, rank in ((1, 1, 1), (4, 6, 3), (6, 4, 4), (5, 5, 2), (3, 8, 7)):
        layer, inputs = _layer(rng, n_out, n_in, rank), rng.standard_normal((7, n_in))
        got = expect.array(student(inputs, layer), (7, n_out))
        expect.close(got, lora_forward(inputs, layer), atol=1e-9, rtol=1e-9)


@check("lora_forward", hint="One input, no inputs, a batch of batches: only the last axis is the layer's business.")
def takes_batches_of_any_shape(student, rng):
    layer = _layer(rng)
    for shape in ((6,), (1, 6), (0, 6), (2, 3, 6), (4, 0, 6), (2, 1, 3, 2, 6)):
        inputs = rng.standard_normal(shape)
        got = student(inputs, layer)
        expect.shape(got, (*shape[:-1], 4))
        expect.close(got, lora_forward(inputs, layer), atol=1e-9)


@check("lora_forward", hint="A change whose B is 0 is no change at all: the answer is the frozen layer's.")
def changes_nothing_while_b_is_zero(student, rng):
    for rank in (1, 4):
        layer, inputs = _layer(rng, rank=rank), rng.standard_normal((5, 6))
        layer["up"] = np.zeros((4, rank))
        expect.close(student(inputs, layer), inputs @ layer["weight"].T, atol=1e-12)


@check(
    "lora_forward",
    hint="Put a change into a layer of twice the rank: at twice the alpha it does the same, at the same alpha half.",
)
def scales_by_alpha_over_rank(student, rng):
    layer, inputs = _layer(rng, alpha=6.0), rng.standard_normal((5, 6))
    wide = {**layer, "down": np.vstack([layer["down"], layer["down"]]), "up": np.hstack([layer["up"], 0 * layer["up"]])}
    frozen = inputs @ layer["weight"].T
    want = expect.array(student(inputs, layer), (5, 4)) - frozen
    expect.close(want, inputs @ layer["down"].T @ layer["up"].T * 2.0, atol=1e-9)
    expect.close(student(inputs, {**wide, "alpha": 12.0}), frozen + want, atol=1e-9)
    expect.close(student(inputs, wide), frozen + want / 2, atol=1e-9)


@check("lora_forward", hint="A merged layer has the change in its weights: what may not be added a second time?")
def counts_a_merged_change_once(student, rng):
    for rank in (1, 3):
        layer, inputs = _layer(rng, rank=rank, merged=True), rng.standard_normal((2, 5, 6))
        expect.close(student(inputs, layer), inputs @ layer["weight"].T, atol=1e-12)


@check(
    "lora_forward", hint="Shapes of W, A, B or the inputs that do not belong together: ValueError, also where merged."
)
def refuses_what_does_not_fit(student, rng):
    layer, inputs = _layer(rng), rng.standard_normal((5, 6))
    for name, wrong in (("up", (4, 2)), ("up", (1, 3)), ("down", (3, 5)), ("down", (3, 1)), ("weight", (1, 6))):
        for merged in (False, True):
            broken = {**layer, name: np.ones(wrong), "merged": merged}
            expect.raises(student, ValueError, inputs, broken)
    expect.raises(student, ValueError, inputs[:, :5], layer)
    nothing = {**layer, "down": np.zeros((0, 6)), "up": np.zeros((4, 0))}
    expect.raises(student, ValueError, inputs, nothing)


# Task 2: set_merged


@oracle("set_merged")
def set_merged(layer, merged):
    """By outer products, in 64 bits."""
    _require_fit(layer)
    steps = int(merged) - int(layer["merged"])
    weight = np.asarray(layer["weight"], dtype=float) + steps * _change(layer)
    return {**layer, "weight": weight.astype(layer["weight"].dtype), "merged": bool(merged)}


def _switched(given, layer, merged, atol):
    """The returned layer, with its form and what must not change checked."""
    expect.true(isinstance(given, dict) and set(given) == set(layer), "Return a dict with the keys of the given layer.")
    expect.equal(given["merged"], merged, hint="The layer has to say by `merged` how it is now: True or False.")
    for name in ("down", "up", "alpha"):
        expect.equal(given[name], layer[name], hint="A, B and alpha stay, or nobody can switch back.")
    expect.shape(given["weight"], layer["weight"].shape)
    expect.dtype(
        given["weight"], layer["weight"].dtype.name, hint="The weight keeps its dtype, also when A and B are wider."
    )
    expect.close(given["weight"], set_merged(layer, merged)["weight"], atol=atol)
    return given


@check(
    "set_merged", hint="The merged weights, used alone, answer as weights and change did: any rank, alpha and batch."
)
def answers_as_before(student, rng):
    for n_out, n_in, rank in ((1, 1, 1), (4, 6, 3), (5, 5, 4), (6, 2, 1), (2, 9, 8)):
        layer = _layer(rng, n_out, n_in, rank)
        given = _switched(student(layer, True), layer, True, 1e-10)
        for shape in ((n_in,), (3, n_in), (2, 0, n_in)):
            inputs = rng.standard_normal(shape)
            expect.close(inputs @ given["weight"].T, lora_forward(inputs, layer), atol=1e-9)


@check("set_merged", hint="In and out again: the weights are those from before, and the layer answers as before.")
def takes_the_change_out_again(student, rng):
    for rank in (1, 3, 6):
        layer = _layer(rng, rank=rank)
        once = _switched(student(layer, True), layer, True, 1e-10)
        back = _switched(student(once, False), once, False, 1e-10)
        expect.close(back["weight"], layer["weight"], atol=1e-10)
        inputs = rng.standard_normal((3, 6))
        expect.close(lora_forward(inputs, back), lora_forward(inputs, once), atol=1e-9)


@check("set_merged", hint="Ask for what already holds, twice in a row: the weights may not move at all.")
def does_nothing_twice(student, rng):
    for merged in (False, True):
        layer = _layer(rng, merged=merged)
        given = _switched(student(layer, merged), layer, merged, 0)
        _switched(student(given, merged), layer, merged, 0)
    layer = _layer(rng)
    once = _switched(student(layer, True), layer, True, 1e-10)
    _switched(student(once, True), once, True, 0)


@check(
    "set_merged", hint="A layer of 32-bit weights with A and B in 64 bits: what comes back has the weights' own dtype."
)
def keeps_the_dtype_of_the_weights(student, rng):
    for merged in (False, True):
        layer = _layer(rng, 8, 10, 2, merged=merged, dtype=np.float32)
        given = _switched(student(layer, not merged), layer, not merged, 1e-5)
        _switched(student(given, merged), given, merged, 1e-5)


@check(
    "set_merged", hint="While B is 0 there is nothing to merge: the weights stay equal, and still the layer is merged."
)
def merges_no_change(student, rng):
    layer = _layer(rng, dtype=np.float32)
    layer["up"] = np.zeros((4, 3))
    given = _switched(student(layer, True), layer, True, 0)
    _switched(student(given, False), layer, False, 0)


@check("set_merged", hint="A and B that do not belong to these weights: ValueError, before anything else.")
def refuses_changes_of_other_layers(student, rng):
    layer = _layer(rng)
    for name, wrong in (("up", (4, 2)), ("up", (1, 3)), ("down", (3, 5)), ("down", (3, 1)), ("weight", (1, 6))):
        for now, then in itertools.product((False, True), repeat=2):
            expect.raises(student, ValueError, {**layer, name: np.ones(wrong), "merged": now}, then)


# Task 3: fine_tune


def _mean_loss(layer, inputs, labels):
    scores = lora_forward(inputs, layer)
    return float(np.mean(np.logaddexp.reduce(scores, axis=1) - scores[np.arange(len(labels)), labels]))


def _stepped(layer, inputs, labels, learning_rate):
    """One step of descent: the slope of the full matrix, and the chain rule from there."""
    scores = lora_forward(inputs, layer)
    slope = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
    slope[np.arange(len(labels)), labels] -= 1
    by_weight = layer["alpha"] / len(layer["down"]) * slope.T @ inputs / len(labels)  # (n_out, n_in)
    down = layer["down"] - learning_rate * layer["up"].T @ by_weight
    return {**layer, "down": down, "up": layer["up"] - learning_rate * by_weight @ layer["down"].T}


@oracle("fine_tune")
def fine_tune(weight, inputs, labels, rank, alpha, n_steps, learning_rate, seed):
    """Step by step on the full matrix."""
    n_out, n_in = weight.shape
    labels = np.asarray(labels)
    if not 0 < len(labels) == len(inputs) or min(labels) < 0 or max(labels) >= n_out:
        raise ValueError("Each row needs a label that is an output.")
    down = np.random.default_rng(seed).normal(0, n_in**-0.5, (rank, n_in))
    layer = {"weight": weight, "down": down, "up": np.zeros((n_out, rank)), "alpha": alpha, "merged": False}
    losses = []
    for _ in range(n_steps):
        losses.append(_mean_loss(layer, inputs, labels))
        layer = _stepped(layer, inputs, labels, learning_rate)
    return layer, np.array(losses, dtype=float)


def _rows(rng, n=30, n_out=4, n_in=6):
    """Frozen weights, inputs, labels."""
    inputs = rng.standard_normal((n, n_in))
    labels = np.argmax(inputs @ rng.standard_normal((n_in, n_out)), axis=1)
    return rng.standard_normal((n_out, n_in)), inputs, labels


def _tuned(given, weight, rank, alpha, n_steps):
    """Layer and losses, with their form checked and the frozen weights compared byte by byte."""
    expect.true(isinstance(given, (tuple, list)) and len(given) == 2, "Return two things: the layer and the losses.")
    layer, losses = given
    wanted = {"weight", "down", "up", "alpha", "merged"}
    expect.true(isinstance(layer, dict) and set(layer) == wanted, f"The layer is a dict of {sorted(wanted)}.")
    expect.array(layer["down"], (rank, weight.shape[1]), "float")
    expect.array(layer["up"], (weight.shape[0], rank), "float")
    expect.equal(layer["alpha"], alpha, hint="The layer keeps alpha as it was given.")
    expect.equal(layer["merged"], False, hint="The change lies beside the weights: merged is False.")
    expect.array(layer["weight"], weight.shape)
    same = layer["weight"].dtype == weight.dtype and layer["weight"].tobytes() == weight.tobytes()
    expect.true(
        same, "The frozen weights are not the same bytes as before. Nothing may move them, no step and no decay."
    )
    expect.shape(losses, (n_steps,), hint="One loss for each step, an array.")
    return layer, expect.array(losses, dtype="float")


@check("fine_tune", hint="Before the first step B is 0 and A is not; A follows the seed, and nothing else does.")
def starts_without_a_change(student, rng):
    weight, inputs, labels = _rows(rng)
    seed = int(rng.integers(1000))
    for rank in (1, 3):
        layer, _ = _tuned(student(weight, inputs, labels, rank, 5.0, 0, 0.1, seed), weight, rank, 5.0, 0)
        expect.close(layer["up"], np.zeros((4, rank)), atol=0)
        again, _ = _tuned(student(weight, inputs, labels, rank, 5.0, 0, 0.1, seed), weight, rank, 5.0, 0)
        other, _ = _tuned(student(weight, inputs, labels, rank, 5.0, 0, 0.1, seed + 1), weight, rank, 5.0, 0)
        expect.close(again["down"], layer["down"], atol=0, hint="The same seed gives the same A.")
        expect.true(bool(np.all(other["down"] != layer["down"])), "Another seed gives another A.")


@check(
    "fine_tune",
    hint="Draw a large A and look at its mean, its standard deviation and its rows: normal, 1 / sqrt(n_in).",
)
def draws_a_normal_start(student, rng):
    weight, inputs = np.zeros((2, 400)), np.ones((1, 400))
    layer, _ = _tuned(student(weight, inputs, np.array([1]), 20, 1.0, 0, 0.1, 3), weight, 20, 1.0, 0)
    values = np.sort(layer["down"].ravel()) * 20
    expect.close(values.mean(), 0.0, atol=0.06)
    expect.close(values.std(), 1.0, atol=0.05)
    expect.close(np.mean(np.abs(values) < 1), math.erf(0.5**0.5), atol=0.03)
    expect.true(bool(np.all(np.diff(values) > 0)), "The numbers of A are independent: no two are equal.")


@check(
    "fine_tune",
    hint="Move one number of A or B a little and see what the mean loss does: that is its slope, alpha / r in it.",
)
def follows_the_slopes(student, rng):
    weight, inputs, labels = _rows(rng)
    for rank, alpha, n_steps in ((2, 4.0, 1), (3, 2.0, 4)):
        ask = (weight, inputs, labels, rank, alpha)
        before, _ = _tuned(student(*ask, n_steps, 0.25, 5), weight, rank, alpha, n_steps)
        after, _ = _tuned(student(*ask, n_steps + 1, 0.25, 5), weight, rank, alpha, n_steps + 1)
        for name in ("down", "up"):
            slopes = np.zeros(before[name].shape)
            for place in np.ndindex(slopes.shape):
                nudge = np.zeros(slopes.shape)
                nudge[place] = 1e-5
                ends = [{**before, name: before[name] + sign * nudge} for sign in (1, -1)]
                slopes[place] = np.subtract(*(_mean_loss(end, inputs, labels) for end in ends)) / 2e-5
            expect.close((before[name] - after[name]) / 0.25, slopes, atol=1e-6)


@check(
    "fine_tune",
    hint="Take the A of no steps, go ten steps by hand, both slopes at the same place each time, and compare.",
)
def goes_the_same_way_step_by_step(student, rng):
    for n, n_out, n_in, rank, alpha in ((30, 4, 6, 2, 3.0), (1, 2, 3, 1, 8.0), (50, 5, 4, 4, 0.5)):
        weight, inputs, labels = _rows(rng, n, n_out, n_in)
        ask = (weight, inputs, labels, rank, alpha)
        layer, _ = _tuned(student(*ask, 0, 0.3, 9), weight, rank, alpha, 0)
        losses = []
        for _ in range(10):
            losses.append(_mean_loss(layer, inputs, labels))
            layer = _stepped(layer, inputs, labels, 0.3)
        given, said = _tuned(student(*ask, 10, 0.3, 9, seconds=SLOW), weight, rank, alpha, 10)
        expect.close(said, losses, atol=1e-8, hint="A loss is the mean cross-entropy before its step, in nats.")
        expect.close(given["down"], layer["down"], atol=1e-7)
        expect.close(given["up"], layer["up"], atol=1e-7)


@check("fine_tune", hint="Weights of 32 bits, a hundred steps: compare the bytes of `weight` before and after.")
def leaves_the_frozen_weights_alone(student, rng):
    weight, inputs, labels = _rows(rng, 60)
    for frozen in (weight.astype(np.float32), 0 * weight, weight):
        given = student(frozen, inputs, labels, 2, 4.0, 100, 0.5, 1, seconds=SLOW)
        _, losses = _tuned(given, frozen, 2, 4.0, 100)
        expect.true(bool(losses[-1] < 0.7 * losses[0]), "A hundred steps should take a third of the loss away.")


@check(
    "fine_tune", hint="No rows, labels of another number than rows, a label below 0 or without an output: ValueError."
)
def refuses_labels_without_outputs(student, rng):
    weight, inputs, labels = _rows(rng)
    for n_steps in (0, 2):
        one_off = [np.where(labels == labels[0], wrong, labels) for wrong in (-1, 4)]
        for wrong in (labels[:-1], labels[:1], labels - 4, np.full(30, 4), *one_off):
            expect.raises(student, ValueError, weight, inputs, wrong, 2, 4.0, n_steps, 0.1, 1)
        expect.raises(student, ValueError, weight, inputs[:0], labels[:0], 2, 4.0, n_steps, 0.1, 1)


# Task 4: split_groups


@oracle("split_groups")
def split_groups(groups, share, seed):
    """Eight bytes are sixteen hexadecimal digits."""
    if not 0 <= share <= 1:
        raise ValueError(f"{share} is no share.")
    places = [int(hashlib.sha256(bytes(f"{seed}/{one}", "utf-8")).hexdigest()[:16], 16) for one in groups]
    return np.array([place < share * 2.0**64 for place in places], dtype=bool)


def _names(rng, n):
    syllables = ["ga", "ci", "ño", "mü", "ler", "o", "ka", "for", "chen", "ta"]
    return ["".join(rng.choice(syllables, 3)) + str(rng.integers(100)) for _ in range(n)]


def _sides(given, n):
    expect.shape(given, (n,), hint="One answer for each item.")
    expect.dtype(given, "bool", hint="Return an array of bool, also for no items.")
    return given


@check(
    "split_groups",
    hint="SHA-256 of the text seed/group in UTF-8; eight bytes as one number, largest first; over 2 ** 64.",
)
def follows_the_hash(student, rng):
    for seed in (0, 7, int(rng.integers(10**6))):
        names = _names(rng, 60)
        for share in (0.1, 0.5, float(rng.uniform(0.2, 0.8))):
            expect.equal(_sides(student(names, share, seed), 60), split_groups(names, share, seed))


@check("split_groups", hint="Sort the items in another way: every group stays on its side.")
def does_not_depend_on_the_order(student, rng):
    names = rng.choice(_names(rng, 15), 80).tolist()
    order = rng.permutation(80)
    sides = _sides(student(names, 0.4, 3), 80)
    expect.equal(_sides(student([names[k] for k in order], 0.4, 3), 80), sides[order])
    for name in set(names):
        expect.true(len({bool(side) for one, side in zip(names, sides, strict=True) if one == name}) == 1)


@check("split_groups", hint="When new groups arrive, or old ones go, none of the others may change its side.")
def does_not_depend_on_other_groups(student, rng):
    names = _names(rng, 40)
    sides = _sides(student(names, 0.5, 11), 40)
    expect.equal(_sides(student([*_names(rng, 25), *names], 0.5, 11), 65)[25:], sides)
    expect.equal(_sides(student(names[20:], 0.5, 11), 20), sides[20:])
    expect.equal(_sides(student(names[:1], 0.5, 11), 1), sides[:1])


@check(
    "split_groups",
    hint="Over many groups the share comes out; another seed splits otherwise, and a larger share only adds.",
)
def gives_the_share(student, rng):
    names = [f"caller {k}" for k in range(2000)]
    for share in (0.1, 0.3, 0.7):
        sides = _sides(student(names, share, 5), 2000)
        expect.close(sides.mean(), share, atol=0.05)
        expect.true(not np.any(sides & ~_sides(student(names, share + 0.2, 5), 2000)))
    expect.true(bool(np.any(_sides(student(names, 0.3, 6), 2000) != _sides(student(names, 0.3, 5), 2000))))


@check("split_groups", hint="No items, a share of 0, a share of 1, names with accents and spaces, an empty name.")
def stands_the_edges_of_a_share(student, rng):
    names = ["", " ", "José Ñandú", "ß", *_names(rng, 20)]
    expect.true(not _sides(student(names, 0.0, 2), 24).any())
    expect.true(bool(_sides(student(names, 1.0, 2), 24).all()))
    expect.equal(_sides(student(names, 0.5, 2), 24), split_groups(names, 0.5, 2))
    _sides(student([], 0.5, 2), 0)


@check("split_groups", hint="A share below 0 or above 1 is none: ValueError, also without items.")
def refuses_what_is_no_share(student, rng):
    for share in (-0.1, 1.01, 20.0, -1.0):
        expect.raises(student, ValueError, _names(rng, 5), share, 1)
        expect.raises(student, ValueError, [], share, 1)


# Task 5: find_leaks


def _spelled(text):
    """The words of a text, character by character."""
    words, kind = [], ""
    for character in text.lower():
        now = "#" if character.isdecimal() else "a" if character.isalpha() else ""
        if now and now == kind == "a":
            words[-1] += character
        elif now and now != kind:
            words.append("#" if now == "#" else character)
        kind = now
    return words


def _runs(words):
    return set(zip(words, words[1:], words[2:], strict=False)) if len(words) > 2 else {tuple(words)}


def _likeness(one, other):
    both = len(_runs(one) & _runs(other))
    return both / (len(_runs(one)) + len(_runs(other)) - both)


@oracle("find_leaks")
def find_leaks(train, test, threshold=0.5):
    """All pairs, each looked at in full."""
    if not 0 < threshold <= 1:
        raise ValueError(f"{threshold} is no likeness to ask for.")
    leaks = {kind: [] for kind in KINDS}
    known = [_spelled(call["text"]) for call in train]
    known = [words for words in known if words]
    for place, call in enumerate(test):
        words = _spelled(call["text"])
        alike = max((_likeness(words, one) for one in known), default=0.0) if words else 0.0
        if words and any(words == one for one in known):
            leaks["copy"].append(place)
        elif alike >= threshold:
            leaks["near"].append(place)
        for kind in ("caller", "family"):
            if call[kind] != "" and call[kind] in [one[kind] for one in train]:
                leaks[kind].append(place)
    return leaks


def _call(text, caller="", family=""):
    return {"text": text, "caller": caller, "family": family}


def _text(rng, n_words):
    """Made-up words, so that two texts share three in a row by luck alone, which is next to never."""
    letters = np.array(list("abdefgiklmnoprstuvwz"))
    return ["".join(rng.choice(letters, int(rng.integers(2, 7)))) for _ in range(n_words)]


def _dressed(rng, words):
    """The same words with other case, spaces and punctuation."""
    shown = [word.upper() if rng.random() < 0.2 else word.title() if rng.random() < 0.3 else word for word in words]
    text = ""
    for word in shown:
        text += (
            str(rng.choice(["", "(", '"', "- "])) + word + str(rng.choice([" ", ", ", ".  ", "\n", "? ", " – ", "\t"]))
        )
    return text


def _found(given):
    """The four lists, with their form checked."""
    wanted = set(KINDS)
    expect.true(isinstance(given, dict) and set(given) == wanted, "Return a dict of copy, near, caller and family.")
    for kind in KINDS:
        listed = isinstance(given[kind], list) and all(isinstance(k, int) for k in given[kind])
        expect.true(listed and not any(isinstance(k, bool) for k in given[kind]), "Each kind has a list of integers.")
        expect.equal(given[kind], sorted(set(given[kind])), hint="Places come from small to large, each once.")
    return given


def _same(given, kind, planted, missed, invented):
    """Recall first, then precision, each with its own hint."""
    found = set(_found(given)[kind])
    expect.true(set(planted) <= found, missed)
    expect.true(found <= set(planted), invented)


@check(
    "find_leaks", hint="Plant copies with other case, commas, spaces and line breaks: all are found, and nothing else."
)
def finds_planted_copies(student, rng):
    texts = [_text(rng, int(rng.integers(1, 30))) for _ in range(30)]
    fresh = [_text(rng, int(rng.integers(4, 30))) for _ in range(12)]
    train = [_call(_dressed(rng, words)) for words in texts]
    planted = sorted(rng.choice(20, 8, replace=False).tolist())
    chosen = iter(rng.permutation(30))
    others = iter(fresh)
    test = [_call(_dressed(rng, texts[next(chosen)] if k in planted else next(others))) for k in range(20)]
    given = student(train, test, 0.5)
    missed = "A planted copy was missed: case, punctuation, spaces and line breaks do not make another text."
    _same(given, "copy", planted, missed, "A call was called a copy that is none.")
    expect.equal(given["near"], [], hint="A copy is not near as well, and other texts are not near.")


@check("find_leaks", hint="The same sentence with another amount or account number is the same sentence.")
def sees_through_numbers(student, rng):
    words = _text(rng, 12)

    def told(amount, account):
        return _call(" ".join([*words[:4], amount, *words[4:8], account, *words[8:]]))

    train = [told("250", "4417")]
    cases = [told("9", "1"), told("$75,", "no:00"), told("1,000", "4417"), told("twenty", "4417")]
    leaks = _found(student(train, cases, 0.4))
    expect.equal(leaks, find_leaks(train, cases, 0.4))
    glued = [_call("flight BA117 to gate7b")]
    expect.equal(_found(student(glued, [_call("flight ba 9 to gate 12 b")], 0.5))["copy"], [0])
    expect.equal(_found(student([_call("no 1 2 3")], [_call("no 123")], 0.9))["copy"], [])


@check(
    "find_leaks",
    hint="Change, drop or add a word or two of thirty: near. Other calls, a shuffled one, a half of one: not near.",
)
def finds_planted_near_copies(student, rng):
    texts = [_text(rng, int(rng.integers(28, 45))) for _ in range(15)]
    train, test, planted = [_call(_dressed(rng, words)) for words in texts], [], []
    for k, words in enumerate(texts):
        edited = list(words)
        place = int(rng.integers(3, 25))
        if k % 5 == 0:
            edited[place] = "other"
        elif k % 5 == 1:
            del edited[place]
        elif k % 5 == 2:
            edited.insert(place, "um")
        elif k % 5 == 3:
            edited = [words[j] for j in rng.permutation(len(words))]
        else:
            edited = words[: len(words) // 3]
        if k % 5 < 3:
            planted.append(len(test))
        test.append(_call(_dressed(rng, edited)))
        test.append(_call(_dressed(rng, _text(rng, 30))))
    given = student(train, test, 0.5)
    missed = "A near copy was missed: one word of thirty was changed, dropped or added."
    invented = "A call was called near that is not: count what two sets share over what is in either of them."
    _same(given, "near", planted, missed, invented)
    expect.equal(given["copy"], [])


@check("find_leaks", hint="Two sets that are alike by exactly the threshold are near; by a little less they are not.")
def keeps_to_the_threshold(student, rng):
    for _ in range(6):
        words = _text(rng, int(rng.integers(4, 15)))
        other = [*words[: int(rng.integers(3, len(words) + 1))], *_text(rng, int(rng.integers(1, 4)))]
        alike = _likeness(words, other)
        for threshold in (alike, np.nextafter(alike, 2), alike / 2, 1.0):
            if not 0 < threshold <= 1:
                continue
            given = _found(student([_call(" ".join(words))], [_call(" ".join(other))], float(threshold)))
            expect.equal(given["near"], [0] if alike >= threshold else [])
    for known, threshold, near in (("a b c", 0.5, [0]), ("a b c", 0.51, []), ("a b", 0.1, []), ("b c d", 0.5, [0])):
        given = _found(student([_call(known)], [_call("a b c d")], threshold))
        expect.equal(given["near"], near, hint="Three words have one run of three; two words are a run of their own.")
    train, test = [_call("a b c d f")], [_call("a b c d e")]
    expect.equal(_found(student(train, test))["near"], [0], hint="The threshold is 0.5 where none is given.")


@check(
    "find_leaks", hint="Runs of three words that come twice count once, and their order of first coming does not count."
)
def compares_sets_of_runs(student, rng):
    a, b, c, d = (_text(rng, 4) for _ in range(4))
    train = [_call(" ".join([*a, *a, *b])), _call(" ".join([*c, *d]))]
    test = [_call(" ".join(words)) for words in ([*a, *a, *a, *b], [*d, *c], [*b, *a, *b], [*a, *a], [*c, *d, *c])]
    for threshold in (0.2, 0.5, 0.9, 1.0):
        expect.equal(_found(student(train, test, threshold)), find_leaks(train, test, threshold))


@check(
    "find_leaks", hint="Callers and families that are on both sides, in any number; nobody is called by an empty name."
)
def finds_shared_callers_and_families(student, rng):
    callers, families = _names(rng, 12), _names(rng, 5)
    for n_train, n_test in ((25, 30), (3, 30), (30, 2)):

        def drawn(n, n_callers, n_families):
            return [
                _call(
                    " ".join(_text(rng, 8)),
                    str(rng.choice(["", *callers[:n_callers]])),
                    str(rng.choice(["", *families[:n_families]])),
                )
                for _ in range(n)
            ]

        train, test = drawn(n_train, 6, 2), drawn(n_test, 12, 5)
        leaks, want = _found(student(train, test, 0.5)), find_leaks(train, test)
        for kind in ("caller", "family"):
            missed = f"A {kind} that is in training as well was missed."
            _same(leaks, kind, want[kind], missed, f"A {kind} was reported that training has not, or that is unknown.")
    swapped = _found(student([_call("a b c", "chen", "lost card")], [_call("d e f", "lost card", "chen")], 0.5))
    expect.equal(
        swapped, {kind: [] for kind in KINDS}, hint="A caller is compared with callers, a family with families."
    )


@check("find_leaks", hint="Texts of no words, one word, two words; no training calls; no test calls.")
def stands_short_texts(student, rng):
    train = [_call(text) for text in ("Yes.", "...", "no thanks", "", "okay then bye")]
    test = [
        _call(text) for text in ("yes", "[noise]"[:0], "!!", "No, thanks!", "thanks no", "no", "okay then", "_ - _")
    ]
    for threshold in (0.3, 1.0):
        leaks = _found(student(train, test, threshold))
        expect.equal(leaks["copy"], [0, 3], hint="Short texts can be copies; texts without words cannot.")
        expect.equal(leaks["near"], [])
    expect.equal(_found(student([], test, 0.5)), {kind: [] for kind in KINDS})
    expect.equal(_found(student(train, [], 0.5)), {kind: [] for kind in KINDS})
    expect.equal(_found(student([_call("")], [_call("")], 0.5)), {kind: [] for kind in KINDS})


@check("find_leaks", hint="A threshold of 0, below 0 or above 1: ValueError, also without calls.")
def refuses_what_is_no_likeness(student, rng):
    calls = [_call("a b c", "x", "y")]
    for threshold in (0.0, -0.5, 1.5, 50.0):
        expect.raises(student, ValueError, calls, calls, threshold)
        expect.raises(student, ValueError, [], [], threshold)


# Task 6: macro_f1


@oracle("macro_f1")
def macro_f1(truth, predicted):
    """By precision and recall of each act, from a confusion matrix."""
    if not 0 < len(truth) == len(predicted):
        raise ValueError("Expected as many answers as turns, and at least one.")
    acts = sorted({*truth, *predicted})
    table = np.zeros((len(acts), len(acts)))
    for said, heard in zip(truth, predicted, strict=True):
        table[acts.index(said), acts.index(heard)] += 1
    scores = []
    for k in range(len(acts)):
        precision, recall = (table[k, k] / max(1, one[k]) for one in (table.sum(axis=0), table.sum(axis=1)))
        scores.append(2 * precision * recall / (precision + recall) if table[k, k] else 0.0)
    return float(np.mean(scores))


def _answers(rng, n, acts, share_right=0.6):
    truth = [str(one) for one in rng.choice(acts, n)]
    return truth, [act if rng.random() < share_right else str(rng.choice(acts)) for act in truth]


ACTS = ["greeting", "yes", "no", "thanks", "request", "complaint", "closing"]


@check("macro_f1", hint="Count TP, FP and FN of each act by hand on ten turns, then the plain mean over the acts.")
def is_the_mean_of_the_acts(student, rng):
    for n in (1, 2, 10, 60):
        for n_acts in (2, 4, 7):
            truth, predicted = _answers(rng, n, ACTS[:n_acts])
            expect.close(expect.number(student(truth, predicted)), macro_f1(truth, predicted), atol=1e-9)


@check("macro_f1", hint="A rare act that is never found pulls as hard as a frequent one; accuracy hardly feels it.")
def lets_rare_acts_count(student, rng):
    n = int(rng.integers(40, 90))
    truth = ["yes"] * n + ["complaint"]
    expect.close(expect.number(student(truth, ["yes"] * (n + 1))), n / (2 * n + 1), atol=1e-9)
    split = ["yes"] * (n - 1) + ["complaint"] * 2
    expect.close(expect.number(student(truth, split)), macro_f1(truth, split), atol=1e-9)


@check(
    "macro_f1",
    hint="Acts of the truth that nobody predicted, and acts that were predicted and never true: both have F1 0.",
)
def counts_acts_of_one_side(student, rng):
    for truth, predicted in (
        (["yes", "no"], ["yes", "thanks"]),
        (["yes", "yes", "no"], ["yes", "yes", "yes"]),
        (["yes", "yes"], ["no", "yes"]),
        (["yes"] * 5, ["no"] * 5),
        (["a", "b", "c"], ["b", "c", "a"]),
    ):
        expect.close(expect.number(student(truth, predicted)), macro_f1(truth, predicted), atol=1e-9)


@check("macro_f1", hint="All right is 1, also for a single act; the order of the turns does not count.")
def is_one_when_all_is_right(student, rng):
    for n_acts in (1, 3, 7):
        truth, predicted = _answers(rng, 30, ACTS[:n_acts])
        expect.close(expect.number(student(truth, truth)), 1.0, atol=1e-12)
        order = rng.permutation(30)
        turned = student([truth[k] for k in order], [predicted[k] for k in order])
        expect.close(expect.number(turned), macro_f1(truth, predicted), atol=1e-9)


@check("macro_f1", hint="No turns, or more answers than turns, or fewer: ValueError.")
def refuses_missing_answers(student, rng):
    truth, predicted = _answers(rng, 6, ACTS)
    for one, other in (([], []), (truth, predicted[:5]), (truth[:5], predicted), (truth, []), ([], predicted)):
        expect.raises(student, ValueError, one, other)


# Task 7: paired_interval


def _resampled(baseline, candidate, calls, seed, n_draws=N_DRAWS):
    """(n_draws,) differences, by how often each call is drawn."""
    gains, sizes = {}, {}
    for one, other, call in zip(baseline, candidate, calls, strict=True):
        gains[call] = gains.get(call, 0.0) + float(other) - float(one)
        sizes[call] = sizes.get(call, 0) + 1
    gain, size = np.array(list(gains.values())), np.array(list(sizes.values()))
    drawn = np.random.default_rng(seed).integers(len(gain), size=(n_draws, len(gain)))
    places = (drawn + len(gain) * np.arange(n_draws)[:, np.newaxis]).ravel()
    times = np.bincount(places, minlength=n_draws * len(gain)).reshape(n_draws, len(gain))
    return (times @ gain) / (times @ size)


@oracle("paired_interval")
def paired_interval(baseline, candidate, calls, seed, level=0.95):
    """By multiplicities of the calls."""
    if len(set(calls)) < 2 or not 0 < level < 1 or not len(baseline) == len(candidate) == len(calls):
        raise ValueError("Expected the scores of two systems on the turns of two calls or more, and a level.")
    ends = np.quantile(_resampled(baseline, candidate, calls, seed), [0.5 - level / 2, 0.5 + level / 2])
    difference = sum(map(float, candidate)) / len(calls) - sum(map(float, baseline)) / len(calls)
    return difference, float(ends[0]), float(ends[1])


def _evaluation(rng, n_calls=40, true=0.03):
    """Scores whose calls differ in length, in how hard they are, and in what the candidate gains."""
    sizes = rng.integers(2, 12, n_calls)
    call_of = np.repeat(np.arange(n_calls), sizes)
    baseline = 0.7 + rng.normal(0, 0.25, n_calls)[call_of] + rng.normal(0, 0.1, len(call_of))
    gain = true + rng.normal(0, 0.1, n_calls)[call_of] + rng.normal(0, 0.05, len(call_of))
    return baseline, baseline + gain, [f"call {k}" for k in call_of]


def _ends(given):
    """Three numbers, the interval in order."""
    expect.true(isinstance(given, (tuple, list)) and len(given) == 3, "Return three numbers: difference, low, high.")
    difference, low, high = (expect.number(one) for one in given)
    expect.true(low <= high, "low is above high: which quantile is which?")
    return difference, low, high


def _near_ends(got, baseline, candidate, calls, level):
    """Whether low and high are those of a bootstrap, up to what 2,000 draws leave open; of the tails, where few lie."""
    differences = _resampled(baseline, candidate, calls, 99, 4 * N_DRAWS)
    shares = np.array([0.5 - level / 2, 0.5 + level / 2])
    off = 5 * np.sqrt(shares * (1 - shares) / N_DRAWS) + 0.001
    least = np.quantile(differences, np.maximum(shares - off, 0))
    most = np.quantile(differences, np.minimum(shares + off, 1))
    slack = 1e-9 + 0.02 * np.std(differences)
    return bool(np.all(least - slack <= got) and np.all(got <= most + slack))


@covers("paired_interval")
def are_scores_and_calls(baseline, candidate, calls, seed, level=0.95):
    """Finite scores in one dimension, calls by name, a seed that NumPy takes."""
    scores = all(
        isinstance(one, np.ndarray) and one.ndim == 1 and one.dtype.kind == "f" and np.all(np.abs(one) < 1e6)
        for one in (baseline, candidate)
    )
    return bool(scores) and isinstance(seed, int) and seed >= 0 and all(isinstance(one, str) for one in calls)


@latitude("paired_interval")
def is_another_draw_of_the_same(arguments, reference, given):
    """The same difference, and ends as other draws give them."""
    baseline, candidate, calls, _, level = (*arguments, 0.95)[:5]
    if not isinstance(given, (tuple, list)) or len(given) != 3 or not all(isinstance(one, float) for one in given):
        return False
    exact = abs(given[0] - reference[0]) <= 1e-9
    return exact and _near_ends(np.array(given[1:]), baseline, candidate, calls, level)


@check("paired_interval", hint="Candidate minus baseline, over all turns: a long call weighs as much as it has turns.")
def gives_the_difference_over_turns(student, rng):
    for n_calls in (2, 5, 40):
        baseline, candidate, calls = _evaluation(rng, n_calls)
        difference, _, _ = _ends(student(baseline, candidate, calls, 1, 0.95))
        expect.close(difference, candidate.mean() - baseline.mean(), atol=1e-9)
        turned, _, _ = _ends(student(candidate, baseline, calls, 1, 0.95))
        expect.close(turned, baseline.mean() - candidate.mean(), atol=1e-9)


@check(
    "paired_interval",
    hint="Make up scores of calls that differ, and compare your interval with that of a bootstrap written otherwise.",
)
def is_as_wide_as_calls_differ(student, rng):
    for n_calls in (6, 20, 60):
        baseline, candidate, calls = _evaluation(rng, n_calls)
        for level in (0.95, 0.5, 0.8):
            _, low, high = _ends(student(baseline, candidate, calls, int(rng.integers(1000)), level))
            width = np.diff(np.quantile(_resampled(baseline, candidate, calls, 5), [0.5 - level / 2, 0.5 + level / 2]))
            wide = "Too wide: what is hard for one system is hard for the other. The same calls for both in each draw."
            expect.true(bool(high - low < 1.3 * width[0]), wide)
            narrow = "Too narrow: the turns of a call stand and fall together. Draw calls, as many as there are."
            expect.true(bool(high - low > 0.75 * width[0]), narrow)
            right = _near_ends(np.array([low, high]), baseline, candidate, calls, level)
            expect.true(right, "The ends are the quantiles (1 - level) / 2 and (1 + level) / 2 of the differences.")


@check(
    "paired_interval", hint="In 100 simulated evaluations, how many of your 95 % intervals hold the true difference?"
)
def covers_the_truth(student, rng):
    held, wanted = 0, 0
    for seed in range(100):
        baseline, candidate, calls = _evaluation(rng)
        _, low, high = _ends(student(baseline, candidate, calls, seed, 0.95))
        held += low <= 0.03 <= high
        _, low, high = paired_interval(baseline, candidate, calls, seed)
        wanted += low <= 0.03 <= high
    expect.true(abs(held - wanted) <= 4)


@check(
    "paired_interval",
    hint="A skewed difference has a lopsided interval: its long side is that of the rare large gains.",
)
def keeps_the_lopsided_side(student, rng):
    gains = np.where(np.arange(30) < 2, 5.0, 0.0) * rng.choice([-1.0, 1.0]) + rng.normal(0, 0.01, 30)
    calls, baseline = [f"c{k}" for k in range(30)], np.zeros(30)
    _, low, high = _ends(student(baseline, gains, calls, 4, 0.95))
    expect.true(_near_ends(np.array([low, high]), baseline, gains, calls, 0.95))


@check("paired_interval", hint="Two or three calls: write down all draws that can come up, and how often each does.")
def draws_any_call_any_number_of_times(student, rng):
    baseline, candidate, calls = _evaluation(rng, 2)
    gains = sorted(np.mean((candidate - baseline)[np.equal(calls, name)]) for name in set(calls))
    _, low, high = _ends(student(baseline, candidate, calls, 8, 0.95))
    expect.close([low, high], gains, atol=1e-9)
    for place in range(3):
        gains = 3.0 * np.eye(3)[place]  # the mean of three draws: 0, 1, 2 or 3, in 8, 12, 6 and 1 of 27
        _, low, high = _ends(student(np.zeros(3), gains, ["a", "b", "c"], 2, 0.8))
        expect.close([low, high], [0.0, 2.0], atol=1e-9)


@check(
    "paired_interval",
    hint="Turns of one call need not stand together: shuffle all turns, and only other draws may show.",
)
def does_not_need_turns_in_order(student, rng):
    baseline, candidate, calls = _evaluation(rng, 25)
    order = rng.permutation(len(calls))
    shuffled = [calls[k] for k in order]
    difference, low, high = _ends(student(baseline[order], candidate[order], shuffled, 3, 0.9))
    expect.close(difference, candidate.mean() - baseline.mean(), atol=1e-9)
    expect.true(_near_ends(np.array([low, high]), baseline, candidate, calls, 0.9))


@check("paired_interval", hint="The same seed: the same interval. Another seed: nearly the same, and not quite.")
def follows_its_seed(student, rng):
    asked = _evaluation(rng, 30)
    first = _ends(student(*asked, 5, 0.95))
    expect.close(_ends(student(*asked, 5, 0.95)), first, atol=0)
    expect.true(_ends(student(*asked, 6, 0.95)) != first, "The seed has to reach the draws.")
    expect.close(_ends(student(*asked, 5)), first, atol=0, hint="The level is 0.95 where none is given.")


@check(
    "paired_interval", hint="Systems that answer alike, or differ by the same in every turn: an interval without width."
)
def is_a_point_without_doubt(student, rng):
    baseline, _, calls = _evaluation(rng, 12)
    for gain in (0.0, 0.25):
        expect.close(_ends(student(baseline, baseline + gain, calls, 2, 0.95)), (gain,) * 3, atol=1e-9)


@check(
    "paired_interval", hint="One call, no turns, numbers that differ, a level of 0, of 1 or in per cent: ValueError."
)
def refuses_what_has_no_doubt(student, rng):
    baseline, candidate, calls = _evaluation(rng, 5)
    for arguments in (
        (baseline[:-1], candidate, calls, 1, 0.95),
        (baseline, candidate[:1], calls, 1, 0.95),
        (baseline, candidate, calls[:-1], 1, 0.95),
        (baseline, candidate, ["a"] * len(calls), 1, 0.95),
        (baseline[:0], candidate[:0], [], 1, 0.95),
        (baseline, candidate, calls, 1, 0.0),
        (baseline, candidate, calls, 1, 1.0),
        (baseline, candidate, calls, 1, 95.0),
    ):
        expect.raises(student, ValueError, *arguments)


# Task 8: report


@oracle("report")
def report(truth, calls, predictions, baseline, seed):
    """Row by row, with the verdict by the signs of the ends."""
    if baseline not in predictions or any(len(acts) != len(truth) for acts in predictions.values()):
        raise ValueError("Expected a baseline among the systems, and an act for each turn of each.")
    candidates = [name for name in predictions if name != baseline]
    rows = []
    for name, acts in predictions.items():
        ends, verdict = (0.0, 0.0, 0.0), "baseline"
        if name in candidates:
            scores = (_scores(truth, predictions[baseline]), _scores(truth, acts))
            ends = paired_interval(*scores, calls, seed, 1 - 0.05 / len(candidates))
            verdict = {2: "better", -2: "worse"}.get(int(np.sign(ends[1]) + np.sign(ends[2])), "not shown")
        values = (name, float(np.mean(_scores(truth, acts))), macro_f1(truth, acts), *map(float, ends), verdict)
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def _scores(truth, acts):
    return np.array([float(one == other) for one, other in zip(truth, acts, strict=True)])


def _systems(rng, shares, n_calls=40):
    """Truth, calls and the acts of systems that are right in some share of turns, hard calls being hard for all."""
    sizes = rng.integers(2, 9, n_calls)
    call_of = np.repeat(np.arange(n_calls), sizes)
    truth = [str(one) for one in rng.choice(ACTS, len(call_of))]
    hard = rng.uniform(-0.15, 0.15, n_calls)[call_of]
    predictions = {}
    for name, share in shares.items():
        right = rng.random(len(call_of)) < share + hard
        wrong = rng.choice(ACTS, len(call_of))
        predictions[name] = [truth[k] if right[k] else str(wrong[k]) for k in range(len(call_of))]
    return truth, [f"call {k}" for k in call_of], predictions


def _table(given, asked):
    """The rows, each compared with the oracle's, with a hint for each kind of column."""
    want = report(*asked)
    expect.true(isinstance(given, list) and len(given) == len(want), "Return a list with a row for each system.")
    for row, wanted in zip(given, want, strict=True):
        expect.true(isinstance(row, dict) and set(row) == set(COLUMNS), f"A row has the keys {', '.join(COLUMNS)}.")
        expect.equal(row["system"], wanted["system"], hint="Rows come in the order of the predictions.")
        for name in ("accuracy", "macro_f1", "difference"):
            got = expect.number(row[name], hint=f"{name} is a number.")
            expect.close(got, wanted[name], atol=1e-9, hint=f"Recompute {name} of one system from its raw answers.")
        level = "Give paired_interval the scores, the calls, the seed and the level. Which level has each of so many?"
        for name in ("low", "high"):
            expect.close(expect.number(row[name]), wanted[name], atol=1e-9, hint=level)
        edge = "The verdict follows from the row's own interval, and the baseline has none. Is 0 in it, or at its end?"
        expect.equal(row["verdict"], wanted["verdict"], hint=edge)
    return given


@check("report", hint="Make every number of one row again from the raw answers, with Task 6 and Task 7.")
def recomputes_from_raw_answers(student, rng):
    asked = (*_systems(rng, {"frozen": 0.6, "tuned": 0.85, "worse": 0.3}, 160), "frozen", 7)
    rows = _table(student(*asked), asked)
    expect.equal([row["verdict"] for row in rows], ["baseline", "better", "worse"])


@check("report", hint="The baseline may come last or in the middle; the order of the rows is that of the predictions.")
def takes_the_baseline_anywhere(student, rng):
    shares = {"b": 0.7, "a": 0.5, "d": 0.72, "c": 0.9}
    truth, calls, predictions = _systems(rng, shares)
    for baseline in shares:
        asked = (truth, calls, predictions, baseline, 3)
        _table(student(*asked), asked)


@check(
    "report", hint="Interval ends that are exactly 0 hold 0. How do you call a system that differs in a single call?"
)
def calls_no_winner_at_zero(student, rng):
    truth, calls, predictions = _systems(rng, {"frozen": 0.7}, 12)
    base = predictions["frozen"]
    first = [k for k, call in enumerate(calls) if call == calls[0]]
    up = [truth[k] if k in first else act for k, act in enumerate(base)]
    down = ["nothing" if k in first else act for k, act in enumerate(base)]
    for candidates in ({"up": up}, {"same": list(base)}, {"down": down}, {"up": up, "down": down}):
        asked = (truth, calls, {"frozen": base, **candidates}, "frozen", 1)
        rows = _table(student(*asked), asked)
        expect.true(all(row["verdict"] in ("baseline", "not shown") for row in rows))


@check(
    "report", hint="Twenty systems that only differ by luck: at a level of 0.95 each, one of them would be a winner."
)
def stands_many_candidates(student, rng):
    for n_candidates in (1, 5, 10):
        shares = {"frozen": 0.6, **{f"rank {k}": 0.68 for k in range(n_candidates)}}
        asked = (*_systems(rng, shares), "frozen", int(rng.integers(100)))
        _table(student(*asked), asked)


@check(
    "report", hint="Only the baseline: one row. An act for too few turns, or a baseline that is no system: ValueError."
)
def refuses_tables_with_holes(student, rng):
    truth, calls, predictions = _systems(rng, {"frozen": 0.6, "tuned": 0.8}, 8)
    alone = (truth, calls, {"frozen": predictions["frozen"]}, "frozen", 1)
    _table(student(*alone), alone)
    expect.raises(student, ValueError, truth, calls, predictions, "other", 1)
    for broken in ({"tuned": predictions["tuned"][:-1]}, {"frozen": predictions["frozen"][1:]}, {"new": []}):
        expect.raises(student, ValueError, truth, calls, {**predictions, **broken}, "frozen", 1)
