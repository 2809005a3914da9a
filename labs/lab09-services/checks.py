"""Hidden checks of Lab 9. They run outside of the student's process, on inputs drawn for each submission.

What an answer has to be comes from the jsonschema library, from a stream that is read as a whole, from a batcher that
is asked in every millisecond, a worker that is asked in every instant, from waits computed before anybody asks, from
networkx, and from a leaderboard sorted pair by pair. What two systems might do alike and both wrong is checked as a
promise besides: nobody waits too long, nobody is served twice, nothing is begun in vain.
"""

import bisect
import itertools
import json
import math
import re
from datetime import datetime, timedelta
from fractions import Fraction

import jsonschema
import networkx as nx

from course.lab.checking import check, covers, expect, latitude, oracle

STATUS = {"invalid_json": 400, "invalid_request": 400, "model_not_found": 404, "empty_prompt": 400}
SLOW = 10.0  # seconds for a call on a busy machine
MODELS = ["small", "large"]
KEYS = itertools.count()


def _pick(rng, items):
    return items[int(rng.integers(len(items)))]


def _some(rng, items):
    return [one for one in items if rng.random() < 0.5]


def _word(rng):
    return "".join(_pick(rng, "abcdefghij") for _ in range(int(rng.integers(2, 8))))


# Task 1: refuse


def _faults(text, schema, models):
    """Code and the set of params that may be blamed; None for a request that is served."""
    try:
        body = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return "invalid_json", {None}
    blamed = set()
    for error in jsonschema.Draft202012Validator(schema).iter_errors(body):
        names = [None]
        if error.validator == "required":
            names = [name for name in error.validator_value if name not in error.instance]
        if error.validator == "additionalProperties":
            names = [name for name in error.instance if name not in error.schema.get("properties", {})]
        for name in names:
            path = [*error.absolute_path] + ([] if name is None else [name])
            blamed.add(".".join(map(str, path)) or None)
    if blamed:
        return "invalid_request", blamed
    if body["model"] not in models:
        return "model_not_found", {"model"}
    return ("empty_prompt", {"messages"}) if not body["messages"][-1]["content"].strip() else None


def _no_constant(name):
    raise ValueError(name)


@oracle("refuse")
def refuse(text, schema, models):
    """By the jsonschema library; of several fields the last one in the alphabet is blamed."""
    found = _faults(text, schema, models)
    if found is None:
        return None
    code, blamed = found
    param = max(blamed, key=str)
    named = "the body" if param is None else param
    return {
        "status": STATUS[code],
        "code": code,
        "param": param,
        "message": f"There is a problem with {named}: {code}.",
    }


@latitude("refuse")
def blames_somebody_who_is_to_blame(arguments, reference, given):
    """Any field that is wrong, in any words."""
    return _refusal_complaint(given, _faults(*arguments)) is None


def _refusal_complaint(got, want):
    """What is wrong with an answer; None if nothing is."""
    if want is None or got is None:
        return None if want is got else f"expected {want}, got {got!r}"
    if not isinstance(got, dict) or set(got) != {"status", "code", "param", "message"}:
        return "not a refusal"
    code, blamed = want
    if type(got["code"]) is not str or type(got["status"]) is not int:
        return "the status is a whole number and the code a text"
    if got["code"] != code or got["status"] != STATUS[code]:
        return f"expected {code}, got {got['status']} {got['code']}"
    if not any(type(got["param"]) is type(one) and got["param"] == one for one in blamed):
        return f"expected one of {blamed}, got {got['param']!r}"
    if not isinstance(got["message"], str) or len(got["message"].split()) < 3:
        return "no sentence"
    return None if got["param"] is None or got["param"] in got["message"] else "the message does not name the param"


def _refused(student, text, schema, models=MODELS, hint=None):
    complaint = _refusal_complaint(student(text, schema, models, seconds=SLOW), _faults(text, schema, models))
    if complaint:
        raise expect.CheckFailed(f"{text[:200]}: {complaint}", hint)


def _schema(rng):
    """A contract for chats that has some more fields, of all types, one of them with fields of its own."""
    inner = {"type": "object", "properties": {"depth": _number_rule(rng), "name": {"type": "string"}}}
    inner |= {"required": _some(rng, ["depth", "name"]), "additionalProperties": _pick(rng, [True, False])}
    message = {
        "type": "object",
        "required": ["content", *_some(rng, ["role"])],
        "additionalProperties": False,
        "properties": {
            "role": {"type": "string", "enum": ["caller", "agent", _word(rng)]},
            "content": {"type": "string"},
            "options": inner,
        },
    }
    least = int(rng.integers(1, 3))
    more = {
        "limit": _number_rule(rng),
        "level": {"type": _pick(rng, [["string", "null"], ["string", "integer"], "string"])},
        "grid": {"type": "array", "items": {"type": "array", "maxItems": 2, "items": _number_rule(rng)}},
        "flag": {"type": _pick(rng, ["boolean", ["boolean", "null"]])},
        "options": inner,
        "free": {"description": "whatever it is"},
    }
    chosen = {name: more[name] for name in more if rng.random() < 0.7}
    return {
        "type": "object",
        "required": ["model", "messages", *_some(rng, list(chosen))],
        "additionalProperties": _pick(rng, [False, False, True]),
        "properties": {
            "model": {"type": "string"},
            "messages": {"type": "array", "minItems": least, "maxItems": least + 2, "items": message},
            **chosen,
        },
    }


def _number_rule(rng):
    rule, least = {"type": _pick(rng, ["integer", "number", ["integer", "null"]])}, int(rng.integers(-3, 4))
    if rng.random() < 0.7:
        rule["minimum"] = least
    if rng.random() < 0.7:
        rule["maximum"] = least + int(rng.integers(0, 5))
    return rule


def _valid(rng, rule):
    """A value that a rule allows."""
    names = rule.get("type", ["integer", "string", "boolean", "array", "object"])
    name = _pick(rng, [names] if isinstance(names, str) else names)
    if name in ("null", "boolean"):
        return None if name == "null" else bool(rng.integers(2))
    if name == "string":
        return _pick(rng, rule["enum"]) if "enum" in rule else _word(rng)
    if name in ("integer", "number"):
        least = rule.get("minimum", rule.get("maximum", 0) - 3)
        most = rule.get("maximum", least + 3)
        value = _pick(rng, [least, most, int(rng.integers(least, most + 1))])
        return float(value) if rng.random() < 0.3 else value
    if name == "array":
        size = int(rng.integers(rule.get("minItems", 0), rule.get("maxItems", 3) + 1))
        return [_valid(rng, rule.get("items", {"type": "integer"})) for _ in range(size)]
    known = rule.get("properties", {})
    more = {_word(rng): 1} if rule.get("additionalProperties", True) and rng.random() < 0.4 else {}
    return more | {
        one: _valid(rng, known[one]) for one in known if one in rule.get("required", []) or rng.random() < 0.6
    }


def _body(rng, schema):
    """A body that fits; its keys stand in any order."""
    body = _valid(rng, schema) | {"model": _pick(rng, MODELS)}
    return {name: body[name] for name in rng.permutation(list(body)).tolist()}


def _spoil(rng, value, rule):
    """The value with one thing wrong somewhere in it."""
    if isinstance(value, dict) and value and rng.random() < 0.75:
        name = _pick(rng, list(value))
        if rng.random() < 0.2:
            return {one: value[one] for one in value if one != name}
        if rng.random() < 0.2:
            return value | {_pick(rng, ["Model", "n", "x.y"]): 1}
        return value | {name: _spoil(rng, value[name], rule.get("properties", {}).get(name, {}))}
    if isinstance(value, list) and value and rng.random() < 0.75:
        place = int(rng.integers(len(value)))
        return [_spoil(rng, one, rule.get("items", {})) if k == place else one for k, one in enumerate(value)]
    if isinstance(value, list) and rng.random() < 0.5:
        return _pick(rng, [[], value * 3, value[:1]])
    if isinstance(value, (int, float)) and rng.random() < 0.7:
        return _pick(rng, [value + 0.5, rule.get("minimum", 0) - 1, rule.get("maximum", 0) + 1, bool(value)])
    return _pick(rng, [None, True, 0, 1, 2.5, "text", [], {}, [None], "1"])


@check(
    "refuse",
    hint="A request that fits the contract was refused. Look at limits, which are allowed themselves, at "
    "3.0, null, at fields that may be there, and at content of messages before the last one.",
)
def lets_good_requests_pass(student, rng):
    for _ in range(30):
        schema = _schema(rng)
        _refused(student, json.dumps(_body(rng, schema), ensure_ascii=bool(rng.integers(2))), schema)


@check(
    "refuse",
    hint="In a body with something wrong in it, somewhere deep perhaps, another field was blamed, or none, "
    "or the sentence does not name it. Keywords hold for the type they are about: items for arrays, "
    "minimum for numbers.",
)
def blames_the_right_field(student, rng):
    item = {"type": "object", "properties": {"kind": {"type": "string", "enum": ["a", "b"]}}}
    schema = _plain_schema(list={"type": "array", "minItems": 1, "maxItems": 3, "items": item})
    for kinds in ([], ["a"], ["b", "a", "b"], ["a"] * 4, ["c"], ["a", "c"], ["a", "b", "A"]):
        _refused(student, json.dumps(_plain(list=[{"kind": kind} for kind in kinds])), schema)
    _refused(student, json.dumps(_plain(messages=[])), schema)
    blamed = 0
    while blamed < 60:
        schema = _schema(rng)
        text = json.dumps(_spoil(rng, _body(rng, schema), schema))
        found = _faults(text, schema, MODELS)
        if found and found[0] == "invalid_request":
            _refused(student, text, schema)
            blamed += 1


@check(
    "refuse",
    hint="True is a boolean and neither 1 nor a number; 2.0 is an integer and 2.5 is none; null is a type of its own.",
)
def knows_json_types(student, rng):
    values = [True, False, None, 1, 1.0, 1.5, 0, -1, "1", "", [], [1], {}, {"a": 1}]
    for name in (
        "integer",
        "number",
        "boolean",
        "null",
        "string",
        "array",
        "object",
        ["integer", "null"],
        ["string", "array"],
    ):
        schema = _plain_schema(field={"type": name})
        for value in values:
            _refused(student, json.dumps(_plain(field=value)), schema)
    schema = _plain_schema(field={"type": ["number", "boolean", "null"], "minimum": 2, "maximum": 3})
    for value in (True, False, None, 1.999, 2, 3, 3.001, 2.5):
        _refused(student, json.dumps(_plain(field=value)), schema)


@check(
    "refuse",
    hint="Some text made the function raise, or was taken for something else. Whatever comes, the answer "
    "is a refusal: text that is no JSON (NaN is none), texts of enormous depth or length, JSON that "
    "is no object. Numbers like 1e400, too, make nothing fall over.",
)
def never_falls_over(student, rng):
    schema = _plain_schema(field={"type": "number"})
    texts = [
        "",
        " ",
        "{",
        "{'model': 1}",
        "\x00",
        "[" * 60_000,
        '{"a":' * 60_000,
        "null",
        "true",
        "3",
        '"text"',
        "[]",
        "[[]]",
        "{}",
    ]
    texts += [json.dumps(_plain(field=value)) for value in (math.nan, math.inf, -math.inf)]
    texts += ["NaN", "[NaN]", '{"model": "small", "messages": [], "field": -Infinity}', json.dumps(_plain()) + "x"]
    texts += [json.dumps(_plain(messages=value)) for value in ({}, "text", None, [None], [[]], [{}], ["a"])]
    texts += [json.dumps({"model": value}) for value in (None, [], {}, 7)]
    texts += [json.dumps(_plain(model=value)) for value in (None, [], {}, ["small"], 7)]
    for text in texts:
        _refused(student, text, schema)
    for name in ("number", "integer", ["integer", "null"]):
        for value in ("1e400", "-1e400"):
            text = json.dumps(_plain(field=0.5)).replace("0.5", value)
            _refused(student, text, _plain_schema(field={"type": name}))


@check(
    "refuse",
    hint="Where several things are wrong, the first row of the table decides: JSON, contract, model, empty "
    "prompt. The last two are only asked when everything fits the contract.",
)
def keeps_the_order_of_the_table(student, rng):
    schema = _plain_schema(field={"type": "number"})
    silent = [[{"content": "hello"}, {"content": white}] for white in ("", " ", "\n\t ", "\u00a0")]
    spoken = [[{"content": "hello"}], [{"content": " "}, {"content": "hello"}]]
    for model, messages, field in itertools.product(("small", "huge", ""), silent + spoken, (1, "one")):
        _refused(student, json.dumps({"model": model, "messages": messages, "field": field}), schema)
    for models in (["huge"], [], ["small", "huge"]):
        _refused(student, json.dumps(_plain(model="huge")), schema, models)


def _plain(**more):
    return {"model": "small", "messages": [{"content": "hello"}]} | more


def _plain_schema(**more):
    message = {"type": "object", "required": ["content"], "properties": {"content": {"type": "string"}}}
    known = {"model": {"type": "string"}, "messages": {"type": "array", "minItems": 1, "items": message}}
    return {"type": "object", "required": ["model", "messages"], "properties": known | more}


# Task 2: read_stream


@oracle("read_stream")
def read_stream(chunks):
    """The whole stream at once; each event then goes to the chunk that has the byte with which it was complete."""
    sizes = list(itertools.accumulate(len(chunk) for chunk in chunks))
    events = [[] for _ in chunks]
    for place, event in _events(b"".join(bytes(chunk) for chunk in chunks)):
        if event == "[DONE]":
            return {"events": events, "done": True}
        events[bisect.bisect_left(sizes, place)].append(event)
    return {"events": events, "done": False}


def _events(data):
    """Each event with the number of bytes up to its end."""
    block, start = [], 3 if data.startswith(b"\xef\xbb\xbf") else 0
    for end in re.finditer(b"\r\n|\r|\n", data):
        line = data[start : end.start()].decode("utf-8", "replace")
        start = end.end()
        if line == "":
            parts = [re.fullmatch("data(?:: ?(.*))?", one, re.DOTALL) for one in block]
            values = [part[1] or "" for part in parts if part]
            if values:
                yield end.start() + 1, "\n".join(values)
            block = []
        else:
            block.append(line)


def _stream(rng, n, ends=("\n",), done=0.5):
    """Bytes of a stream that has everything in it that may be there."""
    lines = [b"\xef\xbb\xbfdata: begin", b""] if rng.random() < 0.3 else []
    for _ in range(n):
        for _ in range(_pick(rng, [1, 1, 1, 2, 3])):
            value = "".join(
                _pick(rng, list("ab c:\u00fc\u20ac\u2028\x0b\x85\U0001f600\t\ufeff"))
                for _ in range(int(rng.integers(0, 7)))
            )
            text = _pick(rng, [b"", b"", b"", b"\xff", b"\xe2\x82", b"a\xc3b", b"\xf0\x9f\x98"]) + value.encode()
            lines.append(_pick(rng, ["data: ", "data: ", "data:", "data:  "]).encode() + text)
        lines += [
            _pick(
                rng, [b": ping", b"event: x", b"id: 7", b"data", b"database: 1", b"Data: 2", b" data: 3", b"\xff\xfe"]
            )
        ] * (rng.random() < 0.4)
        lines += [b""] * _pick(rng, [1, 1, 1, 2, 3])
    if rng.random() < done:
        place = int(rng.integers(len(lines) + 1))
        lines = lines[:place] + [b"", b"data: [DONE]", b""] + lines[place:]
    return b"".join(line + _pick(rng, ends).encode() for line in lines)


def _cut(rng, data, pieces):
    """The bytes in so many chunks, some of them empty."""
    ends = [0, *sorted(rng.integers(0, len(data) + 1, pieces - 1).tolist()), len(data)]
    return [list(data[a:b]) for a, b in itertools.pairwise(ends)]


def _streamed(student, chunks, hint=None):
    expect.equal(student(chunks, seconds=SLOW), read_stream(chunks), hint=hint)


@check(
    "read_stream",
    hint="In a stream that came in one piece, with `\\n` for every line end, the events are others. Look at "
    "comments, at several data lines, at the one space, at lines without a colon, at letters that "
    "are no line ends, and at bytes that are no UTF-8.",
)
def reads_events(student, rng):
    for other in ("database: 1", "data2: 1", " data: 1", "Data: 1", "event: data", ":data: 1", "x"):
        _streamed(student, [list(f"{other}\n\ndata: a\n{other}\n\n".encode())])
    for n in (0, 1, 2, 5, 9, 20):
        _streamed(student, [list(_stream(rng, n, done=0))])


@check(
    "read_stream",
    hint="The same bytes in other chunks gave other events, or not with the chunk that completed them: a "
    "chunk may end within a line, within a letter of several bytes, or be empty.",
)
def cuts_make_no_difference(student, rng):
    for n in (2, 5, 9, 14):
        data = _stream(rng, n)
        _streamed(student, _cut(rng, data, 2 + 3 * n))
    data = _stream(rng, 4)
    _streamed(student, [[one] for one in data])


@check(
    "read_stream",
    hint="Lines may end with \\r\\n or \\r as well, also mixed. A \\r ends its line at once; a \\n that comes "
    "right after it, even in the next chunk, ends none.",
)
def knows_three_line_ends(student, rng):
    for ends in (("\r\n",), ("\r",), ("\r\n", "\r", "\n")):
        for n in (2, 4, 8):
            data = _stream(rng, n, ends)
            _streamed(student, _cut(rng, data, 3 + 4 * n))
        _streamed(student, [[one] for one in _stream(rng, 3, ends)])
    for text in ("data: a\r\rdata: b\r\r\n: c", "data: a\r\n\rdata: b\n\r", "\r\n\n\rdata: x\r\n\r\n"):
        _streamed(student, [[one] for one in text.encode()])


@check(
    "read_stream",
    hint="From [DONE] on nothing is told, and done is True; an event that only contains [DONE], or is not "
    "ended by an empty line, is not the end.",
)
def ends_with_done(student, rng):
    for _ in range(4):
        data = _stream(rng, 6, done=1)
        _streamed(student, _cut(rng, data, 9))
    for text in (
        "data: [DONE]\n\n",
        "data:[DONE]\n\ndata: a\n\n",
        "data: [DONE]",
        "data: [DONE]\n",
        "data: x[DONE]\n\n",
        "data: [DONE]\ndata: a\n\ndata: b\n\n",
        "data:  [DONE]\n\ndata: a\n\n",
        "data: a\n\ndata: [DONE]\n\ndata: [DONE]\n\ndata: c\n\n",
    ):
        _streamed(student, _cut(rng, text.encode(), 4))


@check(
    "read_stream",
    hint="60,000 chunks took too long: each byte that comes should be looked at once, and not again with "
    "every later one.",
)
def reads_every_byte_once(student, rng):
    words = [_word(rng) for _ in range(8000)]
    data = "".join(f"data: {word}\n\n" for word in words).encode()[:60_000]
    got = student([[one] for one in data], seconds=8.0)
    expect.true(isinstance(got, dict) and isinstance(got.get("events"), list))
    flat = [event for some in got["events"] if isinstance(some, list) for event in some]
    expect.equal(flat, words[: data.count(b"\n\n")])


# Task 3: run_batches


@oracle("run_batches")
def run_batches(requests, most, max_wait, first, each):
    """An engine that looks at the line in every millisecond."""
    if most < 1 or max_wait < 0:
        raise ValueError("a run is for 1 or more, and a wait is no less than 0")
    runs, served, again, now = [], set(), [], 0
    while again or any(_will_be_there(one, now) for one in requests if one["id"] not in served):
        line = [one for one in requests if one["at"] <= now and one["id"] not in served and _will_be_there(one, now)]
        batch = [again.pop(0)] if again else []
        if not batch and line and (len(line) >= most or now >= line[0]["at"] + max_wait):
            batch = line[:most]
            again = list(batch) if len(batch) > 1 and any(one["breaks"] for one in batch) else []
        if not batch:
            now += 1
            continue
        end = now + first + each * len(batch)
        ok = sum(one["breaks"] for one in batch) == 0
        runs.append({"start": now, "end": end, "ids": [one["id"] for one in batch], "ok": ok})
        served |= {one["id"] for one in batch}
        now = end
    return runs


def _will_be_there(one, now):
    """Whether a caller waits now or will come."""
    return one["gone"] is None or one["gone"] > max(now, one["at"])


@covers("run_batches")
def are_small_numbers(requests, most, max_wait, first, each):
    """Whole numbers of a size that an engine could have."""
    return all(type(one) is int and one < 5000 for one in (most, max_wait, first, each)) and first >= 0 and each >= 0


def _requests(rng, n, gap, gone=0.0, breaks=0.0, longest=60):
    """Requests at random instants, some at the same one."""
    at = rng.integers(0, max(1, n * gap), n)
    at.sort()
    return [
        {
            "id": f"r{k}",
            "at": int(one),
            "gone": int(one + rng.integers(0, longest)) if rng.random() < gone else None,
            "breaks": bool(rng.random() < breaks),
        }
        for k, one in enumerate(at)
    ]


def _runs(got):
    """The student's runs, if they have the form of runs."""
    if not isinstance(got, list):
        raise expect.CheckFailed("not a list")
    for one in got:
        if (
            not isinstance(one, dict)
            or set(one) != {"start", "end", "ids", "ok"}
            or not isinstance(one["ids"], (list, tuple))
        ):
            raise expect.CheckFailed(f"not a run: {str(one)[:80]}", "Each run is a dict of start, end, ids and ok.")
        expect.number(one["start"])
        expect.number(one["end"])
        expect.true(all(isinstance(name, str) for name in one["ids"]))
        expect.true(isinstance(one["ok"], bool))
    return got


@check(
    "run_batches",
    hint="With an engine that needs no time, a request was begun later than max_wait after it came, or "
    "never, or a batch left before it was full and before its first request had waited max_wait.",
)
def keeps_its_promise(student, rng):
    for gap in (1, 3, 10, 40):
        requests, most, max_wait = _requests(rng, 40, gap), int(rng.integers(2, 7)), int(rng.integers(1, 30))
        at = {one["id"]: one["at"] for one in requests}
        seen = {}
        for run in _runs(student(requests, most, max_wait, 0, 0, seconds=SLOW)):
            expect.true(all(name in at for name in run["ids"]) and len(run["ids"]) > 0)
            waits = [run["start"] - at[name] for name in run["ids"]]
            expect.true(all(0 <= wait <= max_wait for wait in waits))
            expect.true(len(waits) == most or max(waits) == max_wait)
            for name in run["ids"]:
                seen[name] = seen.get(name, 0) + 1
        expect.equal(
            seen, dict.fromkeys(at, 1), hint="Each request is in one run, if nobody leaves and nothing breaks."
        )


@check(
    "run_batches",
    hint="While the engine was busy a line grew: who came first has to be served first, in runs of at most "
    "`most`, one after the other, each of first + each * n ms.",
)
def serves_in_order(student, rng):
    for most in (1, 2, 5):
        requests, first, each = _requests(rng, 50, 3), int(rng.integers(5, 40)), int(rng.integers(1, 6))
        runs = _runs(student(requests, most, 8, first, each, seconds=SLOW))
        expect.equal([name for run in runs for name in run["ids"]], [one["id"] for one in requests])
        expect.true(all(1 <= len(run["ids"]) <= most for run in runs))
        expect.true(all(run["end"] - run["start"] == first + each * len(run["ids"]) for run in runs))
        expect.true(all(later["start"] >= run["end"] for run, later in itertools.pairwise(runs)))


def _same_runs(student, rng, requests):
    """The student's runs of the requests are the oracle's, for limits and times that are drawn here."""
    most, max_wait, first, each = (int(rng.integers(low, high)) for low, high in ((1, 6), (0, 25), (0, 30), (0, 5)))
    expect.equal(
        student(requests, most, max_wait, first, each, seconds=SLOW),
        run_batches(requests, most, max_wait, first, each),
    )


@check(
    "run_batches",
    hint="A run began too early or too late, or with others. Look at the engine's end: who waits then, "
    "have enough come, has the first waited long enough already? And at those who come at the very "
    "instant.",
)
def leaves_when_it_should(student, rng):
    for max_wait in (1, 7, 20):
        at = int(rng.integers(0, 30))
        late = [at, at + max_wait, at + max_wait, at + max_wait + 9, at + 2 * max_wait + 9, at + 2 * max_wait + 9]
        requests = [{"id": f"r{k}", "at": one, "gone": None, "breaks": False} for k, one in enumerate(late)]
        for most in (2, 3, 9):
            expect.equal(
                student(requests, most, max_wait, 4, 1, seconds=SLOW), run_batches(requests, most, max_wait, 4, 1)
            )
    for _ in range(12):
        requests = _requests(rng, 30, int(rng.integers(1, 12)))
        _same_runs(student, rng, requests)


@check(
    "run_batches",
    hint="With callers who leave, runs are others. Who is gone, at that very instant too, counts neither "
    "for a full batch nor for the wait, and the next one's wait counts from when that one came; who "
    "is in a run stays in it.",
)
def forgets_who_is_gone(student, rng):
    for _ in range(16):
        requests = _requests(
            rng, 30, int(rng.integers(1, 12)), gone=_pick(rng, [0.2, 0.5, 1.0]), longest=_pick(rng, [4, 25, 60])
        )
        _same_runs(student, rng, requests)


@check(
    "run_batches",
    hint="A request that breaks spoiled more than its own answer, or its run took another time: the run is "
    "not ok, then each of it is run again alone, in order, before anything else; alone, only the "
    "broken one is not ok, and is not run a third time.",
)
def isolates_what_breaks(student, rng):
    spoilt = int(rng.integers(4))
    together = [{"id": f"r{k}", "at": 3, "gone": 4 + 9 * k if k > 1 else None, "breaks": k == spoilt} for k in range(4)]
    expect.equal(student(together, 4, 9, 12, 2, seconds=SLOW), run_batches(together, 4, 9, 12, 2))
    for _ in range(14):
        requests = _requests(
            rng, 24, int(rng.integers(1, 14)), gone=_pick(rng, [0.0, 0.4]), breaks=_pick(rng, [0.1, 0.3, 1.0])
        )
        _same_runs(student, rng, requests)


@check(
    "run_batches",
    hint="Look at the edges: no requests, a line of callers who have all left, a wait of 0 ms, batches of "
    "one, and the two values that raise ValueError.",
)
def knows_the_edges(student, rng):
    at = int(rng.integers(1, 50))
    expect.equal(student([], 2, 5, 1, 1, seconds=SLOW), [])
    gone = [{"id": "a", "at": at, "gone": at, "breaks": False}, {"id": "b", "at": at, "gone": at + 3, "breaks": True}]
    expect.equal(student(gone, 2, 5, 1, 1, seconds=SLOW), [])
    for most, max_wait in ((1, 0), (1, 100), (2, 0), (9, 0)):
        requests = _requests(rng, 8, 2)
        expect.equal(student(requests, most, max_wait, 3, 1, seconds=SLOW), run_batches(requests, most, max_wait, 3, 1))
    for most, max_wait in ((0, 5), (-1, 5), (2, -1), (0, -1)):
        expect.raises(student, ValueError, _requests(rng, 3, 2), most, max_wait, 3, 1)
        expect.raises(student, ValueError, [], most, max_wait, 3, 1)


# Task 4: admit


@oracle("admit")
def admit(requests, capacity):
    """A worker that looks at its line in every millisecond in which something can happen."""
    if capacity < 0:
        raise ValueError("a line is no shorter than 0")
    answers, line, working, ends, left = {}, [], None, None, list(requests)
    instants = {one["at"] for one in requests}
    while instants:
        now = min(instants)
        instants.remove(now)
        if working is not None and ends == now:
            answers[working["id"]] = {"status": 200, "at": now, "retry_after": None}
            working = None
        arrived = [one for one in left if one["at"] == now]
        left = [one for one in left if one["at"] != now]
        for one in [None, *arrived]:
            if one is not None and working is not None and len(line) >= capacity:
                ahead = Fraction(ends - now + sum(other["work"] for other in line), 1000)
                answers[one["id"]] = {"status": 429, "at": now, "retry_after": max(1, -int(-ahead // 1))}
                continue
            line += [] if one is None else [one]
            while working is None and line:
                nxt = line.pop(0)
                if now + nxt["work"] <= nxt["due"]:
                    working, ends = nxt, now + nxt["work"]
                    instants.add(ends)
                else:
                    answers[nxt["id"]] = {"status": 504, "at": now, "retry_after": None}
    return answers


@covers("admit")
def is_a_whole_capacity(requests, capacity):
    """How many may wait is a whole number."""
    return type(capacity) is int


def _jobs(rng, n, gap, work=(1, 400), patience=(50, 3000)):
    """Requests whose work and patience are random; some come at the same instant, some as work ends."""
    step = _pick(rng, [1, 50])
    at = rng.integers(0, max(1, n * gap), n) // step * step
    at.sort()
    work = (rng.integers(*work, n) // 10 + 1) * 10
    return [
        {"id": f"j{k}", "at": int(one), "work": int(takes), "due": int(one + rng.integers(*patience))}
        for k, (one, takes) in enumerate(zip(at, work, strict=True))
    ]


def _answers(got, requests):
    """The student's answers, if each request has one of the right form."""
    if not isinstance(got, dict) or set(got) != {one["id"] for one in requests}:
        raise expect.CheckFailed("not one answer for each", "Each request has one answer, under its id.")
    for one in got.values():
        expect.true(isinstance(one, dict) and set(one) == {"status", "at", "retry_after"})
        expect.number(one["status"])
        expect.number(one["at"])
    return got


@check(
    "admit",
    hint="A worker with room for all, and callers with patience: who came first has to be served first, "
    "without a pause and without an overlap, and is answered at the end of the work.",
)
def serves_everybody_where_there_is_room(student, rng):
    for gap in (20, 200, 500):
        requests = _jobs(rng, 30, gap, patience=(10**6, 10**6 + 1))
        got, free = _answers(student(requests, 30, seconds=SLOW), requests), 0
        for one in requests:
            free = max(free, one["at"]) + one["work"]
            expect.equal(got[one["id"]], {"status": 200, "at": free, "retry_after": None})


@check(
    "admit",
    hint="At a full line: who comes when the worker is busy and `capacity` wait gets 429 at once, and "
    "nobody else does. At the instant at which work ends, the next has begun before anybody arrives.",
)
def refuses_at_a_full_line(student, rng):
    for capacity in (0, 1, 2, 5, 9):
        work = int(rng.integers(5, 90))
        at_the_end = [{"id": f"e{k}", "at": k * work, "work": work, "due": 10**6} for k in range(4)]
        at_once = [{"id": f"f{k}", "at": 0, "work": work, "due": 10**6} for k in range(capacity + 2)]
        exact = at_once + at_the_end[1:]
        expect.equal(student(exact, capacity, seconds=SLOW), admit(exact, capacity))
        requests = _jobs(rng, 50, 60, patience=(10**6, 10**6 + 1))
        got, want = _answers(student(requests, capacity, seconds=SLOW), requests), admit(requests, capacity)
        for name, answer in want.items():
            expect.equal((got[name]["status"], got[name]["at"]), (answer["status"], answer["at"]))


@check(
    "admit",
    hint="Retry-After is another: the rest of the running request and all the work that waits, in whole "
    "seconds, rounded up, at least 1; and None for all who are not refused.",
)
def says_when_to_come_back(student, rng):
    for capacity in (0, 1, 3, 6):
        requests = _jobs(rng, 40, 100, work=(100, 2500), patience=(10**6, 10**6 + 1))
        got, want = _answers(student(requests, capacity, seconds=SLOW), requests), admit(requests, capacity)
        expect.equal(
            {name: got[name]["retry_after"] for name in want}, {name: want[name]["retry_after"] for name in want}
        )
        hasty = _jobs(rng, 40, 70, patience=(100, 900))
        got, want = _answers(student(hasty, capacity, seconds=SLOW), hasty), admit(hasty, capacity)
        expect.equal([got[name]["retry_after"] for name in want], [want[name]["retry_after"] for name in want])
    for work, seconds in ((999, 1), (1000, 1), (1001, 2), (2000, 2), (2001, 3), (1, 1)):
        requests = [{"id": name, "at": 0, "work": work, "due": 10**6} for name in "ab"]
        expect.equal(_answers(student(requests, 0, seconds=SLOW), requests)["b"]["retry_after"], seconds)


@check(
    "admit",
    hint="Work was begun that could not end by `due`, or not begun although it could, or somebody else "
    "paid for it: who is answered 504 takes no time, and the next has its turn at the same instant.",
)
def begins_nothing_in_vain(student, rng):
    for capacity in (0, 2, 8, 30):
        requests = _jobs(rng, 40, 70, patience=(100, 900))
        got, want = _answers(student(requests, capacity, seconds=SLOW), requests), admit(requests, capacity)
        late = [one for one in requests if got[one["id"]]["status"] == 200 and got[one["id"]]["at"] > one["due"]]
        expect.equal(late, [], hint="An answer with status 200 came after its `due`.")
        expect.equal(got, want)
    exact = [
        {"id": "a", "at": 0, "work": 50, "due": 50},
        {"id": "b", "at": 0, "work": 50, "due": 99},
        {"id": "c", "at": 1, "work": 9, "due": 59},
    ]
    expect.equal(student(exact, 5, seconds=SLOW), admit(exact, 5))


@check(
    "admit",
    hint="Under twice the load that the worker can take, or at an edge (no requests, several at once, room "
    "for nobody, a capacity below 0), answers are others. The order at an instant: work ends, who "
    "waits begins, who arrives is looked at.",
)
def holds_under_overload(student, rng):
    for capacity in (0, 1, 4, 12):
        requests = _jobs(rng, 60, 90, patience=_pick(rng, [(200, 600), (500, 3000)]))
        expect.equal(student(requests, capacity, seconds=SLOW), admit(requests, capacity))
        together = [one | {"at": one["at"] // 500 * 500} for one in requests]
        expect.equal(student(together, capacity, seconds=SLOW), admit(together, capacity))
    expect.equal(student([], 2, seconds=SLOW), {})
    for capacity in (-1, -3):
        expect.raises(student, ValueError, _jobs(rng, 2, 9), capacity)


# Task 5: ask_again


@oracle("ask_again")
def ask_again(fates, draws, base, cap, deadline):
    """All waits first, then who is reached."""
    again = [one["status"] in (None, 429, 503) for one in fates]
    last = again.index(False) if False in again else len(fates) - 1
    times = [0.0]
    for k in range(last):
        wait = max(draws[k] * min(float(cap), math.ldexp(base, k)), 1000.0 * (fates[k]["retry_after"] or 0))
        times.append(times[-1] + fates[k]["took"] + wait)
    times = [one for one in times if one <= deadline] or [0.0]
    key = f"key that nobody else has {next(KEYS)}"
    return {"status": fates[len(times) - 1]["status"], "tries": [{"at": one, "key": key} for one in times]}


@covers("ask_again")
def are_times_of_a_client(fates, draws, base, cap, deadline):
    """Lists that fit, whole numbers above 0."""
    if len(fates) != len(draws) or not fates or not all(isinstance(one, float) and 0 <= one < 1 for one in draws):
        return False
    return all(type(one) is int and 0 < one < 10**9 for one in (base, cap, deadline))


@latitude("ask_again")
def tries_at_the_same_instants(arguments, reference, given):
    """With any key of enough letters that all tries share; up to rounding."""
    return _tries_complaint(given, reference) is None


def _tries_complaint(got, want):
    if not isinstance(got, dict) or set(got) != {"status", "tries"} or not isinstance(got["tries"], (list, tuple)):
        return "not a dict of status and tries"
    if type(got["status"]) is not type(want["status"]) or got["status"] != want["status"]:
        return f"the status is {got['status']!r} and not {want['status']!r}"
    if not all(isinstance(one, dict) and set(one) == {"at", "key"} for one in got["tries"]):
        return "a try is a dict of at and key"
    times = [one["at"] for one in got["tries"]]
    if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in times):
        return "instants are numbers"
    wanted = [one["at"] for one in want["tries"]]
    if len(times) != len(wanted) or any(abs(a - b) > 1e-6 for a, b in zip(times, wanted, strict=True)):
        return f"tries at {times[:9]}, expected {wanted[:9]}"
    keys = [one["key"] for one in got["tries"]]
    good = all(isinstance(key, str) and len(key) >= 16 and key == keys[0] for key in keys)
    return None if good else "not one key of 16 letters for all tries"


def _fates(rng, n, last=None, hints=0.0):
    """So many tries in vain, and then perhaps another."""
    vain = [
        {"status": _pick(rng, [None, 429, 503]), "took": int(rng.integers(0, 300)), "retry_after": None}
        for _ in range(n)
    ]
    for one in vain:
        if rng.random() < hints:
            one["retry_after"] = int(rng.integers(0, 4))
    final = [] if last is None else [{"status": last, "took": int(rng.integers(0, 300)), "retry_after": None}]
    return vain + final


def _tried(student, fates, draws, base, cap, deadline, hint=None):
    got = student(fates, draws, base, cap, deadline, seconds=SLOW)
    complaint = _tries_complaint(got, ask_again(fates, draws, base, cap, deadline))
    if complaint:
        raise expect.CheckFailed(complaint, hint)
    return got["tries"][0]["key"]


@check(
    "ask_again",
    hint="Tries began at other instants. After try k, counted from 0, and from its end on, the wait is the "
    "k-th draw times base * 2**k, and never more than cap is multiplied with the draw. Nothing is rounded.",
)
def waits_with_full_jitter(student, rng):
    for n in (1, 2, 5, 12):
        fates = _fates(rng, n, 200)
        _tried(
            student, fates, rng.random(n + 1).tolist(), int(rng.integers(50, 400)), int(rng.integers(500, 5000)), 10**7
        )
    _tried(student, _fates(rng, 6, 200), [0.0] * 7, 100, 1000, 10**7)


@check(
    "ask_again",
    hint="Which answers are final, and which one is told? None, 429 and 503 are tried again, and nothing "
    "else is; the status is that of the last try, when all fates are met as well.",
)
def knows_what_is_final(student, rng):
    for status in (200, 201, 400, 401, 404, 409, 413, 422, 500, 501, 504):
        fates = _fates(rng, int(rng.integers(0, 3)), status) + _fates(rng, 2, 200)
        _tried(student, fates, rng.random(len(fates)).tolist(), 100, 1000, 10**7)
    for status in (None, 429, 503):
        fates = [{"status": status, "took": 5, "retry_after": None}] * 3
        _tried(student, fates, rng.random(3).tolist(), 100, 1000, 10**7)


@check(
    "ask_again",
    hint="Retry-After, in seconds, is the least wait after that try; where more was drawn, that holds. It "
    "is no reason to try again.",
)
def listens_to_retry_after(student, rng):
    for n in (1, 3, 6):
        fates = _fates(rng, n, 200, hints=0.7)
        _tried(student, fates, rng.random(n + 1).tolist(), 800, 6000, 10**7)
    fates = [{"status": 400, "took": 5, "retry_after": 1}, {"status": 200, "took": 5, "retry_after": None}]
    _tried(student, fates, [0.5, 0.5], 100, 1000, 10**7)
    fates = [{"status": 503, "took": 5, "retry_after": 0}, {"status": 200, "took": 5, "retry_after": None}]
    _tried(student, fates, [0.5, 0.5], 100, 1000, 10**7)


@check(
    "ask_again",
    hint="A try began after the deadline, or none began although the deadline had not come. The status is "
    "that of the last try that began.",
)
def gives_up_in_time(student, rng):
    for _ in range(8):
        fates = _fates(rng, 6, 200, hints=0.2)
        draws, base = rng.random(7).tolist(), int(rng.integers(50, 400))
        times = [one["at"] for one in ask_again(fates, draws, base, 2000, 10**7)["tries"]]
        near = int(_pick(rng, times[1:]))
        for deadline in (near - 1, near + 1, int(rng.integers(1, 4000))):
            if deadline > 0:
                _tried(student, fates, draws, base, 2000, deadline)
    fates = [{"status": None, "took": 60, "retry_after": None}] * 3
    for deadline in (109, 110, 111, 269, 270, 271):
        _tried(student, fates, [0.5, 0.5, 0.5], 100, 1000, deadline)


@check(
    "ask_again",
    hint="The idempotency key: the same for all tries of a request, or it is done twice; a new one for "
    "each request, also for one that looks the same; 16 letters or more.",
)
def is_served_once(student, rng):
    fates, draws = _fates(rng, 5, 200), rng.random(6).tolist()
    keys = [_tried(student, fates, draws, 100, 1000, 10**7) for _ in range(12)]
    expect.equal(len(set(keys)), 12)


# Task 6: build_tree


@oracle("build_tree")
def build_tree(lines):
    """Entries in a set, messages in a graph of networkx."""
    entries, broken = set(), 0
    for line in set(lines):
        found = _entry(line)
        broken += found is None
        if found:
            entries.add(found)
    counts = {}
    for found in sorted((found for found in entries if found[2] is not None), key=lambda one: one[:3]):
        counts.setdefault(found[2], found)
    order = [name for _, name in sorted((found[0], name) for name, found in counts.items())]
    graph = nx.DiGraph()
    graph.add_nodes_from(order)
    graph.add_edges_from((counts[name][3], name) for name in order if counts[name][3] in counts)
    loops = set()
    for some in nx.strongly_connected_components(graph):
        if len(some) > 1 or any(graph.has_edge(name, name) for name in some):
            loops |= some
    return {
        "children": {name: [child for child in order if counts[child][3] == name] for name in order}
        if len(order) < 300
        else {name: list(graph.successors(name)) for name in order},
        "roots": [name for name in order if counts[name][3] is None],
        "orphans": [name for name in order if counts[name][3] not in (None, *counts)],
        "cycles": [name for name in order if name in loops],
        "broken": broken,
    }


def _entry(line):
    """Microseconds, insertId, message and parent (None for a root) of a line; None if it is broken."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    wanted = {"insertId": str, "timestamp": str, "jsonPayload": dict}
    if not isinstance(entry, dict) or not all(isinstance(entry.get(name), kind) for name, kind in wanted.items()):
        return None
    parts = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z", entry["timestamp"])
    try:
        whole = datetime.fromisoformat(parts[1]) if parts else None
    except ValueError:  # a thirteenth month
        whole = None
    if whole is None:
        return None
    seconds = (whole - datetime(2020, 1, 1)) // timedelta(seconds=1)
    micros = seconds * 10**6 + int((parts[2] or "").ljust(6, "0"))
    payload = entry["jsonPayload"]
    name = payload.get("message_id")
    is_message = isinstance(name, str) and "problem" not in payload
    return micros, entry["insertId"], name if is_message else None, payload.get("parent_id")


def _line(name, parent, micros, number, **more):
    """A line of the service's log, with as few digits of a second's fraction as it takes."""
    time = datetime(2026, 11, 23, 9, 0) + timedelta(microseconds=micros)
    fraction = f".{micros % 10**6:06d}".rstrip("0").rstrip(".")
    payload = {"event": "chat.completion", "message_id": name, "parent_id": parent, "seconds": 0.25, **more}
    payload = {key: value for key, value in payload.items() if not (key == "parent_id" and value is ...)}
    entry = {
        "insertId": f"f00d-{number:012d}",
        "logName": "projects/local/logs/inference",
        "timestamp": f"{time:%Y-%m-%dT%H:%M:%S}{fraction}Z",
        "severity": "INFO",
        "jsonPayload": payload,
    }
    return json.dumps(entry)


def _micros(rng):
    """Some seconds, often the same ones, of the same minute, the next one, the next hour, or a day of the next year."""
    later = _pick(rng, [0, 0, 0, 0, 60, 3600, 40 * 86_400])
    return (later + int(rng.integers(0, 6))) * 10**6 + _pick(rng, [0, 0, 250_000, 500_000, 250_001, 7])


def _log(rng, n, roots=0.2):
    """A log of some conversations, in the order of what was asked, at times of any order."""
    names = [f"m-{int(k):03d}" for k in rng.permutation(n)]
    return [
        _line(name, _pick(rng, names[:k]) if k and rng.random() > roots else _pick(rng, [None, ...]), _micros(rng), k)
        for k, name in enumerate(names)
    ]


def _shuffled(rng, lines, twice=0.0):
    lines = lines + [one for one in lines if rng.random() < twice]
    return [lines[int(k)] for k in rng.permutation(len(lines))]


@check(
    "build_tree",
    hint="Children, or lists, are others or in another order, in a log without any fault: by time first, "
    "then by id. Times are instants and no texts, and a log may last for days.",
)
def builds_conversations(student, rng):
    for n in (0, 1, 2, 12, 40):
        lines = _log(rng, n)
        expect.equal(student(lines, seconds=SLOW), build_tree(lines))


@check(
    "build_tree",
    hint="The same lines in another order, some of them more often, made another result: nothing may "
    "depend on the order in which lines come, nor on how often one comes.",
)
def order_makes_no_difference(student, rng):
    for n in (5, 30):
        lines = _log(rng, n)
        lines += [line[: int(rng.integers(5, 60))] for line in lines[:3]]
        for _ in range(4):
            some = _shuffled(rng, lines, twice=0.6)
            expect.equal(student(some, seconds=SLOW), build_tree(lines))


@check(
    "build_tree",
    hint="With parents that never came, orphans are others: an orphan's parent is no message of the log; a "
    "request with a problem is none, and the children of an orphan are no orphans. Who never came is "
    "no message.",
)
def names_orphans(student, rng):
    for _ in range(4):
        lines = _log(rng, 30)
        kept = [one for one in lines if rng.random() < 0.6]
        kept += [
            _line("refused", None, _micros(rng), 900, problem="queue_full"),
            _line("late", "refused", _micros(rng), 901),
        ]
        kept += [_line(_pick(rng, [None, 7, ["m-001"]]), None, 0, 902)]
        kept = _shuffled(rng, kept)
        expect.equal(student(kept, seconds=SLOW), build_tree(kept))


@check(
    "build_tree",
    hint="Messages that are each other's parents: in `cycles` are those on the circle, a message that is "
    "its own parent too, but not those that only hang on it. They are neither roots nor orphans.",
)
def names_cycles(student, rng):
    for size in (1, 2, 3, 7):
        lines, circle = _log(rng, 15), [f"c-{k}" for k in rng.permutation(size)]
        lines += [_line(name, circle[k - 1], _micros(rng), 100 + k) for k, name in enumerate(circle)]
        lines += [
            _line("h-0", circle[0], _micros(rng), 200),
            _line("h-1", "h-0", _micros(rng), 201),
            _line("h-2", "h-1", _micros(rng), 202),
        ]
        lines += [_line("s", "s", _micros(rng), 300)]
        lines = _shuffled(rng, lines)
        expect.equal(student(lines, seconds=SLOW), build_tree(lines))


@check(
    "build_tree",
    hint="Lines that are torn, or JSON of another form, or whose time is none: each different one is "
    "counted once, none stops the function, and the entries that have no message are not broken.",
)
def counts_broken_lines(student, rng):
    lines = _log(rng, 12)
    good = lines[0]
    torn = [good[: int(k)] for k in rng.integers(0, len(good) - 1, 5)] + [
        "",
        " ",
        "{",
        "[]",
        "7",
        "null",
        '"text"',
        "{}",
        "[" * 60_000,
    ]
    for name in ("insertId", "timestamp", "jsonPayload"):
        entry = json.loads(good)
        torn += [json.dumps(entry | {name: value}) for value in (None, 7, ["a"])]
        torn.append(json.dumps({key: value for key, value in entry.items() if key != name}))
    for time in ("yesterday", "", "2026-13-01T09:30:00Z", "2026-11-31T09:30:00Z", "2026-11-23T25:30:00Z"):
        torn.append(json.dumps(json.loads(good) | {"timestamp": time}))
    torn.append(json.dumps(json.loads(good) | {"jsonPayload": "message_id"}))
    fine = [_line(None, None, _micros(rng), 70), json.dumps(json.loads(good) | {"jsonPayload": {"event": "started"}})]
    expect.equal(student(lines + fine, seconds=SLOW), build_tree(lines + fine))
    for one in torn:
        expect.equal(student([*lines, one], seconds=SLOW), build_tree([*lines, one]))
    everything = _shuffled(rng, lines + torn + fine, twice=0.5)
    expect.equal(student(everything, seconds=SLOW), build_tree(everything))


@check(
    "build_tree",
    hint="One message was logged in several entries, with several parents: the earliest entry counts, then "
    "the smaller insertId, whatever came first; an entry with a problem does not count as one.",
)
def the_earliest_entry_counts(student, rng):
    for _ in range(4):
        lines = _log(rng, 14)
        for k in range(10):
            name, parent = (json.loads(_pick(rng, lines))["jsonPayload"]["message_id"] for _ in range(2))
            lines.append(_line(name, _pick(rng, [parent, None, "nobody"]), _micros(rng), int(rng.integers(0, 1000))))
            lines.append(_line(name, parent, 0, 990 + k, problem="timed_out"))
        numbers, unique = set(), []
        for line in lines:
            if (number := json.loads(line)["insertId"]) not in numbers:
                numbers.add(number)
                unique.append(line)
        lines = _shuffled(rng, unique, twice=0.3)
        expect.equal(student(lines, seconds=SLOW), build_tree(lines))
    numbers = (3000 + rng.permutation(20)).tolist()
    alike = [_line("same", "one" if number == min(numbers) else "two", 7, number) for number in numbers]
    for some in (alike, alike[::-1], sorted(alike), sorted(alike)[::-1]):
        lines = [_line("one", None, 9, 1), _line("two", None, 5, 2), *some]
        expect.equal(student(lines, seconds=SLOW), build_tree(lines))


@check(
    "build_tree",
    hint="A conversation of some thousand turns, one below the other: Python's recursion ends at about a "
    "thousand, and walking up to the root from every message takes too long.",
)
def builds_deep_conversations(student, rng):
    n = 6000
    lines = [_line(f"d-{k:04d}", f"d-{k - 1:04d}" if k else None, 10 * (n - k), k) for k in range(n)]
    some = _shuffled(rng, lines)
    expect.equal(student(some, seconds=8.0), build_tree(lines))


# Task 7: rank


@oracle("rank")
def rank(rows):
    """Everybody's place from comparisons of pairs, by repeatedly taking out the best one that is left."""
    for row in rows:
        numbers = (row["low"], row["ratio"], row["high"])
        if not all(math.isfinite(one) for one in numbers) or list(numbers) != sorted(numbers):
            raise ValueError("the numbers of a row are finite, and the ratio lies in the interval")
    left, page = list(rows), []
    while left:
        best = left[0]
        for row in left[1:]:
            if _is_before(row, best, rows):
                best = row
        left.remove(best)
        page.append({"rank": _rank_of(best, rows), "pseudonym": best["pseudonym"]})
    return page


def _rank_of(row, rows):
    if not row["verified"]:
        return None
    return 1 + len([one for one in rows if one["verified"] and one["low"] > row["high"]])


def _is_before(one, other, rows):
    if one["verified"] != other["verified"]:
        return one["verified"]
    if one["verified"] and _rank_of(one, rows) != _rank_of(other, rows):
        return _rank_of(one, rows) < _rank_of(other, rows)
    if one["ratio"] != other["ratio"]:
        return one["ratio"] > other["ratio"]
    return one["pseudonym"] < other["pseudonym"]


def _rows(rng, n, verified=0.7, width=1.0, grid=8):
    """Rows whose numbers are eighths, so that ends touch and ratios are equal now and then."""
    names = [f"{_pick(rng, ['otter', 'heron', 'newt', 'toad'])}-{int(k)}" for k in rng.permutation(n)]
    rows = []
    for name in names:
        ratio = int(rng.integers(4, 40)) / grid
        below, above = (int(rng.integers(0, 1 + int(width * grid))) / grid for _ in range(2))
        row = {"pseudonym": name, "ratio": ratio, "low": ratio - below, "high": ratio + above}
        rows.append(row | {"verified": bool(rng.random() < verified)})
    return rows


@check(
    "rank",
    hint="Ranks of verified rows are others: one more than the number of verified rows whose low end is "
    "above the row's high end. Two that each overlap a third need not overlap each other.",
)
def counts_who_lies_above(student, rng):
    for n, width in ((1, 1), (2, 1), (8, 0.5), (20, 1), (20, 3), (12, 0)):
        rows = _rows(rng, n, verified=1.0, width=width)
        got = student(rows, seconds=SLOW)
        expect.true(isinstance(got, list) and len(got) == n)
        expect.true(all(isinstance(one, dict) and set(one) == {"rank", "pseudonym"} for one in got))
        expect.true(all(isinstance(one["pseudonym"], str) for one in got))
        ranks = {one["pseudonym"]: one["rank"] for one in got}
        expect.equal(ranks, {one["pseudonym"]: one["rank"] for one in rank(rows)})


@check(
    "rank",
    hint="Rows that are not verified: their rank is None, they count for nobody, and stand below all "
    "verified ones, the larger ratio first.",
)
def verified_rows_come_first(student, rng):
    for share in (0.0, 0.3, 0.7):
        rows = _rows(rng, 16, verified=share)
        expect.equal(student(rows, seconds=SLOW), rank(rows))


@check(
    "rank",
    hint="The page's order is another: by rank, then by ratio, larger first, then by pseudonym; whatever "
    "the order of the rows that are given.",
)
def orders_the_page(student, rng):
    for _ in range(6):
        rows = _rows(rng, 18, verified=0.8, width=2, grid=_pick(rng, [2, 8]))
        expect.equal(student(rows, seconds=SLOW), rank(rows))
        rows = [rows[int(k)] for k in rng.permutation(len(rows))]
        expect.equal(student(rows, seconds=SLOW), rank(rows))
    same = [
        one | {"ratio": 2.0, "low": 1.0, "high": 3.0, "verified": bool(k % 2)} for k, one in enumerate(_rows(rng, 9))
    ]
    expect.equal(student(same, seconds=SLOW), rank(same))


@check(
    "rank",
    hint="No rows, or a row that is no measurement, in any place and verified or not: NaN, an infinity, a "
    "ratio outside its interval. Its ends themselves are inside.",
)
def refuses_what_is_no_measurement(student, rng):
    expect.equal(student([], seconds=SLOW), [])
    bad = [
        {"ratio": math.nan},
        {"low": math.nan},
        {"high": math.nan},
        {"high": math.inf},
        {"low": -math.inf},
        {"low": 2.5},
        {"high": 1.5},
    ]
    bad += [{"ratio": math.inf, "high": math.inf}]
    for change in bad:
        rows = _rows(rng, 4, verified=0.5)
        place = int(rng.integers(4))
        rows[place] = {
            "pseudonym": "x",
            "ratio": 2.0,
            "low": 1.0,
            "high": 3.0,
            "verified": bool(rng.integers(2)),
        } | change
        expect.raises(student, ValueError, rows)
    one_in_all = {"pseudonym": "x", "ratio": 2.0, "low": 1.0, "high": 3.0, "verified": False}
    alone = [one_in_all | {"pseudonym": "y", "ratio": 2.5, "verified": False}, one_in_all | {"verified": True}]
    for rows in (alone, alone[::-1], [one_in_all]):
        expect.equal(student(rows, seconds=SLOW), rank(rows))
    edge = [{"pseudonym": "x", "ratio": 2.0, "low": 2.0, "high": 2.0, "verified": True}]
    expect.equal(student(edge, seconds=SLOW), rank(edge))
