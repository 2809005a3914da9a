"""Records: what is refused, and with which sentence."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from course.measure.record import CLOCKS_DIFFER, LARGEST, Parity, Record, Refused, accept, parse, read
from course.storage import PREFIX


def stored(record):
    return json.loads(record.model_dump_json())


def as_bytes(content):
    return json.dumps(content).encode()


def test_what_is_written_is_read(record, tmp_path):
    path = tmp_path / "deep" / "record.json"
    record.write(path)
    assert read(path) == record
    assert not list(path.parent.glob(f"{PREFIX}*"))


def test_spacing_and_order_of_keys_are_no_edit(record):
    content = dict(reversed(stored(record).items()))
    assert parse(json.dumps(content, indent=7).encode()) == record


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content["trials"][9]["timings"][0].update(seconds=1e-3),
        lambda content: content["trials"][9].update(warm_up=not content["trials"][9]["warm_up"]),
        lambda content: content.update(nonce="another"),
        lambda content: content["variants"][1]["parity"]["rel_l2"].__setitem__(0, 0.5),
        lambda content: content["claims"][0].update(value=1.0),
        lambda content: content["settings"].update(window=2),
        lambda content: content.update(digest="0" * 64),
    ],
)
def test_an_edit_is_noticed(record, edit):
    content = stored(record)
    edit(content)
    with pytest.raises(Refused, match="was changed after it was written"):
        parse(as_bytes(content))


def test_a_trial_left_out_is_noticed(record):
    content = stored(record)
    del content["trials"][20]
    with pytest.raises(Refused, match="none is left out"):
        parse(as_bytes(content))


def test_every_truncation_is_refused(record):
    data = record.model_dump_json().encode()
    for end in [*range(0, len(data), 997), len(data) - 1]:
        with pytest.raises(Refused, match="not whole"):
            parse(data[:end])


@pytest.mark.parametrize("version", [2, 0, "1", None, True, 1.5, [1]])
def test_an_unknown_schema_is_refused(record, version):
    with pytest.raises(Refused, match="schema version .* knows 1"):
        parse(as_bytes(stored(record) | {"schema_version": version}))


@pytest.mark.parametrize("data", [b"[]", b"1", b'"text"', b"null", b"{}"])
def test_what_is_no_record_is_refused(data):
    with pytest.raises(Refused, match="schema version None"):
        parse(data)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-1", "0", '"fast"', "1e999"])
def test_a_time_that_is_none_is_refused(record, value):
    data = record.model_dump_json().encode()
    mark = b'"seconds":'
    place = data.index(mark, data.index(b'"timings"')) + len(mark)
    end = data.index(b",", place)
    with pytest.raises(Refused):
        parse(data[:place] + value.encode() + data[end:])


def test_a_field_too_many_is_refused(record):
    with pytest.raises(Refused, match="trusted: Extra inputs"):
        parse(as_bytes(stored(record) | {"trusted": True}))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
    )
)
def test_any_json_is_refused_with_a_sentence(content):
    with pytest.raises(Refused) as refused:
        parse(json.dumps({"schema_version": 1, "trials": content}).encode())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda content: content["trials"][3].update(process=1000), "less than 1000"),
        (lambda content: content["trials"][3].update(generated=2**60), "less than or equal"),
        (lambda content: content.update(variants=content["variants"] * 101), "at most 200"),
    ],
)
def test_a_record_that_would_take_for_ever_is_refused(record, edit, sentence):
    content = stored(record)
    edit(content)
    with pytest.raises(Refused, match=sentence):
        parse(as_bytes(content))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(Refused, match="cannot be read: No such file"):
        read(tmp_path / "nowhere.json")
    with pytest.raises(Refused, match="cannot be read: Is a directory"):
        read(tmp_path)
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(Refused, match="a record has at most"):
        read(large)


def test_another_lab_nonce_or_time_is_refused(record, now):
    mine = record.model_copy(update={"lab": "lab10", "nonce": "abc"})
    assert accept(mine, "lab10", "abc", now) is mine
    assert accept(mine, "lab10", None, now) is mine
    with pytest.raises(Refused, match="of the lab 'lab10', and one of the lab 'lab11'"):
        accept(mine, "lab11", "abc", now)
    with pytest.raises(Refused, match="of no lab, and one of the lab 'lab10'"):
        accept(record, "lab10", "", now)
    with pytest.raises(Refused, match="nonce 'abc', and 'def' was given out"):
        accept(mine, "lab10", "def", now)
    soon = mine.model_copy(update={"created": now + CLOCKS_DIFFER})
    assert accept(soon, "lab10", "abc", now) is soon
    later = mine.model_copy(update={"created": now + CLOCKS_DIFFER + timedelta(seconds=1)})
    with pytest.raises(Refused, match="set the clock"):
        accept(later, "lab10", "abc", now)


def test_no_parity_is_refused(record, now):
    bare = tuple(variant.model_copy(update={"parity": None}) for variant in record.variants)
    with pytest.raises(Refused, match="^slow and fast came without parity"):
        accept(record.model_copy(update={"variants": bare}), "", None, now)


def test_what_does_not_hang_together(record, server_record):
    def refuse(sentence, **fields):
        with pytest.raises(ValidationError, match=sentence):
            Record.model_validate_json(record.model_copy(update=fields).model_dump_json())

    refuse("same name", variants=(*record.variants, record.variants[0]))
    refuse("'slow' is named and is none", variants=record.variants[1:])
    refuse("no sample", trials=())
    refuse("load belongs", load=server_record.load)
    refuse("timezone", created=record.created.replace(tzinfo=None))


def test_parity_says_what_is_broken():
    parity = Parity(
        reference="a",
        rel_l2=(1e-5, 2e-4),
        kl=(0.1, 0.3),
        top1=(1.0, 0.5),
        tokens=((1, 2, 3), (4, 5, 6)),
        reference_tokens=((1, 2, 3), (4, 0, 0)),
        limits={"rel_l2": 1e-4, "kl": 0.2, "top1": 0.75, "tokens": 0.7},
    )
    assert parity.agreement == pytest.approx(4 / 6)
    assert [failure.split()[1] for failure in parity.failures()] == ["relative", "agreement"]
    with pytest.raises(ValidationError, match="one number of each kind"):
        Parity.model_validate_json(parity.model_copy(update={"kl": (0.1,)}).model_dump_json())
    with pytest.raises(ValidationError, match="equally many tokens"):
        Parity.model_validate_json(parity.model_copy(update={"tokens": ((1, 2), (4, 5, 6))}).model_dump_json())
