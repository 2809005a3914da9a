"""Hidden checks of Lab 12. They run outside of the student's process, on inputs drawn for each submission.

What an answer has to be comes from sums written out, Erlang's formula by the incomplete gamma function, bisection over
whole numbers of machines, an autoscaler that orders and sends away its machines one by one, windows that are added up
minute by minute, and the logarithm of Daly's formula, of which nothing overflows.
"""

import math
import statistics

import numpy as np
from scipy import special

from course.lab.checking import check, covers, expect, latitude, oracle

TINY = 1e-9
MANY = 30.0  # seconds for a call that asks queue many times


def _pick(rng, items):
    return items[int(rng.integers(len(items)))]


def _whole(*values):
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def _real(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _finite(*values):
    return all(_real(value) and math.isfinite(value) for value in values)


def _has(got, want, what):
    """The student's dict, with the keys of the oracle's."""
    expect.true(isinstance(got, dict) and set(got) == set(want), what)
    return got


def _same_numbers(got, want, names, rtol=1e-7, atol=1e-9):
    for name in names:
        expect.close(expect.number(got[name], finite=False), want[name], atol=atol, rtol=rtol)


# Task 1: service_time


@oracle("service_time")
def service_time(samples, read, written):
    """Sample by sample, by the standard library's statistics."""
    measured = [one for one in samples if one["warm_up"] is False]
    sizes = {one["batch"] for one in measured}
    if len(measured) < 2 or len(sizes) != 1 or min(read, written) < 1:
        raise ValueError("Expected two samples of one batch size, and tokens.")
    if written != 1 and any(one["written"] == 1 for one in measured):
        raise ValueError("No step was measured.")
    seconds = []
    for one in measured:
        a_step = 0.0 if written == 1 else one["decode"] / (one["written"] - 1)
        seconds.append(read * (one["prefill"] / one["read"]) + (written - 1) * a_step)
    mean = statistics.fmean(seconds)
    return {"seconds": mean, "scv": statistics.variance(seconds) / mean**2, "rate": sizes.pop() / mean}


@covers("service_time")
def are_samples(samples, read, written):
    """Times above 0 and whole numbers of tokens."""
    if not _whole(read, written) or not isinstance(samples, list):
        return False
    return all(
        _finite(one["prefill"], one["decode"]) and one["prefill"] > 0 and one["decode"] >= 0 and one["read"] >= 1
        for one in samples
    ) and all(one["written"] >= 1 and one["batch"] >= 1 for one in samples)


@latitude("service_time")
def measures_alike(arguments, reference, given):
    """Up to rounding."""
    return _alike(reference, given, ("seconds", "scv", "rate"))


def _alike(reference, given, numbers, rtol=1e-7, atol=1e-9):
    if not isinstance(given, dict) or set(given) != set(reference):
        return False
    for name in numbers:
        one, other = reference[name], given[name]
        if one is None or other is None:
            if one is not other:
                return False
        elif not _real(other) or not (one == other or math.isclose(one, other, rel_tol=rtol, abs_tol=atol)):
            return False
    return all(given[name] == reference[name] for name in reference if name not in numbers)


def _samples(rng, n, batch=1, equal=False):
    """A measurement with cold warm-ups, processes that differ, and now and then an outlier."""
    found = []
    read, written = int(rng.integers(8, 300)), int(rng.integers(2, 60))
    for place in range(n):
        if not equal:
            read, written = int(rng.integers(8, 300)), int(rng.integers(2, 60))
        slow = 4.0 if rng.random() < 0.15 else float(rng.uniform(0.9, 1.1))
        found.append(
            {
                "process": place % 3,
                "warm_up": False,
                "batch": batch,
                "read": read,
                "written": written,
                "prefill": 0.002 * read * slow,
                "decode": 0.03 * (written - 1) * slow,
            }
        )
    return found


def _served(student, samples, read, written):
    want = service_time(samples, read, written)
    got = _has(student(samples, read, written), want, "Return a dict of seconds, scv and rate.")
    _same_numbers(got, want, want)
    return got


@check("service_time", hint="The mean over samples and the variance over n - 1: outliers keep a machine busy, too.")
def takes_the_mean(student, rng):
    for n in (2, 3, 7, 24):
        samples = _samples(rng, n, equal=True)
        _served(student, samples, samples[0]["read"], samples[0]["written"])


@check("service_time", hint="Each sample has its own tokens; scale it before you take the mean and the variance.")
def scales_each_sample(student, rng):
    for _ in range(6):
        _served(student, _samples(rng, int(rng.integers(2, 12))), int(rng.integers(1, 400)), int(rng.integers(2, 90)))


@check("service_time", hint="How many steps of decoding does an answer of n tokens need, and how many for one token?")
def counts_steps(student, rng):
    samples = _samples(rng, 6)
    for written in (1, 2, 3, 50):
        _served(student, samples, 64, written)
    _served(student, samples, 1, 5)
    short = [one | {"written": 1, "decode": 0.0} for one in samples]
    _served(student, short, 64, 1)
    _served(student, short[:3] + samples[:3], 64, 1)
    _served(student, [one | {"written": 2} for one in samples], 64, 2)


@check(
    "service_time", hint="Warm-ups count neither for the mean nor for the number of samples nor for what they wrote."
)
def leaves_warm_ups_out(student, rng):
    for place in ("front", "between", "end"):
        measured, cold = _samples(rng, 5), [one | {"warm_up": True, "batch": 2} for one in _samples(rng, 3)]
        cold[0] |= {"prefill": 90.0, "written": 1}
        mixed = {"front": cold + measured, "end": measured + cold, "between": measured[:2] + cold + measured[2:]}
        _served(student, mixed[place], 100, 20)


@check("service_time", hint="A machine that answers a batch of four in a second answers four a second.")
def counts_the_whole_batch(student, rng):
    for batch in (1, 2, 16):
        _served(student, _samples(rng, 6, batch), 128, 24)


@check("service_time", hint="One sample, several batch sizes, no tokens, no measured step where one is needed: refuse.")
def refuses_thin_measurements(student, rng):
    samples = _samples(rng, 4)
    for bad in ([], samples[:1], [samples[0], *[one | {"warm_up": True} for one in samples[1:]]]):
        expect.raises(student, ValueError, bad, 64, 8)
    expect.raises(student, ValueError, [*samples, samples[0] | {"batch": 3}], 64, 8)
    expect.raises(student, ValueError, [*samples, samples[0] | {"written": 1, "decode": 0.0}], 64, 2)
    for read, written in ((0, 8), (64, 0), (-3, 8), (64, -1)):
        expect.raises(student, ValueError, samples, read, written)


# Task 2: queue


@oracle("queue")
def queue(arrivals, seconds, servers, percentile):
    """Erlang B as a term of Poisson's distribution over the sum up to it, which is an incomplete gamma function."""
    if not (arrivals >= 0 and seconds > 0 and servers >= 1 and 1 <= percentile <= 99):
        raise ValueError("Out of range.")
    load = float(arrivals * seconds)
    found = {"load": load, "utilisation": load / servers, "waits": 0.0, "wait": 0.0, "line": 0.0, "tail": 0.0}
    if load >= servers:
        return found | {"waits": 1.0, "wait": math.inf, "line": math.inf, "tail": math.inf}
    if load == 0:
        return found
    term = math.exp(servers * math.log(load) - load - math.lgamma(servers + 1))
    below = float(special.gammaincc(servers, load))  # the sum of all terms up to servers - 1
    over = term * servers / (servers - load)
    waits = over / (below + over)
    gone = (servers - load) / seconds
    late = math.log(waits) - math.log(1 - percentile / 100) if waits else -1.0
    numbers = {
        "waits": waits,
        "wait": waits / gone,
        "line": waits * load / (servers - load),
        "tail": max(0.0, late / gone),
    }
    return found | numbers


@covers("queue")
def is_a_queue(arrivals, seconds, servers, percentile):
    """Rates and times of a usual size, or such as have to be refused."""
    if not _whole(servers, percentile) or not (_real(arrivals) and _real(seconds)) or servers > 10_000:
        return False
    if not math.isfinite(seconds) or math.isinf(arrivals) or abs(seconds) > 1e6 or 0 < abs(seconds) < 1e-6:
        return False
    load = arrivals * seconds
    return math.isnan(load) or load < 1e9 and not (load < servers < load * (1 + 1e-7))


@latitude("queue")
def waits_alike(arguments, reference, given):
    """Up to rounding, which grows as the load comes near to the machines."""
    return _alike(reference, given, tuple(reference), 1e-6, 1e-9)


def _queued(student, *asked):
    want = queue(*asked)
    got = _has(student(*asked, seconds=MANY), want, "Return a dict of load, utilisation, waits, wait, line and tail.")
    _same_numbers(got, want, want, 1e-6)
    return got


@check("queue", hint="One machine: utilisation is the probability to wait, and the wait grows as 1 over what is left.")
def knows_one_machine(student, rng):
    for _ in range(6):
        busy, seconds = float(rng.uniform(0.05, 0.98)), float(rng.uniform(0.01, 20))
        got = _queued(student, busy / seconds, seconds, 1, _pick(rng, [50, 90, 99]))
        expect.close(expect.number(got["waits"]), busy, atol=1e-9)


@check("queue", hint="Erlang's formula for a few machines: write the sum out for two and for three of them.")
def follows_erlang(student, rng):
    for servers in (2, 3, 5, 8, 20, 60):
        for _ in range(3):
            load, seconds = servers * float(rng.uniform(0.1, 0.99)), float(rng.uniform(0.05, 30))
            _queued(student, load / seconds, seconds, servers, int(rng.integers(1, 100)))


@check("queue", hint="Hundreds and thousands of machines: from c - 1 to c by a step in which nothing is a factorial.")
def stands_many_machines(student, rng):
    for servers in (171, 172, 400, 1000, 3000, 10_000):
        for left in (0.5, 2.0, 6.0):
            load = servers - left * math.sqrt(servers) * float(rng.uniform(0.8, 1.2))
            _queued(student, load / 0.5, 0.5, servers, _pick(rng, [50, 95, 99]))
    for load in (0.01, 1.0, 100.0):
        _queued(student, load, 1.0, 10_000, 99)


@check("queue", hint="A tail is 0 where so many do not wait at all, and otherwise above: compare with the percentile.")
def tells_the_tail(student, rng):
    for percentile in (1, 10, 50, 75, 90, 99):
        for servers in (1, 2, 6):
            for busy in (0.2, 0.5, 0.9):
                _queued(student, busy * servers / 3, 3.0, servers, percentile)


@check("queue", hint="As much as the machines can do, or more: in the long run nobody is served in time.")
def says_when_there_is_no_end(student, rng):
    for arrivals, seconds, servers in ((2.0, 0.5, 1), (4.0, 1.0, 4), (7.5, 2.0, 3), (1e6, 1.0, 100)):
        _queued(student, arrivals, seconds, servers, 90)


@check("queue", hint="Nobody comes: there is no line, and no division by zero.")
def stands_an_empty_hour(student, rng):
    for servers in (1, 7, 100):
        _queued(student, 0.0, float(rng.uniform(0.1, 5)), servers, 95)


@check("queue", hint="Negative arrivals, replies in no time, no machine, the 0th or 100th percentile, NaN: ValueError.")
def refuses_no_queue(student, rng):
    for bad in (
        (-0.5, 1.0, 2, 90),
        (1.0, 0.0, 2, 90),
        (1.0, -1.0, 2, 90),
        (0.5, 1.0, 0, 90),
        (0.5, 1.0, -2, 90),
        (0.5, 1.0, 2, 0),
        (0.5, 1.0, 2, 100),
        (math.nan, 1.0, 2, 90),
        (0.5, math.nan, 2, 90),
    ):
        expect.raises(student, ValueError, *bad)


# Task 3: servers_needed


@oracle("servers_needed")
def servers_needed(arrivals, seconds, objective, percentile, most):
    """By bisection: the tail falls with every machine."""
    if not (objective >= seconds - TINY and arrivals >= 0):
        raise ValueError("An objective below the reply itself, or no rate.")

    def enough(servers):
        return queue(arrivals, seconds, servers, percentile)["tail"] <= objective - seconds + TINY

    if not enough(most):
        raise ValueError("Too few.")
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@covers("servers_needed")
def is_an_objective(arrivals, seconds, objective, percentile, most):
    """What queue covers, an objective that is no near tie with a tail, and machines that can be had."""
    if not _whole(percentile, most) or not 1 <= most <= 10_000 or not 1 <= percentile <= 99:
        return False
    if not all(_real(one) for one in (arrivals, seconds, objective)) or not 1e-3 <= seconds <= 1e3:
        return False
    if math.isnan(arrivals) or math.isnan(objective) or arrivals < 0:
        return True
    if math.isinf(arrivals) or math.isinf(objective):
        return False
    rest = objective - seconds
    if abs(rest) > 0 and abs(rest + TINY) < 0.5 * TINY:
        return False
    near = range(max(1, int(arrivals * seconds)), min(most, int(arrivals * seconds) + 400) + 1)
    tails = (queue(arrivals, seconds, servers, percentile)["tail"] for servers in near)
    return not any(0.1 * TINY < abs(tail - rest) < 10 * TINY for tail in tails)


def _staffed(student, *asked):
    got = student(*asked, seconds=MANY)
    expect.true(isinstance(got, int) and not isinstance(got, bool), "Return a whole number of machines, an int.")
    expect.equal(got, servers_needed(*asked))
    return got


@check("servers_needed", hint="One machine less breaks the objective; try numbers around yours with queue.")
def finds_the_smallest(student, rng):
    for _ in range(12):
        seconds = float(rng.uniform(0.05, 5))
        load = float(rng.choice([0.05, 0.9, 3, 17, 60])) * float(rng.uniform(0.8, 1.2))
        objective = seconds * (1 + float(rng.choice([0.01, 0.2, 1, 5])))
        _staffed(student, load / seconds, seconds, objective, _pick(rng, [1, 50, 90, 95, 99]), 1000)


@check("servers_needed", hint="The objective is for waiting and the reply together.")
def leaves_time_for_the_reply(student, rng):
    for seconds in (0.3, 2.0, 9.0):
        for rest in (0.02, 0.5, 3.0):
            _staffed(student, 12.0 / seconds, seconds, seconds + rest, 95, 500)


@check("servers_needed", hint="Where exactly so many wait as may, or exactly so long, it is enough; think of rounding.")
def keeps_ties(student, rng):
    for percentile, busy in ((90, 0.1), (80, 0.2), (99, 0.01), (70, 0.3)):
        expect.equal(_staffed(student, busy / 4, 4.0, 4.0, percentile, 50), 1)
    for arrivals, seconds, servers in ((0.5, 1.0, 1), (3.0, 0.5, 2), (7.0, 1.0, 9)):
        tail = queue(arrivals, seconds, servers, 90)["tail"]
        _staffed(student, arrivals, seconds, seconds + tail, 90, 50)
    for seconds in (0.1, 0.3, 0.7):
        _staffed(student, 2.0, seconds, 3 * seconds - seconds - seconds, 90, 50)


@check(
    "servers_needed", hint="A load that is a whole number needs more machines than that; none at all still needs one."
)
def stands_whole_loads(student, rng):
    for load in (1, 2, 5, 40):
        _staffed(student, 2.0 * load, 0.5, 400.0, 90, 100)
    expect.equal(_staffed(student, 0.0, 0.5, 0.5, 99, 3), 1)


@check("servers_needed", hint="Thousands of machines: begin the search near the load, and not far beyond it.")
def finds_thousands(student, rng):
    for load in (700.0, 2500.0, 9000.0):
        _staffed(student, load * float(rng.uniform(0.98, 1.02)) / 0.8, 0.8, 0.81, 99, 10_000)


@check("servers_needed", hint="Exactly as many machines as can be had is fine; one less than is needed is not.")
def keeps_within_what_can_be_had(student, rng):
    for load in (0.5, 6.0, 30.0):
        needed = servers_needed(load, 1.0, 1.4, 95, 200)
        expect.equal(_staffed(student, load, 1.0, 1.4, 95, needed), needed)
        if needed > 1:
            expect.raises(student, ValueError, load, 1.0, 1.4, 95, needed - 1)
    expect.raises(student, ValueError, 50.0, 1.0, 9.0, 95, 50)
    expect.raises(student, ValueError, 5e8, 1.0, 9.0, 95, 10)


@check("servers_needed", hint="No machine makes a reply shorter, and NaN or a negative rate is no plan: ValueError.")
def refuses_the_impossible(student, rng):
    for bad in (
        (0.2, 1.0, 0.99, 90, 100),
        (0.0, 1.0, 0.5, 90, 100),
        (2.0, 1.0, math.nan, 90, 100),
        (math.nan, 1.0, 2.0, 90, 100),
        (-1.0, 1.0, 2.0, 90, 100),
        (2.0, 1.0, -1.0, 90, 100),
    ):
        expect.raises(student, ValueError, *bad)


# Task 4: autoscale


@oracle("autoscale")
def autoscale(loads, target, headroom, cold, keep, least, minutes):
    """Machine by machine: each is born in an interval, and the youngest is sent away first."""
    n = len(loads)
    if n < 1 or any(not 0 <= load < math.inf for load in loads) or not 0 < target <= 1:
        raise ValueError("No load.")
    if not headroom >= 0 or min(cold, keep) < 0 or least < 1 or not minutes > 0:
        raise ValueError("Out of range.")
    wanted = []
    for load in loads:
        exact, count = load * (1 + headroom) / target, least
        while count < exact - TINY:
            count = max(count + 1, math.floor(exact))
        wanted.append(count)
    paid, ready, births = [], [], [-cold - 1] * wanted[0]
    for k in range(n):
        paid.append(max(wanted[j] for j in range(n) if k - keep <= j <= k))
        while len(births) > paid[-1]:
            births.remove(max(births))
        births += [k] * (paid[-1] - len(births))
        ready.append(sum(birth + cold <= k for birth in births))
    seconds = math.fsum(60.0 * minutes * count for count in paid)
    return {
        "wanted": wanted,
        "paid": paid,
        "ready": ready,
        "short": [k for k, load in enumerate(loads) if not load < ready[k]],
        "hours": seconds / 3600,
        "fixed": max(wanted) * n * minutes / 60,
        "utilisation": math.fsum(loads) / sum(paid),
    }


@covers("autoscale")
def is_a_day(loads, target, headroom, cold, keep, least, minutes):
    """Lists of numbers of a usual size; no load within rounding of a whole machine but those at it."""
    if not isinstance(loads, list) or not all(_real(load) for load in loads) or not _whole(cold, keep, least):
        return False
    if not all(_real(one) for one in (target, headroom, minutes)) or not 0 < target < 10:
        return False
    if any(math.isinf(one) for one in (target, headroom, minutes)) or abs(minutes) > 1e6 or abs(headroom) > 100:
        return False
    if max([abs(load) for load in loads if math.isfinite(load)], default=0) > 1e4 or cold > 50 or least > 1000:
        return False
    exact = [load * (1 + headroom) / target for load in loads if math.isfinite(load)]
    apart = [abs(one - round(one)) for one in exact if math.isfinite(one)]
    return not any(1e-11 < one < 1e-7 for one in apart)


@latitude("autoscale")
def scales_alike(arguments, reference, given):
    """Up to rounding of hours and utilisation; lists are compared as lists."""
    return _alike(reference, given, ("hours", "fixed", "utilisation"))


LISTS = ("wanted", "paid", "ready", "short")


def _scaled(student, *asked):
    want = autoscale(*asked)
    form = "Return a dict of wanted, paid, ready, short, hours, fixed and utilisation."
    got = _has(student(*asked), want, form)
    for name in LISTS:
        lists = isinstance(got[name], (list, tuple)) and all(_whole(one) for one in got[name])
        expect.true(lists, f"{name} is a list of whole numbers.")
        expect.equal(list(got[name]), want[name])
    _same_numbers(got, want, ("hours", "fixed", "utilisation"))
    return got


def _loads(rng, n, top=12.0):
    """Quiet, a rise, bursts."""
    shape = 0.5 * top * (1 + np.sin(np.linspace(-1.5, 4.0, n))) * rng.uniform(0.6, 1.4, n)
    shape[rng.random(n) < 0.1] = 0.0
    return [float(one) for one in shape]


@check(
    "autoscale", hint="Without cold start and keeping: load with headroom over the target, rounded up, at least least."
)
def wants_enough(student, rng):
    for target, headroom, least in ((0.7, 0.0, 1), (1.0, 0.0, 2), (0.5, 0.3, 1), (0.85, 1.5, 4)):
        _scaled(student, _loads(rng, 24), target, headroom, 0, 0, least, 60.0)


@check("autoscale", hint="A quotient that is a whole number but for rounding is that number.")
def rounds_no_rounding_up(student, rng):
    for target, headroom in ((0.7, 0.0), (0.9, 0.0), (0.6, 0.1), (0.1, 0.2)):
        loads = [float(k * target / (1 + headroom)) for k in range(1, 60)]
        _scaled(student, loads, target, headroom, 0, 0, 1, 60.0)
    _scaled(student, [1.0000001, 1.999, 2.0, 2.001], 1.0, 0.0, 0, 0, 1, 60.0)


@check("autoscale", hint="Machines stay for `keep` intervals after the last one that wanted them, no longer.")
def keeps_machines(student, rng):
    for keep in (1, 2, 5, 40):
        _scaled(student, _loads(rng, 30), 0.7, 0.1, 0, keep, 1, 10.0)


@check("autoscale", hint="A machine serves after `cold` intervals in which it was paid without a break.")
def waits_for_cold_machines(student, rng):
    for cold in (1, 2, 4, 40):
        for keep in (0, 1, 3):
            _scaled(student, _loads(rng, 30), 0.7, 0.0, cold, keep, 1, 10.0)


@check("autoscale", hint="Short is where ready machines do not exceed the load of that very interval.")
def says_where_it_is_short(student, rng):
    _scaled(student, [2.0, 3.0, 3.0, 1.0, 6.0, 6.0, 5.9], 1.0, 0.0, 1, 0, 2, 5.0)
    for _ in range(4):
        loads = [float(one) for one in rng.integers(0, 9, 25)]
        _scaled(student, loads, 1.0, 0.0, int(rng.integers(0, 4)), int(rng.integers(0, 4)), 1, 5.0)


@check("autoscale", hint="Hours that are paid, hours of the largest number all day, and busy over paid machines.")
def adds_up_hours(student, rng):
    for minutes in (1.0, 5.0, 30.0, 60.0, 90.0):
        _scaled(student, _loads(rng, int(rng.integers(1, 50))), 0.8, 0.0, 1, 2, 1, minutes)


@check("autoscale", hint="A day of one interval, and a day without a load: there is still the least to be paid.")
def stands_short_and_quiet_days(student, rng):
    _scaled(student, [3.3], 0.7, 0.2, 2, 2, 1, 60.0)
    _scaled(student, [0.0] * 5, 0.7, 0.2, 1, 1, 3, 60.0)
    _scaled(student, [0.0, 9.0, 0.0], 1.0, 0.0, 1, 0, 1, 60.0)


@check("autoscale", hint="No interval, loads below 0 or no numbers, targets beyond 1, negative waits: ValueError.")
def refuses_no_day(student, rng):
    fine = [[1.0, 2.0], 0.7, 0.1, 1, 1, 1, 60.0]
    for place, values in (
        (0, ([], [1.0, -0.5], [math.nan, 1.0], [1.0, math.inf])),
        (1, (0.0, -0.5, 1.01, math.nan)),
        (2, (-0.1, math.nan)),
        (3, (-1,)),
        (4, (-1,)),
        (5, (0, -2)),
        (6, (0.0, -60.0, math.nan)),
    ):
        for value in values:
            expect.raises(student, ValueError, *fine[:place], value, *fine[place + 1 :])


# Task 5: costs


@oracle("costs")
def costs(hours, price, extra, requests, audio_seconds, tokens, rate, market):
    """Unit by unit: what a request costs, and how many make an hour of sound or a million tokens."""
    given = (hours, price, extra, requests, audio_seconds, tokens, rate, market)
    if not all(math.isfinite(one) for one in given) or min(hours, audio_seconds, tokens, rate, market) <= 0:
        raise ValueError("Out of range.")
    if min(price, extra, requests) < 0:
        raise ValueError("Below zero.")
    busy_hours = requests / rate / 3600
    if busy_hours > hours * (1 + TINY):
        raise ValueError("More than the machines can do.")
    total = math.fsum([hours * price, extra])
    per_request = total / requests if requests else None
    floor = price / 3600 / rate * (1e6 / tokens)
    return {
        "total": total,
        "audio_hour": None if per_request is None else per_request * (3600 / audio_seconds),
        "million": None if per_request is None else per_request * (1e6 / tokens),
        "utilisation": busy_hours / hours,
        "floor": floor,
        "break_even": None if floor > market * (1 + TINY) else floor / market,
    }


@covers("costs")
def are_prices(hours, price, extra, requests, audio_seconds, tokens, rate, market):
    """Numbers of a usual size that are near no limit but at it."""
    given = (hours, price, extra, requests, audio_seconds, tokens, rate, market)
    if not all(_real(one) for one in given) or any(math.isinf(one) or abs(one) > 1e12 for one in given):
        return False
    if any(0 < abs(one) < 1e-9 for one in given) or not _whole(requests):
        return False
    if any(math.isnan(one) for one in given) or min(hours, tokens, rate, market) <= 0:
        return True
    ratios = (requests / rate / 3600 / hours, price / 3600 / rate * (1e6 / tokens) / market)
    return not any(1e-11 < abs(one - 1) < 1e-7 for one in ratios)


@latitude("costs")
def costs_alike(arguments, reference, given):
    """Up to rounding."""
    return _alike(reference, given, tuple(reference))


def _priced(student, *asked):
    want = costs(*asked)
    got = _has(student(*asked), want, "Return a dict of total, audio_hour, million, utilisation, floor and break_even.")
    for name, value in want.items():
        if value is None:
            expect.true(got[name] is None, f"{name} is None here.")
        else:
            expect.close(expect.number(got[name]), value, atol=1e-12, rtol=1e-7)
    return got


def _period(rng, share=None):
    """A period in which the machines were busy for a share of the time."""
    hours, rate = float(rng.uniform(1, 900)), float(rng.uniform(0.2, 40))
    requests = int(hours * rate * 3600 * (rng.uniform(0.05, 0.95) if share is None else share))
    price, tokens = float(rng.uniform(0.02, 9)), float(rng.uniform(5, 3000))
    floor = price / 3600 / rate * 1e6 / tokens
    market = floor * float(rng.choice([0.3, 0.8, 1.4, 5.0]))
    return [hours, price, float(rng.uniform(0, 50)), requests, float(rng.uniform(2, 300)), tokens, rate, market]


@check("costs", hint="All that was paid, idle hours and extra included, over what came out of it.")
def counts_what_was_paid(student, rng):
    for _ in range(8):
        _priced(student, *_period(rng))


@check("costs", hint="Seconds of sound to hours, tokens to millions: write the units beside each number.")
def keeps_units(student, rng):
    _priced(student, 1.0, 1.0, 0.0, 3600, 1.0, 1.0, 1.0, 1e6)
    for seconds, tokens in ((3600.0, 1e6), (1.0, 2e6), (60.0, 10.0)):
        period = _period(rng)
        _priced(student, *period[:4], seconds, tokens, *period[6:])


@check("costs", hint="The floor is the price of an hour in which the machine is never idle; extra is no part of it.")
def knows_the_floor(student, rng):
    for extra in (0.0, 7.0, 1000.0):
        period = _period(rng)
        _priced(student, *period[:2], extra, *period[3:])


@check("costs", hint="Break-even is a utilisation: floor over market, None above 1, and 1 itself is one.")
def knows_when_it_pays(student, rng):
    for factor in (0.2, 0.999, 1.001, 3.0):
        period = _period(rng)
        floor = period[1] / 3600 / period[6] * 1e6 / period[5]
        _priced(student, *period[:7], floor * factor)
    _priced(student, 2.0, 7.2, 1.0, 100, 30.0, 20.0, 1.0, 100.0)


@check("costs", hint="No request: nothing to divide by, and the bill comes all the same. Nothing to pay: zero.")
def stands_nothing(student, rng):
    period = _period(rng)
    _priced(student, *period[:3], 0, *period[4:])
    _priced(student, period[0], 0.0, 0.0, *period[3:])
    _priced(student, period[0], 0.0, 0.0, 0, *period[4:])


@check("costs", hint="Machines may be busy all the time, and no longer than that.")
def knows_how_much_is_possible(student, rng):
    for hours, rate in ((1.0, 1.0), (10.0, 0.5), (24.0, 3.0)):
        full = int(hours * rate * 3600)
        _priced(student, hours, 2.0, 1.0, full, 20.0, 24.0, rate, 1.0)
        expect.raises(student, ValueError, hours, 2.0, 1.0, full + 1, 20.0, 24.0, rate, 1.0)
        expect.raises(student, ValueError, hours, 2.0, 1.0, 3 * full, 20.0, 24.0, rate, 1.0)


@check("costs", hint="Zero hours, tokens, sound, rate or market, anything negative, NaN, infinity: ValueError.")
def refuses_no_period(student, rng):
    period = _period(rng, 0.01)
    for place in range(8):
        for bad in (-1 if place == 3 else -1.0, *([0.0] if place in (0, 4, 5, 6, 7) else []), math.nan, math.inf):
            expect.raises(student, ValueError, *period[:place], bad, *period[place + 1 :])


# Task 6: first_page


@oracle("first_page")
def first_page(total, failed, budget, expected, rules):
    """Minute by minute, rule by rule, each window added up."""
    total, failed = [int(one) for one in total], [int(one) for one in failed]
    if len(total) != len(failed) or any(not 0 <= bad <= all_ for bad, all_ in zip(failed, total, strict=False)):
        raise ValueError("Failures do not fit requests.")
    if not 0 < budget < 1 or not expected > 0 or not rules:
        raise ValueError("Out of range.")
    if any(not 1 <= short <= long or not factor > 0 for long, short, factor in rules):
        raise ValueError("A rule is out of range.")
    allowed, gone = budget * expected, 0
    for minute in range(len(total)):
        gone += failed[minute]
        for place, (long, short, factor) in enumerate(rules):
            burns = []
            for window in (long, short):
                start = max(0, minute - window + 1)
                came = sum(total[start : minute + 1])
                burns.append(sum(failed[start : minute + 1]) / (came * budget) if came else 0.0)
            if all(burn > factor - TINY for burn in burns):
                return {"minute": minute, "rule": place, "spent": gone / allowed}
    return {"minute": None, "rule": None, "spent": gone / allowed}


@covers("first_page")
def are_minutes(total, failed, budget, expected, rules):
    """Whole numbers of requests, rules of whole minutes, and no burn near a factor but at it."""
    for one in (total, failed):
        if not isinstance(one, np.ndarray) or one.ndim != 1 or one.dtype.kind != "i" or len(one) > 5000:
            return False
    if not (_real(budget) and _real(expected)) or not isinstance(rules, list):
        return False
    if not all(len(rule) == 3 and _whole(*rule[:2]) and _real(rule[2]) for rule in rules):
        return False
    if math.isinf(budget) or math.isinf(expected) or 0 < expected < 1e-6:
        return False
    return not any(0 < rule[2] < 1e-3 for rule in rules)


@latitude("first_page")
def pages_alike(arguments, reference, given):
    """The share of the budget up to rounding."""
    return _alike(reference, given, ("spent",))


def _paged(student, total, failed, budget, expected, rules):
    want = first_page(total, failed, budget, expected, rules)
    got = _has(student(total, failed, budget, expected, rules), want, "Return a dict of minute, rule and spent.")
    for name in ("minute", "rule"):
        expect.true(got[name] is None or _whole(got[name]), f"{name} is a whole number or None.")
        expect.equal(got[name], want[name])
    expect.close(expect.number(got["spent"]), want["spent"], atol=1e-12, rtol=1e-9)
    return got


def _incident(rng, n, share, length, calm=0.0005, requests=200):
    """Minutes of uneven traffic, and one stretch of them with a share of failures."""
    total = rng.poisson(requests, n)
    chance, start = np.full(n, calm), int(rng.integers(0, max(1, n - length)))
    chance[start : start + length] = share
    return total, rng.binomial(total, chance)


@check("first_page", hint="Both windows of a rule, at the end of each minute, in the order of the minutes.")
def finds_the_minute(student, rng):
    for share, length in ((1.0, 10), (0.1, 40), (0.02, 150), (0.3, 3)):
        for rules in ([(60, 5, 14.4)], [(30, 10, 6.0)], [(120, 20, 3.0)]):
            total, failed = _incident(rng, 300, share, length)
            _paged(student, total, failed, 0.001, 1e6, rules)
    total = rng.poisson(200, 40)
    _paged(student, total, np.where(np.arange(40) == 39, total, 0), 0.001, 1e6, [(10, 2, 20.0)])


@check("first_page", hint="An incident that is over: the long window still burns, the short one no longer.")
def lets_past_incidents_rest(student, rng):
    for gap in (6, 12, 40):
        total = np.full(240, 100)
        failed = np.zeros(240, dtype=int)
        failed[100:106] = (60, 60, 60, 60, 60, 55)  # 355 in an hour; 360 of 6,000 burn at 12
        failed[106 + gap] = 6  # now 361, and 6 of 500 burn at 2.4
        failed[int(rng.integers(155, 158))] = 30
        for rules in ([(60, 5, 12.0)], [(60, 2, 12.0)], [(60, 60, 12.0)], [(60, 5, 13.5)]):
            _paged(student, total, failed, 0.005, 1e5, rules)


@check("first_page", hint="Requests of a window are added up, and so are failures; busy minutes weigh more.")
def adds_requests(student, rng):
    for _ in range(6):
        total = rng.choice([0, 1, 5, 400, 2000], 60)
        failed = rng.binomial(total, np.where(total < 10, 0.5, 0.01))
        _paged(student, total, failed, 0.01, 1e5, [(20, 4, float(rng.uniform(1, 4)))])


@check("first_page", hint="Minutes before the first one have no requests; a window of them burns at nothing.")
def stands_the_beginning(student, rng):
    for quiet in (0, 1, 5, 30):
        total = np.concatenate([np.zeros(quiet, dtype=int), np.full(20, 50)])
        failed = np.where(np.arange(len(total)) >= quiet + 2, total // 2, 0)
        _paged(student, total, failed, 0.01, 1e5, [(60, 3, float(rng.uniform(5, 30)))])
        _paged(student, total, 0 * total, 0.01, 1e5, [(60, 3, 0.5)])
    _paged(student, np.zeros(0, dtype=int), np.zeros(0, dtype=int), 0.01, 1e5, [(60, 5, 14.4)])


@check("first_page", hint="Several rules: the earliest minute, and of that minute the first rule of the list.")
def asks_every_rule(student, rng):
    rules = [(60, 5, 14.4), (120, 15, 6.0), (240, 60, 1.0)]
    for share, length in ((1.0, 20), (0.03, 100), (0.008, 200), (0.002, 250), (0.0005, 10)):
        total, failed = _incident(rng, 400, share, length, 0.0003)
        for some in (rules, rules[::-1], rules[1:], [(60, 5, 2.0), (30, 5, 2.0), (60, 6, 2.0)]):
            _paged(student, total, failed, 0.001, 1e6, some)
    total, failed = _incident(rng, 90, 0.5, 90)
    _paged(student, total, failed, 0.001, 1e6, rules)
    _paged(student, total, failed, 0.001, 1e6, rules[::-1])


@check("first_page", hint="Exactly at the factor is a page, whatever floats make of it.")
def pages_at_the_factor(student, rng):
    cases = (
        (15, 0.001, 15.0),
        (18, 0.003, 6.0),
        (36, 0.006, 6.0),
        (43, 0.001, 43.0),
        (144, 0.01, 14.4),
        (6, 0.002, 3.0),
    )
    for lost, budget, factor in cases:
        total, failed = np.full(30, 1000), np.full(30, lost)
        got = _paged(student, total, failed, budget, 1e6, [(10, 2, factor)])
        expect.equal(got["minute"], 0)
        _paged(student, total, failed - 1, budget, 1e6, [(10, 2, factor)])


@check("first_page", hint="Spent up to and with the minute of the page, over all that the period may lose.")
def tells_what_is_spent(student, rng):
    for budget, expected in ((0.001, 1e5), (0.01, 2e4), (0.05, 1e6), (0.001, 1e3), (0.5, 0.75)):
        total, failed = _incident(rng, 120, 0.2, 30)
        _paged(student, total, failed, budget, expected, [(30, 5, 2.0)])
        _paged(student, total, failed, budget, expected, [(30, 5, 1e4)])


@check(
    "first_page", hint="Lengths that differ, more failures than requests, budgets and rules out of range: ValueError."
)
def refuses_no_objective(student, rng):
    total, failed = _incident(rng, 30, 0.2, 10)
    rule = [(10, 2, 5.0)]
    worse = failed.copy()
    worse[7] = total[7] + 1
    below = failed.copy()
    below[3] = -1
    for bad in ((total, worse), (total, below), (total, failed[:-1]), (total[:-1], failed), (total[:1], 0 * failed)):
        expect.raises(student, ValueError, *bad, 0.01, 1e4, rule)
    for budget, expected in ((0.0, 1e4), (1.0, 1e4), (-0.1, 1e4), (math.nan, 1e4), (0.01, 0.0), (0.01, -5.0)):
        expect.raises(student, ValueError, total, failed, budget, expected, rule)
    for rules in ([], [(2, 5, 3.0)], [(5, 0, 3.0)], [(5, 2, 0.0)], [*rule, (5, 2, -1.0)]):
        expect.raises(student, ValueError, total, failed, 0.01, 1e4, rules)


# Task 7: checkpoints


def _log_seconds(parts, work, write, restart, between):
    """Logarithm of Daly's expected time, of which nothing overflows."""
    x = (work / parts + write) / between
    return math.log(parts) + math.log(between) + restart / between + x + math.log(-math.expm1(-x))


@oracle("checkpoints")
def checkpoints(work, write, restart, between):
    """The derivative's zero by Lambert's function, and the whole numbers beside it."""
    if not all(one > 0 for one in (work, write, between)) or not restart >= 0 or math.isinf(work + write + restart):
        raise ValueError("Out of range.")
    if write + restart > 100 * between:
        raise ValueError("Such a job never ends.")
    if math.isinf(between):
        return {"young": math.inf, "parts": 1, "seconds": work + write, "overhead": write / work}
    part = between * (1 + special.lambertw(-math.exp(-1 - write / between)).real)
    middle = min(2**50, work / part) if part > 0 else 1
    near = {max(1, math.floor(middle) + k) for k in (-2, -1, 0, 1, 2)}
    parts = min(sorted(near), key=lambda n: _log_seconds(n, work, write, restart, between))
    seconds = math.exp(_log_seconds(parts, work, write, restart, between))
    return {"young": math.sqrt(2 * write * between), "parts": parts, "seconds": seconds, "overhead": seconds / work - 1}


@covers("checkpoints")
def is_a_job(work, write, restart, between):
    """Times of a usual size, or such as have to be refused; no job of millions of parts."""
    given = (work, write, restart, between)
    if not all(_real(one) for one in given):
        return False
    if any(math.isnan(one) or one < 0 for one in given) or 0 in (work, write, between):
        return all(math.isfinite(one) or math.isnan(one) for one in given)
    if not _finite(work, write, restart) or not (1e-3 <= work <= 1e9 and 1e-3 <= write <= 1e6 and restart <= 1e6):
        return False
    if math.isinf(between):
        return True
    return 1e-2 <= between <= 1e13 and write + restart < 90 * between and work / math.sqrt(2 * write * between) < 1e5


@latitude("checkpoints")
def ends_alike(arguments, reference, given):
    """Times up to rounding; where two numbers of parts take equally long, either."""
    if not isinstance(given, dict) or set(given) != set(reference) or not _whole(given["parts"]) or given["parts"] < 1:
        return False
    if math.isinf(arguments[3]):
        return given["parts"] == 1 and _alike(reference, given, ("young", "seconds", "overhead"))
    apart = _log_seconds(given["parts"], *arguments) - _log_seconds(reference["parts"], *arguments)
    same = dict(given, parts=reference["parts"])
    return abs(apart) < 1e-12 and _alike(reference, same, ("young", "seconds", "overhead"), 1e-7, 1e-7)


def _planned(student, work, write, restart, between):
    want = checkpoints(work, write, restart, between)
    got = _has(student(work, write, restart, between), want, "Return a dict of young, parts, seconds and overhead.")
    expect.true(_whole(got["parts"]) and got["parts"] >= 1, "parts is a whole number, 1 or more.")
    if math.isinf(between):
        expect.equal(got["parts"], 1)
    else:
        apart = _log_seconds(min(got["parts"], 10**15), work, write, restart, between) - _log_seconds(
            want["parts"], work, write, restart, between
        )
        expect.true(apart < 1e-12, "Another number of parts takes less time.")
    expect.close(expect.number(got["seconds"]), want["seconds"], atol=0, rtol=1e-8)
    expect.close(expect.number(got["overhead"]), want["overhead"], atol=1e-8, rtol=1e-7)
    expect.close(expect.number(got["young"], finite=False), want["young"], atol=0, rtol=1e-9)
    return got


@check("checkpoints", hint="Compute T for one part less and one more than yours: neither may be smaller.")
def finds_the_best_number(student, rng):
    for _ in range(10):
        between = float(10 ** rng.uniform(2.5, 5))
        write = between * float(10 ** rng.uniform(-3, -1))
        _planned(student, between * float(rng.uniform(0.3, 30)), write, float(rng.uniform(0, 300)), between)


@check("checkpoints", hint="Checkpoints that cost as much as a life of the machine: Young's rule is far off there.")
def leaves_the_rule_of_thumb(student, rng):
    for share in (0.3, 1.0, 3.0):
        for times in (5.0, 40.0, 200.0):
            between = float(rng.uniform(200, 2000))
            _planned(student, times * between, share * between, 10.0, between)


@check("checkpoints", hint="Work of thousands of lives overflows in few parts: that is no reason to give up.")
def stands_long_jobs(student, rng):
    for lives in (800.0, 3000.0):
        between = float(rng.uniform(300, 900))
        _planned(student, lives * between, between * float(rng.uniform(0.02, 0.2)), 30.0, between)


@check("checkpoints", hint="Preempted once in a million years: keep the digits of exp(x) - 1, and think of infinity.")
def keeps_small_digits(student, rng):
    for between in (1e9, 1e11, 1e13):
        _planned(student, float(rng.uniform(100, 5000)), float(rng.uniform(1, 50)), 20.0, between)
    _planned(student, 1234.5, 6.0, 20.0, math.inf)


@check("checkpoints", hint="A job that is shorter than a checkpoint is one part, and its overhead is above 1.")
def stands_short_jobs(student, rng):
    for work in (0.5, 5.0, 20.0):
        _planned(student, work, 25.0, float(rng.uniform(0, 50)), float(rng.uniform(500, 5000)))
    _planned(student, 3.5, 0.25, 0.5, 0.75)


@check("checkpoints", hint="A restart costs time and moves no optimum.")
def counts_restarts(student, rng):
    for restart in (0.0, 60.0, 1500.0):
        _planned(student, 30_000.0, 20.0, restart, 1800.0)


@check("checkpoints", hint="No work, free checkpoints, negative times, NaN, a job that can never end: ValueError.")
def refuses_no_job(student, rng):
    fine = [3600.0, 20.0, 60.0, 1800.0]
    for place in range(4):
        for bad in (-1.0, math.nan, *([] if place == 2 else [0.0]), *([] if place == 3 else [math.inf])):
            expect.raises(student, ValueError, *fine[:place], bad, *fine[place + 1 :])
    expect.raises(student, ValueError, 3600.0, 20.0, 0.0, 0.1)
    expect.raises(student, ValueError, 3600.0, 1.0, 2000.0, 10.0)


# Task 8: sensitivity


@oracle("sensitivity")
def sensitivity(base, others):
    """Plan by plan: what it changes, and then input by input."""
    names = sorted(base["inputs"])
    for plan in [base, *others]:
        if sorted(plan["inputs"]) != names:
            raise ValueError("Other inputs.")
        for value in (plan["cost"], *plan["inputs"].values()):
            if not value > 0 or math.isinf(value):
                raise ValueError("Not above 0.")
    alone = {}
    for plan in others:
        changed = [name for name in names if plan["inputs"][name] != base["inputs"][name]]
        if len(changed) == 1:
            alone.setdefault(changed[0], []).append((plan["inputs"][changed[0]], plan["cost"]))
    rows = []
    for name, points in alone.items():
        points = sorted([(base["inputs"][name], base["cost"]), *points])
        taken = [cost for _, cost in points]
        (x, y), (x_last, y_last) = points[0], points[-1]
        moved = (math.log(y_last) - math.log(y)) / (math.log(x_last) - math.log(x))
        low, high = min(taken), max(taken)
        rows.append({"name": name, "low": low, "high": high, "swing": high - low, "elasticity": moved})
    rows.sort(key=lambda row: row["name"])
    return sorted(rows, key=lambda row: row["swing"], reverse=True)


@covers("sensitivity")
def are_plans(base, others):
    """Plans with numbers; no value of an input twice, no swings that differ by rounding alone."""
    for plan in [base, *others]:
        if not isinstance(plan, dict) or set(plan) != {"inputs", "cost"} or not isinstance(plan["inputs"], dict):
            return False
        if not all(_real(value) for value in (plan["cost"], *plan["inputs"].values())):
            return False
    for name, value in base["inputs"].items():
        rest = {other: one for other, one in base["inputs"].items() if other != name}
        seen = [plan["inputs"].get(name) for plan in others if plan["inputs"] | rest == plan["inputs"]]
        seen = [one for one in seen if one != value]
        if len(seen) != len(set(seen)):
            return False
    return True


@latitude("sensitivity")
def ranks_alike(arguments, reference, given):
    """Up to rounding."""
    if not isinstance(given, list) or len(given) != len(reference):
        return False
    numbers = ("low", "high", "swing", "elasticity")
    return all(_alike(one, other, numbers) for one, other in zip(reference, given, strict=True))


def _ranked(student, base, others):
    want = sensitivity(base, others)
    got = student(base, others)
    expect.true(isinstance(got, list) and all(isinstance(one, dict) for one in got), "Return a list of dicts.")
    expect.equal([one.get("name") for one in got], [one["name"] for one in want])
    for one, wanted in zip(got, want, strict=True):
        _has(one, wanted, "A row is a dict of name, low, high, swing and elasticity.")
        _same_numbers(one, wanted, ("low", "high", "swing", "elasticity"))


NAMES = ("price", "seconds", "calls", "target", "headroom", "storage")


def _base(rng):
    return {
        "inputs": {name: float(rng.uniform(0.5, 9)) for name in rng.permutation(NAMES).tolist()},
        "cost": float(rng.uniform(5, 50)),
    }


def _with(base, cost, **values):
    return {"inputs": base["inputs"] | values, "cost": float(cost)}


@check("sensitivity", hint="One input up and down, the others kept: smallest, largest, and the swing between them.")
def ranks_swings(student, rng):
    for _ in range(6):
        base = _base(rng)
        others = [
            _with(base, base["cost"] * rng.uniform(0.3, 3), **{name: base["inputs"][name] * factor})
            for name in NAMES
            for factor in (0.5, 0.8, 1.5)
        ]
        _ranked(student, base, [others[place] for place in rng.permutation(len(others))])


@check("sensitivity", hint="The base is one of the plans: an input that only rises has it at one end.")
def counts_the_base(student, rng):
    base = _base(rng)
    for factor in (0.4, 1.7):
        others = [
            _with(base, base["cost"] * rng.uniform(0.4, 2.5), **{name: base["inputs"][name] * factor}) for name in NAMES
        ]
        _ranked(student, base, others)


@check("sensitivity", hint="Plans that change two inputs, or none, are left out; inputs that nobody changed as well.")
def leaves_others_out(student, rng):
    for _ in range(4):
        base = _base(rng)
        values = base["inputs"]
        others = [
            _with(base, 1e4, price=2 * values["price"], calls=2 * values["calls"]),
            _with(base, 1e-3, **{name: 1.1 * value for name, value in values.items()}),
            _with(base, 777.0),
            _with(base, base["cost"] * rng.uniform(0.5, 2), calls=3 * values["calls"]),
            _with(base, base["cost"] * rng.uniform(0.5, 2), target=0.9 * values["target"]),
        ]
        _ranked(student, base, others)
    _ranked(student, base, others[:3])
    _ranked(student, base, [])


@check(
    "sensitivity",
    hint="Ratios of costs over ratios of the input, by logarithms, from its smallest value to its largest.",
)
def tells_elasticities(student, rng):
    for power in (-1.0, -0.3, 0.0, 0.5, 1.0, 2.0):
        base = _base(rng)
        values = base["inputs"]
        others = [
            _with(base, base["cost"] * factor**power, seconds=values["seconds"] * factor) for factor in (4.0, 0.3, 1.2)
        ]
        _ranked(student, base, others)


@check("sensitivity", hint="Equal swings: by name, from a to z.")
def orders_ties_by_name(student, rng):
    for _ in range(4):
        base = _base(rng) | {"cost": 64.0}
        others = [
            _with(
                base,
                64.0 + float(rng.choice([-16, 16, 32])),
                **{name: base["inputs"][name] * float(rng.choice([0.5, 2.0]))},
            )
            for name in NAMES
        ]
        _ranked(student, base, [others[place] for place in rng.permutation(len(others))])


@check("sensitivity", hint="Other inputs than the base's, or a number that has no logarithm: ValueError.")
def refuses_other_plans(student, rng):
    base = _base(rng)
    fine = _with(base, 9.0, calls=3.0)
    less = {"inputs": {name: 1.0 for name in NAMES[1:]}, "cost": 3.0}
    for bad in (_with(base, 9.0, wages=3.0), less, _with(base, 0.0, calls=3.0), _with(base, -2.0, calls=3.0)):
        expect.raises(student, ValueError, base, [fine, bad])
    for value in (0.0, -1.0, math.nan, math.inf):
        expect.raises(student, ValueError, base, [fine, _with(base, 9.0, price=value)])
    expect.raises(student, ValueError, base | {"cost": 0.0}, [fine])
