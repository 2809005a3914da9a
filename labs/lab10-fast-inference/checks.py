"""Hidden checks of Lab 10. They run outside of the student's process, on inputs drawn for each submission.

What an answer has to be comes from measurements in which mistakes were planted, from weights counted matrix by matrix,
from the fake device played again in the order that the student's samples tell, from attention over the whole matrix,
from a layer that is run in parts, and from roundings and divergences written out number by number.
"""

import itertools
import math

import numpy as np

from course.lab.checking import check, covers, expect, latitude, oracle

MISTAKES = (
    "no synchronisation",
    "no warm-up",
    "wrong FLOP count",
    "unequal work",
    "cache left warm",
    "mean of two modes",
)
MOST_WARM_UPS = 30
SLOW = 30.0  # seconds for a call on a busy machine


def _is_warm(seconds):
    if len(seconds) < 6:
        return False
    before, last = sorted(seconds[-6:-3])[1], sorted(seconds[-3:])[1]
    return last >= 0.95 * before


def _pick(rng, items):
    return items[int(rng.integers(len(items)))]


# Task 1: find_mistakes


@oracle("find_mistakes")
def find_mistakes(record):
    """Mistake by mistake, each with its own pass over the trials."""
    trials, names = record["trials"], list(record["shown"])
    places = sorted({(one["variant"], one["process"]) for one in trials})
    own = {place: [one for one in trials if (one["variant"], one["process"]) == place] for place in places}
    wrong = {
        "no synchronisation": any(one["left"] - 0.02 * one["seconds"] > 1e-4 for one in trials),
        "no warm-up": any(not _is_warm([one["seconds"] for one in some if one["warm_up"]]) for some in own.values()),
        "wrong FLOP count": any(not 0.9 <= _counted(record, name) <= 1.1 for name in names),
        "unequal work": any(len({one[key] for one in trials}) > 1 for key in ("read", "written")),
        "cache left warm": any(one["cached"] for one in trials)
        or any(len(some) > len({one["prompt"] for one in some}) for some in own.values()),
        "mean of two modes": any(len(record["shown"][name]) == 1 and _has_two_modes(trials, name) for name in names),
    }
    return [name for name in MISTAKES if wrong[name]]


def _counted(record, name):
    """Counted FLOPs over what they have to be."""
    read = {one["read"] for one in record["trials"] if one["variant"] == name}
    return record["flops"][name] / (2.0 * record["weights"] * max(read))


def _has_two_modes(trials, name):
    seconds = sorted(one["seconds"] for one in trials if one["variant"] == name and not one["warm_up"])
    for below in range(1, len(seconds)):
        above = len(seconds) - below
        if 4 * min(below, above) >= len(seconds) and seconds[below] / seconds[below - 1] > 1.25:
            return True
    return False


def _record(rng, processes=3, rounds=8, names=("slow", "fast"), settle=1.5):
    """An honest measurement; prompts come again in other processes, and variants share them."""
    weights, read, written = int(rng.integers(10**6, 10**8)), int(rng.integers(16, 256)), int(rng.integers(2, 40))
    trials = []
    for process in range(processes):
        taken = {name: [] for name in names}
        for name in names:
            while not _is_warm(taken[name]):
                k = len(taken[name])
                taken[name].append(_seconds(rng, names.index(name)) * (1 + 4 * math.exp(-k / settle)))
                trials.append(_trial(rng, process, name, True, f"warm {k}", taken[name][-1], read, written))
        for k in range(rounds):
            for name in rng.permutation(names).tolist():
                seconds = _seconds(rng, names.index(name))
                trials.append(_trial(rng, process, name, False, f"round {k}", seconds, read, written))
    shown = {name: [_median(trials, name)] for name in names}
    flops = {name: 2.0 * weights * read * rng.uniform(0.93, 1.07) for name in names}
    return {"weights": weights, "flops": flops, "trials": trials, "shown": shown}


def _seconds(rng, place):
    return 0.03 / (1 + place) * math.exp(0.01 * rng.normal())


def _median(trials, name):
    return float(np.median([one["seconds"] for one in trials if one["variant"] == name and not one["warm_up"]]))


def _trial(rng, process, variant, warm_up, prompt, seconds, read, written):
    left = float(rng.uniform(0, 0.9)) * (1e-4 + 0.02 * seconds)
    work = {"read": read, "written": written, "cached": 0, "seconds": float(seconds), "left": left}
    return {"process": process, "variant": variant, "warm_up": warm_up, "prompt": prompt} | work


def _where(record, **wanted):
    """Places of the trials that have these values."""
    return [
        place for place, one in enumerate(record["trials"]) if all(one[name] == value for name, value in wanted.items())
    ]


def _late(record, rng):
    """The device goes on after the clock was read: in one trial, or in every one."""
    places = range(len(record["trials"])) if rng.random() < 0.3 else [int(rng.integers(len(record["trials"])))]
    for place in places:
        trial = record["trials"][place]
        trial["left"] = 1.1 * (1e-4 + 0.02 * trial["seconds"])


def _cold(record, rng):
    """One variant in one process: no warm-up, five, or some that still fall."""
    name, process = _pick(rng, list(record["shown"])), _pick(rng, [0, 1, 2])
    places = _where(record, variant=name, process=process, warm_up=True)
    kept = _pick(rng, [0, 5, 6])
    for k, place in enumerate(places[:kept]):
        record["trials"][place] |= {"seconds": 0.02 * 0.8**k if kept == 6 else 0.02, "left": 0.0}
    gone = set(places[kept:])
    record["trials"] = [one for place, one in enumerate(record["trials"]) if place not in gone]


def _miscounted(record, rng):
    name = _pick(rng, list(record["shown"]))
    read = next(one["read"] for one in record["trials"] if one["variant"] == name)
    record["flops"][name] = 2.0 * record["weights"] * read * _pick(rng, [0.5, 2.0, 1.12, 0.88, 1 / read])


def _unequal(record, rng):
    name = _pick(rng, list(record["shown"]))
    places = _where(record, variant=name)
    kind = int(rng.integers(3))
    for place in places[-1:] if kind == 0 else places:
        record["trials"][place]["read" if kind == 1 else "written"] += 1
    if kind == 1:
        record["flops"][name] = 2.0 * record["weights"] * record["trials"][places[0]]["read"]


def _cached(record, rng):
    """One trial with something in its cache, or a prompt twice for a variant in a process, warm-up or not."""
    if rng.random() < 0.4:
        record["trials"][int(rng.integers(len(record["trials"])))]["cached"] = _pick(rng, [1, 64])
        return
    name, process = _pick(rng, list(record["shown"])), _pick(rng, [0, 1, 2])
    places = _where(record, variant=name, process=process)
    source, target = sorted(rng.choice(places, 2, replace=False).tolist())
    record["trials"][target]["prompt"] = record["trials"][source]["prompt"]


def _two_modes(record, rng, share=None, factor=None):
    """A share of a variant's measured trials takes longer."""
    name = _pick(rng, list(record["shown"]))
    places = _where(record, variant=name, warm_up=False)
    n = math.ceil(len(places) * (rng.uniform(0.26, 0.72) if share is None else share))
    for place in rng.permutation(places)[:n].tolist():
        record["trials"][place]["seconds"] *= factor or float(rng.uniform(1.4, 3))
    return name


PLANTED = dict(zip(MISTAKES, (_late, _cold, _miscounted, _unequal, _cached, _two_modes), strict=True))


def _found(given):
    expect.true(isinstance(given, list) and all(isinstance(one, str) for one in given), "Return a list of names.")
    return given


def _same_mistakes(student, record, hint=None):
    expect.equal(_found(student(record)), find_mistakes(record), hint=hint)


@check("find_mistakes", hint="A measurement with noise, a cold start in its warm-ups and honest counts has no mistake.")
def accuses_no_honest_one(student, rng):
    for processes, rounds, names in ((1, 4, ("a",)), (3, 8, ("slow", "fast")), (5, 3, ("x", "y", "z"))):
        expect.equal(_found(student(_record(rng, processes, rounds, names))), [])


@check("find_mistakes", hint="One mistake in an otherwise honest record, sometimes in one trial or one process alone.")
def finds_each_alone(student, rng):
    for plant in PLANTED.values():
        for _ in range(6):
            record = _record(rng)
            plant(record, rng)
            _same_mistakes(student, record)


@check("find_mistakes", hint="Two or three mistakes in one record: each is told, once, in the order of MISTAKES.")
def finds_them_together(student, rng):
    for size in (2, 3, 4):
        for _ in range(5):
            record = _record(rng, names=("slow", "fast", "other"))
            for place in rng.permutation(len(MISTAKES))[:size].tolist():
                PLANTED[MISTAKES[place]](record, rng)
            _same_mistakes(student, record)


@check("find_mistakes", hint="Work that is left: allowed are 0.1 ms plus 2 % of that trial's own seconds, no more.")
def knows_how_much_may_be_left(student, rng):
    for seconds, left, late in (
        (1.0, 0.0199, False),
        (1.0, 0.0203, True),
        (0.001, 1.1e-4, False),
        (0.001, 1.4e-4, True),
    ):
        for warm_up in (False, True):
            record = _record(rng, 2, 4)
            place = _pick(rng, _where(record, warm_up=warm_up))
            record["trials"] += [dict(record["trials"][place], prompt="one more", seconds=seconds, left=left)]
            if not warm_up:
                expect.equal("no synchronisation" in _found(student(record)), late)
            else:
                _same_mistakes(student, record)


@check("find_mistakes", hint="The warm-ups of each variant in each process, in their order: is_warm of these seconds.")
def looks_at_each_warm_up(student, rng):
    for falling, length in ((0.8, 6), (0.8, 12), (0.985, 6), (1.0, 5), (1.0, 6), (1.0, 0)):
        record = _record(rng)
        places = set(_where(record, variant="fast", process=2, warm_up=True))
        kept = [one for place, one in enumerate(record["trials"]) if place not in places]
        model = dict(record["trials"][min(places)])
        rows = [dict(model, prompt=f"warm {k}", seconds=0.02 * falling**k, left=0.0) for k in range(length)]
        _same_mistakes(student, record | {"trials": rows + kept})


@check(
    "find_mistakes",
    hint="FLOPs a little off are attention and logits; twice or half as many are wrong, of any variant.",
)
def weighs_flops(student, rng):
    for factor in (0.895, 0.905, 1.095, 1.105, 0.5, 2.0, 4.0, 0.01):
        for name in ("slow", "fast"):
            record = _record(rng, 2, 3)
            read = record["trials"][0]["read"]
            record["flops"][name] = 2.0 * record["weights"] * read * factor
            _same_mistakes(student, record)


@check("find_mistakes", hint="Prompts may come again in another process or for another variant; not for the same one.")
def knows_whose_prompt_it_was(student, rng):
    for first, second in itertools.product((True, False), repeat=2):
        record = _record(rng)
        places = (
            _where(record, variant="slow", process=1, warm_up=first),
            _where(record, variant="slow", process=1, warm_up=second),
        )
        record["trials"][places[1][-1]]["prompt"] = record["trials"][places[0][0]]["prompt"]
        _same_mistakes(student, record)
    for warm_up, cached in itertools.product((True, False), (1, 500)):
        record = _record(rng)
        record["trials"][_pick(rng, _where(record, warm_up=warm_up))]["cached"] = cached
        _same_mistakes(student, record)
    for trial in (record := _record(rng))["trials"]:
        trial["prompt"] += f" of {trial['process']} and {trial['variant']}"
    expect.equal(_found(student(record)), [])


@check("find_mistakes", hint="Sort a variant's measured seconds and look at the gaps, away from the outer quarters.")
def tells_modes_from_outliers(student, rng):
    for rounds, processes in ((8, 3), (7, 3), (3, 3), (2, 1), (1, 1)):
        n = rounds * processes
        for n_slow, factor in itertools.product(range(0, n + 1, max(1, n // 12)), (1.2, 1.35, 4.0)):
            record = _record(rng, processes, rounds)
            for place in _where(record, variant="fast", warm_up=False):
                record["trials"][place]["seconds"] = 0.01 * float(1 + 0.001 * rng.random())
            for place in _where(record, variant="fast", warm_up=False)[:n_slow]:
                record["trials"][place]["seconds"] *= factor
            _same_mistakes(student, record)


@check("find_mistakes", hint="Two modes of which both numbers are shown are no mistake; nor are modes among warm-ups.")
def lets_two_numbers_stand_for_two_modes(student, rng):
    for shown in ([0.01], [0.01, 0.02], [0.01, 0.02, 0.03]):
        record = _record(rng)
        name = _two_modes(record, rng, 0.4, 2.0)
        record["shown"][name] = shown
        _same_mistakes(student, record)
    record = _record(rng, settle=4.0)
    expect.equal(_found(student(record)), [])


# Task 2: predict


@oracle("predict")
def predict(model, phase, batch, length, weight_bytes, value_bytes, device):
    """Matrix by matrix, sequence by sequence, query by query."""
    if phase not in ("prefill", "decode") or batch < 1 or length < 1:
        raise ValueError("Expected a phase, a batch and a length.")
    matrices, kv = _matrices(model), model["n_kv_heads"] * model["head_dim"]
    every_position, last_position = model["n_layers"] * sum(matrices), model["vocab_size"] * model["hidden_size"]
    seen = length * (length + 1) // 2 if phase == "prefill" else length
    positions = length if phase == "prefill" else 1
    flops = 2.0 * every_position * positions * batch + 2.0 * last_position * batch
    flops += 2.0 * 2 * model["head_dim"] * model["n_heads"] * model["n_layers"] * seen * batch
    moved = every_position * weight_bytes + last_position * weight_bytes
    moved += 2.0 * kv * model["n_layers"] * length * batch * value_bytes
    held = moved + (0 if model["tie_embeddings"] else last_position * weight_bytes)
    times = {"compute": flops / device["flops"], "memory": moved / device["bytes"]}
    bound = "compute" if times["compute"] > times["memory"] else "memory"
    return {"flops": flops, "bytes": moved, "held": held, "seconds": times[bound], "bound": bound}


def _matrices(model):
    d, rows = model["hidden_size"], model["n_heads"] * model["head_dim"]
    kv = model["n_kv_heads"] * model["head_dim"]
    return [d * rows, d * kv, d * kv, rows * d, *[d * model["intermediate_size"]] * 3]


@covers("predict")
def are_sizes_and_rates(model, phase, batch, length, weight_bytes, value_bytes, device):
    """Whole numbers of sequences and positions, bytes above 0."""
    whole = all(isinstance(one, int) and not isinstance(one, bool) and one < 10**7 for one in (batch, length))
    return whole and all(isinstance(one, float) and 0 < one < 1e6 for one in (weight_bytes, value_bytes))


@latitude("predict")
def counts_alike(arguments, reference, given):
    """Whole or floating point numbers."""
    if not isinstance(given, dict) or set(given) != set(reference) or given["bound"] != reference["bound"]:
        return False
    return all(math.isclose(given[name], reference[name], rel_tol=1e-9) for name in reference if name != "bound")


def _model(rng, tied=None):
    heads = int(rng.integers(1, 5))
    return {
        "vocab_size": int(rng.integers(50, 5000)),
        "hidden_size": int(rng.integers(2, 40)) * 8,
        "n_layers": int(rng.integers(1, 30)),
        "n_heads": heads * int(rng.integers(1, 6)),
        "n_kv_heads": heads,
        "head_dim": int(rng.integers(1, 20)) * 2,
        "intermediate_size": int(rng.integers(2, 900)),
        "tie_embeddings": bool(rng.random() < 0.5) if tied is None else tied,
    }


def _same_prediction(student, *asked, only=None):
    got, want = student(*asked), predict(*asked)
    expect.true(isinstance(got, dict) and set(got) == set(want), "Return a dict of flops, bytes, held, seconds, bound.")
    for name in only or want:
        if name == "bound":
            expect.equal(got[name], want[name])
        else:
            expect.close(expect.number(got[name]), want[name], atol=0, rtol=1e-9)


def _settings(rng):
    return float(_pick(rng, [4.0, 2.0, 1.0, 0.5])), float(_pick(rng, [4.0, 2.0]))


DEVICE = {"flops": 1e12, "bytes": 2e10}


@check("predict", hint="Write down the shape of every matrix of a layer; heads have a width of their own.")
def counts_operations_of_decoding(student, rng):
    for _ in range(8):
        asked = (_model(rng), "decode", int(rng.integers(1, 20)), int(rng.integers(1, 900)), *_settings(rng), DEVICE)
        _same_prediction(student, *asked, only=["flops"])


@check("predict", hint="A prompt: which positions does each matrix see, and how many pairs of query and key are there?")
def counts_operations_of_reading(student, rng):
    for length in (1, 2, 3, 17, 512):
        asked = (_model(rng), "prefill", int(rng.integers(1, 20)), length, *_settings(rng), DEVICE)
        _same_prediction(student, *asked, only=["flops"])


@check("predict", hint="Weights once for the whole batch, keys and values for each sequence; each with its own bytes.")
def counts_bytes_that_move(student, rng):
    for phase in ("prefill", "decode"):
        for batch, length in ((1, 1), (1, 300), (16, 1), (7, 90)):
            _same_prediction(student, _model(rng), phase, batch, length, *_settings(rng), DEVICE, only=["bytes"])
        _same_prediction(student, _model(rng), phase, 3, 40, 0.5, 4.0, DEVICE, only=["bytes"])
        _same_prediction(student, _model(rng), phase, 3, 40, 4.0, 0.5, DEVICE, only=["bytes"])


@check("predict", hint="What is held beside what is moved: whose embeddings are a matrix of their own?")
def counts_bytes_that_are_held(student, rng):
    for tied, phase in itertools.product((True, False), ("prefill", "decode")):
        for _ in range(2):
            _same_prediction(student, _model(rng, tied), phase, 2, 30, *_settings(rng), DEVICE, only=["bytes", "held"])


@check("predict", hint="Two times, and the longer one counts; equal ones are memory's.")
def takes_the_longer_time(student, rng):
    for phase, batch in (("decode", 1), ("prefill", 40), ("decode", 300)):
        asked = (_model(rng), phase, batch, 20, *_settings(rng))
        work = predict(*asked, DEVICE)
        for ratio in (0.3, 0.99, 1.0, 1.01, 5.0):
            device = {"flops": work["flops"], "bytes": work["bytes"] * ratio}
            _same_prediction(student, *asked, device, only=["seconds", "bound"])
        _same_prediction(student, *asked, DEVICE)


@check("predict", hint="A phase of another name, no sequence, no position: ValueError with a message.")
def refuses_passes_that_there_are_not(student, rng):
    model = _model(rng)
    for phase, batch, length in (("", 1, 1), ("Prefill", 1, 1), ("decode", 0, 5), ("prefill", 5, 0), ("decode", -1, 5)):
        expect.raises(student, ValueError, model, phase, batch, length, 4.0, 4.0, DEVICE)


# Task 3: take_samples


class _Device:
    """The fake device once more, with what its clock would show for a sample taken by the rules."""

    def __init__(self, machine, process):
        self.machine, self.random = machine, np.random.default_rng([machine["seed"], process])
        self.speed = math.exp(machine["between"] * self.random.normal())
        self.clock, self.free_at = 0.0, machine["loading"]
        self.counts, self.seen = {}, set()

    def sample(self, variant, prompt):
        """Seconds between two readings, each after a synchronisation."""
        own, count = self.machine, self.counts.get(variant, 0)
        began = max(self.clock, self.free_at) + 2e-6
        launched = began + 5e-6
        factor = self.speed * math.exp(own["noise"] * self.random.normal())
        factor *= (1 + (own["cold"] - 1) * math.exp(-count / own["settle"])) * (
            1 + own["drift"] * (1 - math.exp(-launched))
        )
        if self.random.random() < own["outliers"]:
            factor *= 3.0
        if (variant, prompt) in self.seen:
            factor /= 50
        self.free_at = launched + own["seconds"][variant] * factor
        self.clock = self.free_at + 2e-6
        self.counts[variant] = count + 1
        self.seen.add((variant, prompt))
        return self.clock - began


@oracle("take_samples")
def take_samples(machine, variants, processes, rounds, seed):
    """By the device above, in an order from random keys."""
    if len(variants) == 0 or min(processes, rounds) < 1:
        raise ValueError("Expected variants, processes and rounds.")
    if "open" in machine:
        raise ValueError("This stand-in knows made-up machines alone.")
    rng, rows = np.random.default_rng([seed, 1]), []
    for process in range(processes):
        device = _Device(machine, process)

        def add(number, variant, prompt, process=process, device=device):
            row = {"process": process, "round": number, "variant": variant, "prompt": prompt}
            rows.append({**row, "seconds": device.sample(variant, prompt)})
            return rows[-1]["seconds"]

        for variant in variants:
            taken = []
            for k in range(MOST_WARM_UPS):
                taken.append(add(0, variant, 1000 + k))
                if _is_warm(taken):
                    break
        for number in range(1, rounds + 1):
            for _, variant in sorted((float(rng.random()), name) for name in variants):
                add(number, variant, number)
    return rows


@covers("take_samples")
def is_a_small_measurement(machine, variants, processes, rounds, seed):
    """Variants of the machine, and numbers that a check could ask for."""
    whole = all(isinstance(one, int) and one < 200 for one in (processes, rounds)) and isinstance(seed, int)
    return whole and seed >= 0 and processes * rounds < 400 and set(variants) <= set(machine["seconds"])


@latitude("take_samples")
def was_taken_by_the_rules(arguments, reference, given):
    """Samples in another order, with other prompts, that the device gives again."""
    machine, variants, processes, rounds, _ = arguments
    return _complaint(given, machine, variants, processes, rounds) is None and _varied(given, variants, rounds)


def _varied(rows, variants, rounds):
    """Whether the order changes, where many rounds have to show it."""
    if len(variants) < 2 or rounds < 12:
        return True
    return len({tuple(_order(rows, 0, number)) for number in range(1, rounds + 1)}) > 1


def _order(rows, process, number):
    return [one["variant"] for one in rows if one["process"] == process and one["round"] == number]


KEYS = {"process", "round", "variant", "prompt", "seconds"}


def _complaint(rows, machine, variants, processes, rounds):
    """A hint for the first rule that the samples break, None where they keep all."""
    if not isinstance(rows, list) or not all(_is_row(one, variants) for one in rows):
        return "Return a list of dicts: process, round, variant, prompt and seconds, each of its type."
    if sorted({one["process"] for one in rows}) != list(range(processes)):
        return "There is a device for each process, counted from 0."
    for process in range(processes):
        own = [one for one in rows if one["process"] == process]
        for rule in (_rounds_complaint, _prompts_complaint, _clock_complaint, _warm_complaint):
            sentence = rule(own, machine, variants, rounds)
            if sentence:
                return sentence
    return None


def _is_row(one, variants):
    if not isinstance(one, dict) or set(one) != KEYS or one["variant"] not in variants:
        return False
    whole = all(type(one[name]) is int for name in ("process", "round", "prompt"))
    return whole and type(one["seconds"]) is float and math.isfinite(one["seconds"])


def _rounds_complaint(own, machine, variants, rounds):
    numbers = [one["round"] for one in own]
    measured = numbers[numbers.count(0) :]
    if 0 in measured:
        return "In each process the warm-ups, round 0, come first, and the rounds after them."
    wanted = [number for number in range(1, rounds + 1) for _ in variants]
    each = all(sorted(_order(own, own[0]["process"], number)) == sorted(variants) for number in set(wanted))
    if measured != wanted or not each:
        return "In each round of a process every variant comes once, and the rounds are counted from 1."
    return None


def _prompts_complaint(own, machine, variants, rounds):
    pairs = [(one["variant"], one["prompt"]) for one in own]
    if len(set(pairs)) < len(pairs):
        return "A variant reads a prompt a second time in its process, warm-ups counted: that answer is cached."
    of_round = {(one["round"], one["prompt"]) for one in own if one["round"]}
    if len(of_round) != rounds or len({prompt for _, prompt in of_round}) != rounds:
        return "The variants of a round get the same prompt, so that they do the same work, and each round a new one."
    return None


def _clock_complaint(own, machine, variants, rounds):
    device = _Device(machine, own[0]["process"])
    for one in own:
        true = device.sample(one["variant"], one["prompt"])
        if abs(one["seconds"] - true) > 0.01 * true + 2e-5:
            early = "A clock was read while the device was still at work; it has to be waited for before each reading."
            other = "A sample holds more than its own launch, or the samples are not in the order in which they ran."
            return early if one["seconds"] < true else other
    return None


def _warm_complaint(own, machine, variants, rounds):
    for name in variants:
        seconds = [one["seconds"] for one in own if one["variant"] == name and not one["round"]]
        first = next((k for k in range(MOST_WARM_UPS) if _is_warm(seconds[:k])), MOST_WARM_UPS)
        if len(seconds) != first:
            return "A variant's warm-ups end as soon as is_warm says so of all their seconds, and after 30 in any case."
    return None


def _machine(rng, n_variants=2, **values):
    names = ["alpha", "beta", "gamma", "delta"][:n_variants]
    seconds = {name: float(rng.uniform(0.002, 0.05)) for name in names}
    quiet = {"loading": 0.0, "between": 0.0, "cold": 1.0, "settle": 3.0, "drift": 0.0, "noise": 0.0, "outliers": 0.0}
    return {"seconds": seconds, "seed": int(rng.integers(10**6)), **quiet, **values}, names


def _taken(student, machine, names, processes, rounds, seed=5):
    rows = student(machine, names, processes, rounds, seed, seconds=SLOW)
    sentence = _complaint(rows, machine, names, processes, rounds)
    expect.true(sentence is None, sentence)
    return rows


@check("take_samples", hint="On a device without noise the clock has to show exactly what an answer takes.")
def waits_for_the_device(student, rng):
    for n_variants in (1, 2, 3):
        machine, names = _machine(rng, n_variants)
        _taken(student, machine, names, 2, 4)


@check("take_samples", hint="A device that is busy from the start: what is under way belongs to no sample.")
def waits_before_the_first_launch(student, rng):
    for loading in (0.001, 0.2, 3.0):
        machine, names = _machine(rng, 2, loading=loading)
        _taken(student, machine, names, 2, 2)


@check("take_samples", hint="Cold starts of different length, one without an end: how many warm-ups has each variant?")
def warms_up_as_long_as_it_takes(student, rng):
    for cold, settle in ((1.0, 1.0), (3.0, 1.0), (9.0, 3.0), (40.0, 5.0), (1e4, 9.0)):
        machine, names = _machine(rng, 2, cold=cold, settle=settle, noise=0.01, between=0.1)
        _taken(student, machine, names, 3, 1)


@check("take_samples", hint="Drift, noise and outliers change nothing in how it is done, with several processes.")
def measures_a_restless_device(student, rng):
    for outliers in (0.0, 0.1, 0.4):
        machine, names = _machine(rng, 3, cold=5.0, drift=0.5, noise=0.05, outliers=outliers, between=0.2, loading=0.1)
        _taken(student, machine, names, 3, 8, int(rng.integers(100)))


@check("take_samples", hint="Over many rounds each order of the variants comes up, not one alone, nor its rotations.")
def draws_the_order_by_lot(student, rng):
    machine, names = _machine(rng, 3)
    rows = _taken(student, machine, names, 1, 100)
    orders = {tuple(_order(rows, 0, number)) for number in range(1, 101)}
    expect.equal(len(orders), 6)


@check("take_samples", hint="The seed decides the order: the same one, the same samples; another one, another order.")
def follows_the_seed(student, rng):
    machine, names = _machine(rng, 2, noise=0.02)
    first, again, other = (_taken(student, machine, names, 2, 20, seed) for seed in (3, 3, 4))
    expect.equal(again, first)
    orders = [[_order(rows, 0, number) for number in range(1, 21)] for rows in (first, other)]
    expect.true(orders[0] != orders[1], "The seed has to reach the order.")


@check("take_samples", hint="Nothing to measure, no process or no round: ValueError with a message.")
def refuses_measurements_of_nothing(student, rng):
    machine, names = _machine(rng)
    for variants, processes, rounds in (([], 1, 1), (names, 0, 1), (names, 1, 0), (names, -1, 2), (names, 2, -1)):
        expect.raises(student, ValueError, machine, variants, processes, rounds, 1)


# Task 4: speed_up

T_95 = {3: 4.3027, 4: 3.1824, 5: 2.7764, 6: 2.5706, 7: 2.4469, 8: 2.3646, 9: 2.3060, 10: 2.2622}


def _middle(values):
    values = sorted(values)
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2


@oracle("speed_up")
def speed_up(samples, baseline, variant):
    """Process by process, with sums written out."""
    rows = [one for one in samples if one["round"] != 0]
    if not all(any(one["variant"] == name for one in rows) for name in (baseline, variant)):
        raise ValueError("Expected samples of both.")
    logs = []
    for process in sorted({one["process"] for one in rows}):
        parts = [
            [one["seconds"] for one in rows if one["variant"] == name and one["process"] == process]
            for name in (baseline, variant)
        ]
        if parts[0] and parts[1]:
            logs.append(math.log(_middle(parts[0]) / _middle(parts[1])))
    n = len(logs)
    if n < 3:
        return {"speed_up": None, "low": None, "high": None, "verdict": "too few"}
    mean = sum(logs) / n
    reach = T_95[n] * math.sqrt(sum((one - mean) ** 2 for one in logs) / (n - 1) / n)
    low, high = math.exp(mean - reach), math.exp(mean + reach)
    if low <= 1 <= high:
        return {"speed_up": None, "low": low, "high": high, "verdict": "not shown"}
    return {"speed_up": math.exp(mean), "low": low, "high": high, "verdict": "faster" if low > 1 else "slower"}


@covers("speed_up")
def are_samples_of_some_processes(samples, baseline, variant):
    """At most ten processes, seconds above 0."""
    return len({one["process"] for one in samples}) <= 10 and all(one["seconds"] > 0 for one in samples)


@latitude("speed_up")
def is_the_same_finding(arguments, reference, given):
    """The same verdict, and numbers up to rounding."""
    if not isinstance(given, dict) or set(given) != set(reference) or given["verdict"] != reference["verdict"]:
        return False
    for name in ("speed_up", "low", "high"):
        if (given[name] is None) != (reference[name] is None):
            return False
        if given[name] is not None and not math.isclose(given[name], reference[name], rel_tol=1e-7):
            return False
    return True


def _samples(rng, ratios, rounds=5, spread=0.01, names=("base", "new")):
    """Samples of two variants; in each process the medians have a ratio of their own."""
    rows = []
    for process, ratio in enumerate(ratios):
        speed = float(np.exp(rng.normal(0, 0.3)))
        for name, seconds in ((names[0], 0.1 * speed), (names[1], 0.1 * speed / ratio)):
            for k in range(-3, rounds):
                cold = 4.0 if k < 0 else 1.0
                value = float(seconds * cold * np.exp(spread * rng.normal()) * (8 if rng.random() < 0.1 else 1))
                rows.append(
                    {"process": process, "round": max(k + 1, 0), "variant": name, "prompt": k, "seconds": value}
                )
    return [rows[place] for place in rng.permutation(len(rows)).tolist()]


def _same_finding(student, *asked):
    got, want = student(*asked), speed_up(*asked)
    expect.true(isinstance(got, dict) and set(got) == set(want), "Return a dict of speed_up, low, high and verdict.")
    for name in ("low", "high", "speed_up"):
        if want[name] is None:
            expect.equal(got[name], None, hint="What may not be reported is None.")
        else:
            expect.close(expect.number(got[name]), want[name], atol=0, rtol=1e-6)
    expect.equal(got["verdict"], want["verdict"])


@check("speed_up", hint="Make up processes of different speed: medians within each, logarithms of their ratios, and T.")
def follows_the_processes(student, rng):
    for n in range(3, 11):
        for rounds in (1, 4, 5):
            _same_finding(student, _samples(rng, np.exp(rng.normal(0.5, 0.2, n)), rounds), "base", "new")


@check("speed_up", hint="Faster, slower or neither: which numbers may be told? Turn both names round.")
def says_what_was_shown(student, rng):
    for centre in (0.7, 0.0, -0.7):
        for width in (0.001, 0.1, 1.0):
            samples = _samples(rng, np.exp(centre + width * rng.normal(size=4)))
            _same_finding(student, samples, "base", "new")
            _same_finding(student, samples, "new", "base")


@check("speed_up", hint="Equal medians in every process: an interval from 1 to 1 shows nothing.")
def shows_nothing_at_one(student, rng):
    samples = _samples(rng, [1.0] * 4)
    _same_finding(student, samples, "base", "base")
    for end in (0.5, 2.0):
        level = math.exp(T_95[3] * 0.1 / math.sqrt(3))
        _same_finding(student, _exact([level * math.exp(0.1 * k) * end for k in (-1, 0, 1)]), "base", "new")


def _exact(ratios):
    """One sample each, without noise."""
    rows = []
    for process, ratio in enumerate(ratios):
        for name, seconds in (("base", float(ratio)), ("new", 1.0)):
            rows.append({"process": process, "round": 1, "variant": name, "prompt": 1, "seconds": seconds})
    return rows


@check(
    "speed_up",
    hint="Many samples of two processes are still two; a process that lacks a variant does not count.",
)
def counts_processes_not_samples(student, rng):
    for n in (1, 2, 3):
        samples = _samples(rng, [2.0] * n, 40)
        _same_finding(student, samples, "base", "new")
        lonely = [dict(one, process=n + one["process"]) for one in samples if one["variant"] == "base"]
        _same_finding(student, samples + lonely, "base", "new")
        _same_finding(student, lonely + samples, "new", "base")


@check("speed_up", hint="Round 0 holds warm-ups, of any length and in any number, and they say nothing.")
def leaves_warm_ups_out(student, rng):
    samples = _samples(rng, [1.5, 1.6, 1.7])
    heated = [dict(one, round=0, seconds=100 * one["seconds"]) for one in samples for _ in range(3)]
    _same_finding(student, heated + samples, "base", "new")
    only_warm = [dict(one, process=9, round=0) for one in samples]
    _same_finding(student, samples + only_warm, "base", "new")


@check("speed_up", hint="A name without measured samples: ValueError, also where there are warm-ups of it.")
def refuses_unmeasured_variants(student, rng):
    samples = _samples(rng, [1.5, 1.6, 1.7])
    expect.raises(student, ValueError, samples, "base", "other")
    expect.raises(student, ValueError, samples, "other", "new")
    expect.raises(student, ValueError, [], "base", "new")
    cold = [one for one in samples if one["variant"] == "base" or not one["round"]]
    expect.raises(student, ValueError, cold, "base", "new")


# Task 5: fold


def _scores(queries, keys, first_query, first_key):
    scores = np.full((len(queries), len(keys)), -np.inf)
    for i, j in itertools.product(range(len(queries)), range(len(keys))):
        if first_key + j <= first_query + i:
            scores[i, j] = float(np.dot(queries[i], keys[j])) / math.sqrt(queries.shape[1])
    return scores


@oracle("fold")
def fold(state, queries, keys, values, first_query, first_key):
    """Row by row, key by key."""
    if keys.shape[1] != queries.shape[1] or len(values) != len(keys):
        raise ValueError("Queries, keys and values do not fit.")
    n = len(queries)
    new = {"maximum": np.full(n, -np.inf), "total": np.zeros(n), "weighted": np.zeros((n, values.shape[1]))}
    new = new if state is None else {name: np.array(one, dtype=float) for name, one in state.items()}
    scores = _scores(queries, keys, first_query, first_key)
    for i, j in itertools.product(range(n), range(len(keys))):
        if scores[i, j] == -np.inf:
            continue
        top = max(new["maximum"][i], scores[i, j])
        old, weight = math.exp(new["maximum"][i] - top), math.exp(scores[i, j] - top)
        new["maximum"][i] = top
        new["total"][i] = old * new["total"][i] + weight
        new["weighted"][i] = old * new["weighted"][i] + weight * values[j]
    return new


@covers("fold")
def is_a_tile(state, queries, keys, values, first_query, first_key):
    """Finite arrays of two axes, at least one query, a width of 1 or more, and a state that fits them."""
    arrays = [queries, keys, values]
    if not all(isinstance(one, np.ndarray) and one.ndim == 2 and one.dtype == np.float64 for one in arrays):
        return False
    if not all(np.all(np.isfinite(one)) and np.all(np.abs(one) < 1e4) for one in arrays) or queries.size == 0:
        return False
    whole = all(isinstance(one, int) and abs(one) < 10**6 for one in (first_query, first_key))
    return whole and (state is None or state["weighted"].shape == (len(queries), values.shape[1]))


@latitude("fold")
def is_the_same_state(arguments, reference, given):
    """Small errors of rounding in sums."""
    if not isinstance(given, dict) or set(given) != set(reference):
        return False
    return all(
        np.shape(given[name]) == reference[name].shape
        and np.allclose(given[name], reference[name], rtol=1e-6, atol=1e-9)
        for name in reference
    )


def _heads(rng, n, m, d=6, d_value=4, size=1.0):
    return size * rng.normal(size=(n, d)), rng.normal(size=(m, d)), rng.normal(size=(m, d_value))


def _state(given, n, d_value):
    form = "Return a dict of maximum (n,), total (n,) and weighted (n, d_value)."
    expect.true(isinstance(given, dict) and set(given) == {"maximum", "total", "weighted"}, form)
    expect.array(given["maximum"], (n,), "float", finite=False, hint=form)
    expect.array(given["total"], (n,), "float", hint=form)
    expect.array(given["weighted"], (n, d_value), "float", hint=form)
    expect.true(not np.any(np.isnan(given["maximum"])), "The maximum is never NaN; before any key it is -inf.")
    return given


def _folded(student, tiles, queries, keys, values, first_query):
    """Fold tiles of keys, each step's state checked; the state goes through this process, and holds no matrix."""
    state = None
    for begin, end in tiles:
        asked = (queries, keys[begin:end], values[begin:end], first_query, begin)
        state = _state(student(state, *asked), len(queries), values.shape[1])
    return state


def _attention(queries, keys, values, first_query):
    """Plain attention of all keys: (n, d_value), for queries that see a key."""
    scores = _scores(queries, keys, first_query, 0)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights @ values / weights.sum(axis=1, keepdims=True)


def _is_attention(state, queries, keys, values, first_query, hint=None):
    got = state["weighted"] / state["total"][:, np.newaxis]
    expect.close(got, _attention(queries, keys, values, first_query), atol=1e-9, rtol=1e-9, hint=hint)


def _cuts(rng, m, n_tiles):
    edges = np.sort(rng.integers(0, m + 1, n_tiles - 1)).tolist()
    return list(itertools.pairwise([0, *edges, m]))


@check("fold", hint="All keys in one tile: that is plain attention, with its largest score and its sum.")
def is_attention_in_one_tile(student, rng):
    for n, m, d, d_value in ((1, 1, 1, 1), (4, 9, 6, 3), (9, 9, 4, 8), (1, 20, 16, 2)):
        given = _heads(rng, n, m, d, d_value)
        state = _folded(student, [(0, m)], *given, m - n)
        want = fold(None, *given, m - n, 0)
        for name in want:
            expect.close(state[name], want[name], atol=1e-9, rtol=1e-9, hint=f"Compare {name} with that of a softmax.")
        _is_attention(state, *given, m - n)


@check("fold", hint="Cut the keys into tiles of any sizes, one key or none among them: nothing may change.")
def is_the_same_in_any_tiles(student, rng):
    for n_tiles in (2, 3, 7, 15):
        queries, keys, values = _heads(rng, 5, 24, size=3.0)
        state = _folded(student, _cuts(rng, 24, n_tiles), queries, keys, values, 19)
        _is_attention(state, queries, keys, values, 19)
        want = fold(None, queries, keys, values, 19, 0)
        for name in want:
            expect.close(state[name], want[name], atol=1e-8, rtol=1e-8)


@check("fold", hint="Tiles in any order, the last keys first: a query may see nothing of its first tiles.")
def does_not_mind_the_order(student, rng):
    for _ in range(4):
        queries, keys, values = _heads(rng, 6, 24, size=3.0)
        tiles = _cuts(rng, 24, 6)
        tiles = [tiles[place] for place in rng.permutation(len(tiles)).tolist()]
        _is_attention(_folded(student, tiles, queries, keys, values, 18), queries, keys, values, 18)
        _is_attention(_folded(student, tiles[::-1], queries, keys, values, 0), queries, keys, values, 0)


@check("fold", hint="Positions begin anywhere: a query sees its own key and those before; the last one sees most.")
def knows_who_sees_whom(student, rng):
    queries, keys, values = _heads(rng, 4, 8)
    for first_query, first_key in itertools.product((0, 3, 4, 5, 100), repeat=2):
        state = _state(student(None, queries, keys, values, first_query, first_key), 4, 4)
        want = fold(None, queries, keys, values, first_query, first_key)
        for name in want:
            expect.close(state[name], want[name], atol=1e-9, rtol=1e-9)


@check(
    "fold",
    hint="Until a query has seen a key it has -inf, 0 and zeros; its first key makes an end of that.",
)
def waits_for_a_key(student, rng):
    queries, keys, values = _heads(rng, 3, 6)
    state = _state(student(None, queries, keys, values, 0, 50), 3, 4)
    expect.equal(state["maximum"], np.full(3, -np.inf))
    expect.close(state["total"], np.zeros(3), atol=0)
    expect.close(state["weighted"], np.zeros((3, 4)), atol=0)
    again = _state(student(state, queries, keys[:0], values[:0], 0, 9), 3, 4)
    expect.equal(again["maximum"], np.full(3, -np.inf))
    state = _state(student(again, queries, keys, values, 5, 0), 3, 4)
    _is_attention(state, queries, keys, values, 5)


@check("fold", hint="Scores of some thousands, rising and falling from tile to tile: what may reach exp?")
def stands_large_scores(student, rng):
    for size in (1e3, 1e4):
        queries, keys, values = _heads(rng, 4, 20, size=size)
        for tiles in (_cuts(rng, 20, 6), _cuts(rng, 20, 6)[::-1]):
            state = _folded(student, tiles, queries, keys, values, 16)
            _is_attention(state, queries, keys, values, 16)
            expect.true(bool(np.all(state["total"] >= 1 - 1e-9)), "The largest score has the weight 1 in total.")
    queries, keys, values = _heads(rng, 4, 20)
    low = _folded(student, _cuts(rng, 20, 4), queries, keys - 1000 * np.sign(queries[0]), values, 16)
    _is_attention(low, queries, keys - 1000 * np.sign(queries[0]), values, 16)


@check("fold", hint="Keys of another width than queries, values of another number than keys: ValueError.")
def refuses_tiles_that_do_not_fit(student, rng):
    queries, keys, values = _heads(rng, 3, 6)
    state = fold(None, queries, keys, values, 3, 0)
    for before in (None, state):
        expect.raises(student, ValueError, before, queries, keys[:, :5], values, 3, 0)
        expect.raises(student, ValueError, before, queries[:, :1], keys, values, 3, 0)
        expect.raises(student, ValueError, before, queries, keys, values[:5], 3, 0)
        expect.raises(student, ValueError, before, queries, keys[:1], values, 3, 0)


# Task 6: share_block

OUTPUTS, INPUTS = ("gate", "up", "query", "key", "value"), ("down", "output")


@oracle("share_block")
def share_block(block, world, batch, device):
    """Rank by rank, with places picked one by one."""
    counts = [block["gate"].shape[0], block["n_heads"], block["n_kv_heads"]]
    if world < 1 or sum(count % world for count in counts):
        raise ValueError("The block cannot be shared evenly.")
    parts = []
    for rank in range(world):
        part = {name: block[name] // world for name in ("n_heads", "n_kv_heads")}
        for name in OUTPUTS + INPUTS:
            length = block[name].shape[name in INPUTS]
            places = [k for k in range(length) if k * world // length == rank]
            part[name] = np.take(block[name], places, axis=int(name in INPUTS))
        parts.append(part)
    of_a_sum = 2 * (world - 1) * batch * block["gate"].shape[1] * 4 / world
    alone = sum(block[name].size for name in OUTPUTS + INPUTS) * 4 / device["bytes"]
    waiting = 0.0 if world == 1 else 2 * (device["latency"] + of_a_sum / device["link"])
    return {"parts": parts, "sent": 2 * of_a_sum, "alone": alone, "shared": alone / world + waiting}


@covers("share_block")
def is_a_block_to_share(block, world, batch, device):
    """Whole numbers, a batch of 1 or more."""
    whole = all(isinstance(one, int) and not isinstance(one, bool) for one in (world, batch))
    return whole and 1 <= batch < 10**6 and world < 1000


@latitude("share_block")
def shares_alike(arguments, reference, given):
    """The same parts, and numbers up to rounding."""
    if not isinstance(given, dict) or set(given) != set(reference) or len(given["parts"]) != len(reference["parts"]):
        return False
    for part, wanted in zip(given["parts"], reference["parts"], strict=True):
        if set(part) != set(wanted) or any(not np.array_equal(part[name], wanted[name]) for name in wanted):
            return False
    return all(math.isclose(given[name], reference[name], rel_tol=1e-9) for name in ("sent", "alone", "shared"))


def _block(rng, n_ff=12, d=10, n_heads=4, n_kv_heads=2, head_dim=3):
    rows, kv = n_heads * head_dim, n_kv_heads * head_dim
    shapes = {"gate": (n_ff, d), "up": (n_ff, d), "down": (d, n_ff), "query": (rows, d)}
    shapes |= {"key": (kv, d), "value": (kv, d), "output": (d, rows)}
    matrices = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return matrices | {"n_heads": n_heads, "n_kv_heads": n_kv_heads}


LINK = {"bytes": 3e9, "latency": 2e-5, "link": 5e8}


def _shared(student, block, world, batch=1, device=LINK):
    given = student(block, world, batch, device)
    form = "Return a dict of parts, a list with a dict for each process, and of sent, alone and shared."
    expect.true(isinstance(given, dict) and set(given) == {"parts", "sent", "alone", "shared"}, form)
    expect.true(isinstance(given["parts"], list) and len(given["parts"]) == world, form)
    for part in given["parts"]:
        expect.true(isinstance(part, dict) and set(part) == set(block), "A part has the keys of the block.")
        for name in ("n_heads", "n_kv_heads"):
            whole = type(part[name]) is int and part[name] == block[name] // world
            expect.true(whole, "How many heads does a part have? A whole number.")
        for name in OUTPUTS + INPUTS:
            shape = list(block[name].shape)
            shape[name in INPUTS] //= world
            expect.array(part[name], tuple(shape), "float", hint=f"By which axis is {name} cut?")
    return given


def _feed_forward(part, x):
    gate = x @ np.asarray(part["gate"], dtype=float).T
    return (gate / (1 + np.exp(-gate)) * (x @ part["up"].T)) @ part["down"].T


def _attended(part, x):
    """Attention of one part's heads over the rows of x, not causal."""
    n, per = len(x), part["n_heads"] // part["n_kv_heads"]
    q, k, v = (
        (x @ part[name].T).reshape(n, heads, -1)
        for name, heads in (("query", part["n_heads"]), ("key", part["n_kv_heads"]), ("value", part["n_kv_heads"]))
    )
    mixed = []
    for head in range(part["n_heads"]):
        scores = np.exp(q[:, head] @ k[:, head // per].T / math.sqrt(q.shape[2]))
        mixed.append(scores @ v[:, head // per] / scores.sum(axis=1, keepdims=True))
    return np.concatenate(mixed, axis=1) @ part["output"].T


BLOCKS = ((2, 12, 10, 4, 2), (3, 9, 7, 9, 3), (4, 16, 12, 8, 4), (2, 6, 6, 2, 2), (5, 10, 4, 5, 5))


@check("share_block", hint="Add up the feed-forward results of all parts: that has to be the result of the whole.")
def adds_up_to_the_feed_forward_part(student, rng):
    for world, *sizes in BLOCKS:
        block = _block(rng, *sizes)
        parts = _shared(student, block, world)["parts"]
        x = rng.normal(size=(3, sizes[1]))
        expect.close(sum(_feed_forward(part, x) for part in parts), _feed_forward(block, x), atol=1e-4, rtol=1e-4)


@check(
    "share_block",
    hint="Add up the attention of all parts: every head is somewhere, with its own keys and values.",
)
def adds_up_to_attention(student, rng):
    for world, *sizes in BLOCKS:
        block = _block(rng, *sizes)
        parts = _shared(student, block, world)["parts"]
        x = 0.3 * rng.normal(size=(4, sizes[1]))
        expect.close(sum(_attended(part, x) for part in parts), _attended(block, x), atol=1e-4, rtol=1e-4)


@check("share_block", hint="Process r has the r-th consecutive part of every matrix, exactly, in its own dtype.")
def cuts_in_order(student, rng):
    for world, *sizes in BLOCKS:
        block = _block(rng, *sizes)
        want = share_block(block, world, 1, LINK)["parts"]
        for part, wanted in zip(_shared(student, block, world)["parts"], want, strict=True):
            for name in OUTPUTS + INPUTS:
                expect.equal(part[name], wanted[name])
                expect.dtype(part[name], "float32")


@check("share_block", hint="Two sums in a layer, in a ring: how many bytes does one process send, for batch and world?")
def counts_what_is_sent(student, rng):
    for world, *sizes in BLOCKS:
        block = _block(rng, *sizes)
        for batch in (1, 2, 33):
            got = expect.number(_shared(student, block, world, batch)["sent"])
            expect.close(got, share_block(block, world, batch, LINK)["sent"], atol=1e-9, rtol=1e-9)


@check(
    "share_block",
    hint="Weights over the memory's rate, alone; a share of it, two latencies and what is sent, shared.",
)
def predicts_seconds(student, rng):
    for world, *sizes in BLOCKS:
        block = _block(rng, *sizes)
        for latency, link, batch in ((0.0, 1e6, 1), (1e-2, 1e12, 1), (1e-5, 1e4, 9), (3e-6, 1e7, 3)):
            device = {"bytes": float(rng.uniform(1e4, 1e8)), "latency": latency, "link": link}
            got, want = _shared(student, block, world, batch, device), share_block(block, world, batch, device)
            for name in ("alone", "shared"):
                expect.close(expect.number(got[name]), want[name], atol=0, rtol=1e-9)


@check("share_block", hint="A single process: the whole block, nothing sent, nothing waited for.")
def leaves_one_process_alone(student, rng):
    block = _block(rng)
    got = _shared(student, block, 1, 4)
    expect.close(expect.number(got["sent"]), 0.0, atol=0)
    expect.close(expect.number(got["shared"]), expect.number(got["alone"]), atol=0)
    for name in OUTPUTS + INPUTS:
        expect.equal(got["parts"][0][name], block[name])


@check("share_block", hint="Columns, heads or heads of keys that do not divide, no process at all: ValueError.")
def refuses_uneven_shares(student, rng):
    for world, *sizes in (
        (2, 12, 10, 4, 1),
        (2, 11, 10, 4, 2),
        (3, 12, 10, 4, 2),
        (4, 12, 10, 4, 2),
        (8, 12, 10, 4, 2),
    ):
        expect.raises(student, ValueError, _block(rng, *sizes), world, 1, LINK)
        expect.raises(student, ValueError, _block(rng, *sizes, head_dim=24), world, 1, LINK)
    odd = _block(rng, 12, 10, 6, 2) | {"n_heads": 3}
    expect.raises(student, ValueError, odd, 2, 1, LINK)
    for world in (0, -1, -2):
        expect.raises(student, ValueError, _block(rng), world, 1, LINK)


# Task 7: quantize


@oracle("quantize")
def quantize(weights, bits, block):
    """Weight by weight."""
    if bits not in range(2, 9) or block < 1 or not all(math.isfinite(one) for one in weights.ravel()):
        raise ValueError("Expected bits, a block and finite weights.")
    codes, scales = np.zeros(weights.shape, dtype=np.int8), []
    for row, values in enumerate(np.asarray(weights, dtype=float)):
        for start in range(0, len(values), block):
            top = max(abs(one) for one in values[start : start + block].tolist())
            scales.append(top / (2 ** (bits - 1) - 1))
            for place in range(start, min(start + block, len(values))):
                codes[row, place] = round(values[place] / scales[-1]) if top else 0
    stored = math.ceil(codes.size * bits / 8) + 4 * len(scales)
    return {"codes": codes, "scales": np.array(scales).reshape(len(weights), -1), "bytes": stored}


@covers("quantize")
def is_a_matrix(weights, bits, block):
    """A matrix of numbers of a usual size, bits and block by number."""
    if not isinstance(weights, np.ndarray) or weights.ndim != 2 or weights.dtype.kind != "f" or weights.size == 0:
        return False
    finite = np.abs(weights[np.isfinite(weights) & (weights != 0)])
    usual = finite.size == 0 or (finite.min() > 1e-12 and finite.max() < 1e12)
    return bool(usual) and all(isinstance(one, int) and not isinstance(one, bool) for one in (bits, block))


@latitude("quantize")
def rounds_alike(arguments, reference, given):
    """Scales up to rounding; a weight half way between two numbers may get either."""
    weights, _, block = arguments
    if not isinstance(given, dict) or set(given) != set(reference) or given["bytes"] != reference["bytes"]:
        return False
    if given["codes"].dtype != np.int8 or given["codes"].shape != reference["codes"].shape:
        return False
    if given["scales"].shape != reference["scales"].shape:
        return False
    return bool(np.allclose(given["scales"], reference["scales"], rtol=1e-5, atol=0)) and _codes_fit(
        given["codes"], weights, reference["scales"], block
    )


def _codes_fit(codes, weights, scales, block):
    """Whether each code is a number nearest to its weight over its scale."""
    wide = np.repeat(scales, block, axis=1)[:, : weights.shape[1]]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(wide > 0, np.asarray(weights, dtype=float) / wide, 0.0)
    return bool(np.all(np.abs(codes - ratio) <= 0.5 + 1e-4))


def _quantized(student, weights, bits, block):
    given, want = student(weights, bits, block), quantize(weights, bits, block)
    form = "Return a dict of codes (n_out, n_in) int8, scales (n_out, n_blocks) float and bytes."
    expect.true(isinstance(given, dict) and set(given) == set(want), form)
    expect.array(given["codes"], weights.shape, "int8", hint=form)
    expect.array(given["scales"], want["scales"].shape, "float", hint=form)
    expect.close(given["scales"], want["scales"], atol=0, rtol=1e-6, hint="Largest weight over largest code.")
    expect.true(_codes_fit(given["codes"], weights, want["scales"], block), "Each code is the nearest whole number.")
    return given, want


@check("quantize", hint="Codes times scales: no weight may be off by more than half of its block's scale.")
def rounds_to_the_nearest(student, rng):
    for bits in range(2, 9):
        for block in (1, 4, 16):
            _quantized(student, rng.normal(size=(5, 16)), bits, block)


@check("quantize", hint="Blocks along the inputs of a row; where they do not divide, the last one is shorter.")
def cuts_rows_into_blocks(student, rng):
    for n_in, block in ((7, 3), (5, 5), (5, 6), (5, 1000), (9, 2), (1, 1), (1, 32)):
        weights = rng.normal(size=(3, n_in)) * 10.0 ** rng.integers(-4, 5, (3, n_in))
        _quantized(student, weights, int(rng.integers(2, 9)), block)
        _quantized(student, weights.astype(np.float32), 4, block)


@check("quantize", hint="One outlier spoils its own block alone; negative ones as much as positive ones.")
def keeps_outliers_to_their_block(student, rng):
    for sign in (-1.0, 1.0):
        weights = rng.normal(size=(4, 64))
        weights[2, 40] = sign * 1000
        given, _ = _quantized(student, weights, 8, 8)
        restored = given["codes"] * np.repeat(given["scales"], 8, axis=1)
        others = np.ones((4, 64), dtype=bool)
        others[2, 40:48] = False
        expect.true(bool(np.all(np.abs(restored - weights)[others] < 0.02)))
        expect.equal(int(given["codes"][2, 40]), int(sign) * 127)


@check("quantize", hint="A block of zeros: scale 0, codes 0, and no NaN on the way.")
def stands_blocks_of_zeros(student, rng):
    weights = rng.normal(size=(4, 12))
    weights[:, 4:8] = 0
    weights[2] = 0
    _quantized(student, weights, 4, 4)
    _quantized(student, np.zeros((2, 3)), 8, 2)


@check("quantize", hint="Codes packed bit by bit over the whole matrix, to whole bytes, and 4 bytes for each scale.")
def counts_what_is_stored(student, rng):
    for n_out, n_in, bits, block in ((4, 64, 4, 32), (3, 3, 3, 2), (1, 1, 2, 1), (5, 7, 5, 4), (2, 100, 8, 64)):
        given, want = _quantized(student, rng.normal(size=(n_out, n_in)), bits, block)
        expect.equal(given["bytes"], want["bytes"])


@check("quantize", hint="One bit, nine bits, a block of 0, weights that are not finite: ValueError.")
def refuses_what_cannot_be_rounded(student, rng):
    weights = rng.normal(size=(3, 8))
    for bits, block in ((1, 4), (0, 4), (9, 4), (16, 4), (4, 0), (4, -2)):
        expect.raises(student, ValueError, weights, bits, block)
    for bad in (np.nan, np.inf, -np.inf):
        spoilt = weights.copy()
        spoilt[1, 5] = bad
        expect.raises(student, ValueError, spoilt, 4, 4)


# Task 8: choose


def _divergence(p_logits, q_logits):
    """Mean over rows of KL(p || q), and the share of rows with the same best token."""
    divergences, same = [], 0
    for p_row, q_row in zip(np.asarray(p_logits, float), np.asarray(q_logits, float), strict=True):
        p, q = (row - np.logaddexp.reduce(row) for row in (p_row, q_row))
        divergences.append(math.fsum(np.exp(p) * (p - q)))
        same += int(np.argmax(p_row) == np.argmax(q_row))
    return math.fsum(divergences) / len(divergences), same / len(divergences)


@oracle("choose")
def choose(variants, limits, percentile, objective):
    """Variant by variant, in whole numbers where they are counted."""
    if len(variants) == 0 or percentile not in range(1, 100):
        raise ValueError("Expected variants and a percentile.")
    reference = variants[0]["logits"]
    if any(one["logits"].shape != reference.shape for one in variants):
        raise ValueError("Logits differ in shape.")
    reasons = {one["name"]: _reason(one, reference, limits, percentile, objective) for one in variants}
    fit = [one for one in variants if reasons[one["name"]] == ""]
    cheapest = sorted(fit, key=lambda one: one["cost"])
    return {"choice": cheapest[0]["name"] if fit else None, "reasons": reasons}


def _reason(one, reference, limits, percentile, objective):
    if not (np.isfinite(one["logits"]).all() and np.isfinite(reference).all()):
        return "parity"
    kl, top1 = _divergence(reference, one["logits"])
    if kl > limits["kl"] or top1 < limits["top1"]:
        return "parity"
    ordered = sorted(one["latencies"].tolist())
    place = next((k for k in range(1, len(ordered) + 1) if 100 * k >= percentile * len(ordered)), 0)
    if len(ordered) - place < 10:
        return "samples"
    return "slow" if ordered[place - 1] > objective else ""


@covers("choose")
def are_samples_of_variants(variants, limits, percentile, objective):
    """A whole percentile and a finite objective."""
    whole = isinstance(percentile, int) and not isinstance(percentile, bool)
    return whole and isinstance(objective, float) and math.isfinite(objective)


def _variant(rng, name, logits, latencies=None, cost=1.0):
    latencies = rng.uniform(0.1, 1.0, 400) if latencies is None else np.asarray(latencies, dtype=float)
    return {"name": name, "logits": logits, "latencies": latencies, "cost": float(cost)}


def _chosen(student, *asked):
    got, want = student(*asked), choose(*asked)
    expect.true(isinstance(got, dict) and set(got) == {"choice", "reasons"}, "Return a dict of choice and reasons.")
    expect.equal(got["reasons"], want["reasons"])
    expect.equal(got["choice"], want["choice"])
    return got


EASY = {"kl": 0.5, "top1": 0.0}


@check("choose", hint="Divergence of the variant from the reference, p the reference, mean over rows, near the limit.")
def weighs_the_divergence(student, rng):
    for size in (0.1, 1.0, 3.0):
        logits = rng.normal(0, 2, (25, 9))
        other = logits + size * rng.normal(size=logits.shape)
        variants = [_variant(rng, "base", logits), _variant(rng, "other", other, cost=0.5)]
        forth, back = _divergence(logits, other)[0], _divergence(other, logits)[0]
        for limit in (0.97 * forth, 1.03 * forth, (forth + back) / 2):
            _chosen(student, variants, {"kl": limit, "top1": 0.0}, 90, 2.0)


@check("choose", hint="Scores that are all shifted say the same; scores near a thousand, too: use log_softmax.")
def compares_distributions(student, rng):
    logits = rng.normal(0, 2, (20, 7))
    for other in (logits + 5.0, logits + rng.normal(size=(20, 1)), 1.0 * logits):
        _chosen(student, [_variant(rng, "a", logits), _variant(rng, "b", other, cost=0.1)], EASY, 90, 2.0)
    _chosen(student, [_variant(rng, "a", logits + 2e3), _variant(rng, "b", logits - 2e3)], EASY, 90, 2.0)
    _chosen(student, [_variant(rng, "a", logits), _variant(rng, "b", logits)], {"kl": 0.0, "top1": 1.0}, 90, 2.0)


@check("choose", hint="The best token of each row, counted: a share exactly at the limit is enough.")
def counts_best_tokens(student, rng):
    logits = rng.normal(0, 1, (20, 7))
    other = logits.copy()
    for row in range(3):
        best, second = np.argsort(logits[row])[[-1, -2]]
        other[row, [best, second]] = logits[row, [second, best]]
    for limit in (0.8, 0.85, 0.9, 1.0):
        variants = [_variant(rng, "a", logits, cost=3), _variant(rng, "b", other, cost=1)]
        _chosen(student, variants, {"kl": 100.0, "top1": limit}, 90, 2.0)


@check(
    "choose",
    hint="NaN compares with nothing: a broken variant has no parity, and beside a broken reference nobody has.",
)
def trusts_no_broken_logits(student, rng):
    logits = rng.normal(0, 1, (10, 6))
    for bad in (np.nan, np.inf, -np.inf):
        spoilt = logits.copy()
        spoilt[4, 2] = bad
        broken = _variant(rng, "broken", spoilt, cost=0.1)
        _chosen(student, [_variant(rng, "fine", logits), broken], EASY, 90, 2.0)
        _chosen(student, [broken, _variant(rng, "fine", logits)], EASY, 90, 2.0)


@check("choose", hint="Sort n latencies: at which place is the percentile, and how many lie beyond it?")
def asks_for_ten_beyond(student, rng):
    logits = rng.normal(0, 1, (6, 5))
    for percentile in (1, 2, 50, 55, 90, 95, 99):
        needed = next(n for n in range(1, 2000) if n - -(-percentile * n // 100) >= 10)
        for n in (0, 1, 9, needed - 1, needed, needed + 1, 1000, 1001):
            variants = [_variant(rng, "a", logits, rng.uniform(0.1, 1.0, n))]
            _chosen(student, variants, EASY, percentile, 2.0)


@check(
    "choose",
    hint="The smallest latency that so many per cent do not exceed, in any order; the objective may be met.",
)
def takes_the_right_latency(student, rng):
    logits = rng.normal(0, 1, (6, 5))
    for n, percentile in ((400, 95), (401, 95), (100, 90), (37, 70), (20, 50), (1000, 99), (21, 7), (333, 33)):
        latencies = rng.permutation(np.linspace(0.1, 1.0, n))
        ordered = np.sort(latencies)
        place = -(-percentile * n // 100)
        for objective in ordered[[place - 2, place - 1, min(place, n - 1)]].tolist():
            _chosen(student, [_variant(rng, "a", logits, latencies)], EASY, percentile, objective)


@check("choose", hint="Only one reason is told: answers first, then how many samples there are, then the time.")
def tells_the_first_reason(student, rng):
    logits = rng.normal(0, 2, (15, 6))
    off = logits + 4 * rng.normal(size=logits.shape)
    few, slow = np.full(30, 0.1), np.full(300, 9.0)
    variants = [
        _variant(rng, name, values, latencies, 1.0 + k)
        for k, (name, values, latencies) in enumerate(
            (
                ("base", logits, None),
                ("off and few", off, few),
                ("off and slow", off, slow),
                ("few and slow", logits, np.full(30, 9.0)),
                ("slow", logits, slow),
                ("off", off, None),
            )
        )
    ]
    _chosen(student, variants, {"kl": 0.05, "top1": 0.9}, 95, 2.0)


@check("choose", hint="The cheapest of those that fit, the first of equals, and None if none fits.")
def takes_the_cheapest_that_fits(student, rng):
    logits = rng.normal(0, 1, (6, 5))
    for _ in range(6):
        costs = rng.integers(1, 4, 6).tolist()
        variants = [
            _variant(rng, f"v{k}", logits, rng.permutation(np.linspace(0.1, 1.0, 300)) * rng.uniform(0.5, 1.5), cost)
            for k, cost in zip(rng.permutation(6), costs, strict=True)
        ]
        for objective in (0.05, 0.8, 5.0):
            _chosen(student, variants, EASY, 95, objective)


@check("choose", hint="No variants, a percentile of 0 or 100, logits of other shapes: ValueError.")
def refuses_what_cannot_be_compared(student, rng):
    logits = rng.normal(0, 1, (6, 5))
    fine = _variant(rng, "a", logits)
    expect.raises(student, ValueError, [], EASY, 90, 1.0)
    for percentile in (0, 100, -5, 150):
        expect.raises(student, ValueError, [fine], EASY, percentile, 1.0)
    for other in (logits[:5], logits[:, :4], logits[:1]):
        expect.raises(student, ValueError, [fine, _variant(rng, "b", other)], EASY, 90, 1.0)
