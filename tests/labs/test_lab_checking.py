"""The hidden-check API: what expectations accept, whose fault a failure is, and where random inputs come from."""

import json
import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.errors import SourceError
from course.lab.checking import (
    CheckError,
    CheckFailed,
    LocalStudent,
    StudentCrash,
    StudentError,
    StudentTimeout,
    TaskRecord,
    check_rng,
    expect,
    load_checks,
    run_task,
    submission_seed,
)

DEEP = []
for _ in range(5000):
    DEEP = [DEEP]

HOSTILE = {
    "none": None,
    "text": "1.0",
    "empty text": "",
    "bool": True,
    "zero": 0,
    "beyond int64": 10**30,
    "beyond float64": 10**400,
    "nan": math.nan,
    "infinity": -math.inf,
    "complex": 1 + 1e-3j,
    "complex nan": complex(math.nan, 0),
    "empty list": [],
    "ragged list": [[1.0], [1.0, 2.0]],
    "list of text": ["1", "2"],
    "list of huge": [10**400, 1],
    "deep list": DEEP,
    "dict": {"real": 1.0},
    "tuple": (1.0, None),
    "0-d": np.array(1.0),
    "empty array": np.zeros(0),
    "one too few": np.ones(2),
    "wrong axis": np.ones((3, 1)),
    "broadcasts": np.ones((1, 3)),
    "nans": np.full(3, np.nan),
    "one nan": np.array([1.0, np.nan, 1.0]),
    "infinities": np.full(3, np.inf),
    "complex array": np.ones(3) + 1e-3j,
    "bools": np.ones(3, dtype=bool),
    "large integers": np.full(3, 2**63, dtype=np.uint64),
    "objects": np.array([1.0, 1.0, 1.0], dtype=object),
    "texts": np.array(["1", "1", "1"]),
    "structured": np.zeros(3, dtype=[("x", float)]),
    "times": np.zeros(3, dtype="datetime64[s]"),
    "many axes": np.ones((1,) * 30),
}
EXPECTATIONS = {
    "close": lambda got: expect.close(got, np.array([1.0, 2.0, 3.0])),
    "close number": lambda got: expect.close(got, 7.0),
    "equal": lambda got: expect.equal(got, np.array([1.0, 2.0, 3.0])),
    "equal number": lambda got: expect.equal(got, 7),
    "equal list": lambda got: expect.equal(got, [1, [2, "a"]]),
    "equal dict": lambda got: expect.equal(got, {"real": 2.0}),
    "array": lambda got: expect.array(got, shape=(4,), dtype="float"),
    "shape": lambda got: expect.shape(got, (4, 4)),
    "dtype": lambda got: expect.dtype(got, "float32"),
    "true": lambda got: expect.true(got is np.nan),
}


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("expectation", EXPECTATIONS)
def test_hostile_data_fails_the_check_and_nothing_else(expectation, value):
    with pytest.raises(CheckFailed):
        EXPECTATIONS[expectation](HOSTILE[value])


@pytest.mark.parametrize("value", sorted(HOSTILE.keys() - {"zero", "0-d", "beyond int64"}))
def test_hostile_data_is_no_number(value):
    with pytest.raises(CheckFailed):
        expect.number(HOSTILE[value])


def test_close_compares_each_element_within_its_tolerance():
    want = np.array([0.0, 1.0, 100.0])
    expect.close(want + [1e-3, -1e-3, 1e-3], want, atol=1.001e-3)
    expect.close(want * 1.01, want, atol=0, rtol=0.0101)
    with pytest.raises(CheckFailed, match=r"1 of 3 values .* the first at \(2,\): expected 100.0, got 100.1"):
        expect.close(want + [0, 0, 0.1], want, atol=1e-3)


numbers = st.floats(allow_nan=True, allow_infinity=True, width=32) | st.integers(-(2**70), 2**70)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6), st.sampled_from([0.0, 1e-6, 0.5]))
def test_close_agrees_with_python_one_element_at_a_time(pairs, atol):
    def near(got, want):
        got, want = float(got), float(want)
        return got == want or (math.isnan(got) and math.isnan(want)) or abs(got - want) <= atol

    expected = all(near(got, want) for got, want in pairs)
    got = [pair[0] for pair in pairs]
    want = np.array([float(pair[1]) for pair in pairs])
    try:
        expect.close([float(value) for value in got], want, atol=atol)
        passed = True
    except CheckFailed:
        passed = False
    assert passed == expected


def test_close_wants_nan_and_infinity_where_the_reference_has_them():
    want = np.array([np.nan, np.inf, -np.inf, 1.0])
    expect.close(want.copy(), want)
    for place, value in [(0, 0.0), (1, -np.inf), (2, 1e300), (3, np.nan), (3, np.inf)]:
        got = want.copy()
        got[place] = value
        with pytest.raises(CheckFailed):
            expect.close(got, want, atol=1e9)


def test_close_takes_a_list_for_the_array_it_spells_and_any_kind_of_number():
    expect.close([1, 2], np.array([1.0, 2.0]))
    expect.close(np.float32(0.1), 0.1, atol=1e-8)
    expect.close(2 + 0j, 2.0)
    expect.close(np.array(3), 3)


def test_a_mistake_in_the_expectation_is_the_authors():
    with pytest.raises(TypeError, match="the check's own value"):
        expect.close(1.0, None)


def test_equal_compares_structure_and_values():
    expect.equal({"a": [1, (2.0, None)], "b": np.arange(3)}, {"a": (1, [2.0, None]), "b": np.arange(3)})
    expect.equal([math.nan], [math.nan])
    expect.equal(np.array([np.nan]), np.array([np.nan]))
    for got, want in [
        (True, 1),
        (1, True),
        ("1", 1),
        (np.arange(3), [0, 1, 2]),
        ([1, 2], [1, 2, 3]),
        ({"a": 1}, {"b": 1}),
    ]:
        with pytest.raises(CheckFailed):
            expect.equal(got, want)


def test_shape_and_dtype_accept_what_they_should():
    expect.shape(np.zeros((3, 5)), (3, None))
    expect.shape(1.0, ())
    expect.shape(np.zeros((3, 0)), (3, 0))
    with pytest.raises(CheckFailed):
        expect.shape(np.zeros((3, 0)), (3, None))
    expect.dtype(np.zeros(2, dtype=np.float32), "float")
    expect.dtype(1, "int")
    expect.dtype(np.zeros(2), "float64")
    assert expect.array(np.ones(2), (2,), "number").sum() == 2
    assert expect.number(np.float32(0.5)) == 0.5


@pytest.mark.parametrize("condition", [False, None, 1, "yes", [True], np.array([]), np.array([True, False])])
def test_true_accepts_only_truth(condition):
    with pytest.raises(CheckFailed) as failed:
        expect.true(condition, "look again")
    assert failed.value.hint == "look again"


def student_that(behave):
    """A student object: a function of the arguments, as the sandbox's proxy would be."""

    def student(*args, seconds=None, **kwargs):
        return behave(*args, **kwargs)

    return student


def raising(error):
    def behave(*args, **kwargs):
        raise error

    return student_that(behave)


def test_raises_wants_exactly_that_exception_with_a_message():
    expect.raises(raising(StudentError("ValueError", "too short")), ValueError, 1)
    for error in (StudentError("UnicodeError", "x"), StudentError("ValueError", " "), StudentError("TypeError", "x")):
        with pytest.raises(CheckFailed):
            expect.raises(raising(error), ValueError, 1)
    with pytest.raises(CheckFailed, match="got a result"):
        expect.raises(student_that(lambda value: value), ValueError, 1)
    with pytest.raises(StudentTimeout):
        expect.raises(raising(StudentTimeout(1.0)), ValueError, 1)


def test_a_right_student_passes_every_check(lab):
    student = student_that(lambda signal: 2 * signal)
    record = run_task(lab.checks, "double", student, "seed")
    assert record.passed and [one.name for one in record.records] == ["doubles_noise", "keeps_empty"]
    assert all(one.hint is None and one.student_error is None for one in record.records)


def test_a_wrong_student_gets_the_hint_of_the_check_that_noticed(lab):
    record = run_task(lab.checks, "double", student_that(lambda signal: 3 * signal), "seed")
    assert [(one.passed, one.hint) for one in record.records] == [
        (False, "Look at the sign of what comes out."),
        (True, None),
    ]
    assert not record.passed and "9 of 9 values differ" in record.records[0].detail


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (StudentError("IndexError", "list index out of range"), "IndexError: list index out of range"),
        (StudentTimeout(2.0), "no answer within 2 s"),
        (StudentCrash("the process ended"), "the process ended"),
    ],
)
def test_a_fault_of_the_students_fails_the_check_and_is_told(lab, fault, said):
    record = run_task(lab.checks, "quadruple", raising(fault), 1)
    assert not record.passed
    assert [one.student_error for one in record.records][0] == said
    assert record.records[0].hint == "Compare the ratio of out to in."


def test_a_record_is_json(lab):
    record = run_task(lab.checks, "double", raising(StudentError("E", "x")), 1)
    assert TaskRecord.model_validate(json.loads(record.model_dump_json())) == record


def test_a_broken_check_is_nobodys_loss(change, lab_folder):
    change("checks.py", "    expect.shape(student(np.zeros(0)), (0,))", "    1 / 0")
    checks = load_checks(lab_folder)
    with pytest.raises(CheckError, match=r"checks.py:\d+: the hidden check keeps_empty is at fault: ZeroDivisionError"):
        run_task(checks, "double", student_that(lambda signal: 2 * signal), 1)


def test_a_warning_of_a_check_does_not_show_its_lines(lab, recwarn):
    def warn(signal):
        np.divide(signal, 0.0)
        return [2 * value for value in signal]

    run_task(lab.checks, "double", student_that(warn), "seed")
    assert not recwarn.list


def test_a_task_without_checks_is_not_passed_by_default(lab):
    with pytest.raises(CheckError, match="no check for the task triple"):
        run_task(lab.checks, "triple", student_that(lambda signal: signal), 1)


def test_a_more_specific_hint_takes_the_place_of_the_checks(change, lab_folder):
    change("checks.py", "expect.shape(student(np.zeros(0)), (0,))", 'expect.true(False, "Think of nothing.")')
    record = run_task(load_checks(lab_folder), "double", student_that(lambda signal: 2 * signal), 1)
    assert record.records[1].hint == "Think of nothing."


def draws(seed, task, name):
    return check_rng(seed, task, name).integers(0, 2**62, size=3).tolist()


def test_inputs_depend_on_student_attempt_task_and_check_only():
    seed = submission_seed("ada", 1)
    assert draws(seed, "double", "noise") == draws(submission_seed("ada", 1), "double", "noise")
    others = [
        draws(submission_seed("ada", 2), "double", "noise"),
        draws(submission_seed("bob", 1), "double", "noise"),
        draws(seed, "quadruple", "noise"),
        draws(seed, "double", "empty"),
        # Joined without separation these two would be one.
        draws(seed, "doubl", "enoise"),
    ]
    assert len({tuple(other) for other in [*others, draws(seed, "double", "noise")]}) == 6


def test_a_check_draws_the_same_whatever_runs_before_it(lab, change, lab_folder):
    seen = []
    student = student_that(lambda signal: seen.append(np.array(signal)) or 2 * signal)
    run_task(lab.checks, "double", student, "s")
    change(
        "checks.py",
        '@check("double", hint="Look',
        '_ = [np.random.default_rng().normal()]\n\n\n@check("double", hint="Look',
    )
    reordered = load_checks(lab_folder)
    reordered.by_task["double"].reverse()
    run_task(reordered, "double", student, "s")
    assert np.array_equal(seen[0], seen[3]) and np.array_equal(seen[1], seen[2])


def local(source, task="double", stand_ins=None, **options):
    namespace = {}
    exec(source, namespace)
    return LocalStudent(namespace, task, stand_ins or {}, **options), namespace


def test_a_local_student_uses_stand_ins_for_the_other_tasks():
    source = "def double(x):\n    return -x\ndef zero():\n    return 0\n"
    source += "def quadruple(x):\n    return double(double(x)) + zero()"
    student, namespace = local(source, "quadruple", {"double": lambda x: 2 * x, "quadruple": lambda x: "cheat"})
    assert student(3) == 12
    assert namespace["double"](3) == -3


def test_a_local_student_stands_in_for_a_task_that_is_missing():
    student, namespace = local(
        "def quadruple(x):\n    return double(double(x))", "quadruple", {"double": lambda x: 2 * x}
    )
    assert student(3) == 12
    assert "double" not in namespace


def test_a_local_student_cannot_change_the_checks_arrays():
    student, _ = local("kept = []\ndef double(x):\n    x *= 2\n    kept.append(x)\n    return x")
    signal = np.ones(3)
    got = student(signal)
    assert signal.tolist() == [1, 1, 1] and got.tolist() == [2, 2, 2]
    student.namespace["kept"][0][:] = 9
    assert got.tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    "body",
    ["while True: pass", "while True:\n        try:\n            while True: pass\n        except Exception: pass"],
)
def test_a_local_student_is_stopped(body):
    student, _ = local(f"def double(x):\n    {body}")
    with pytest.raises(StudentTimeout, match="no answer within 0.05 s"):
        student(1, seconds=0.05)


def test_a_local_student_works_in_the_main_thread_only():
    student, _ = local("def double(x):\n    return x")
    caught = []

    def call():
        try:
            student(1)
        except RuntimeError as error:
            caught.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert "only in the main thread" in caught[0]


@pytest.mark.parametrize(
    ("source", "type_name"),
    [
        ("def double(x):\n    return x + None", "TypeError"),
        ("def double(x):\n    exit()", "SystemExit"),
        ("def double(x):\n    return double", "TypeError"),
        ("def double(x):\n    return {1: x}", "TypeError"),
        (
            "class Same(float):\n    def __eq__(self, other):\n        return True\ndef double(x):\n    return Same(1)",
            "TypeError",
        ),
        ("import numpy as np\ndef double(x):\n    return np.array([x], dtype=object)", "TypeError"),
        ("def double(x):\n    loop = []\n    loop.append(loop)\n    return loop", "RecursionError"),
        ("def other(x):\n    return x", "NameError"),
    ],
)
def test_what_is_not_plain_data_is_the_students_error(source, type_name):
    student, _ = local("import sys\nexit = sys.exit\n" + source)
    with pytest.raises(StudentError) as caught:
        student(1)
    assert caught.value.type_name == type_name


def test_numpy_scalars_and_subclasses_arrive_as_plain_data():
    student, _ = local(
        "import numpy as np\ndef double(x):\n"
        "    masked = np.ma.masked_array([1.0, 2.0], mask=[True, False])\n"
        "    return {'a': (np.float32(0.5), np.bool_(True)), 'b': [np.int8(3), np.complex64(1j)], 'c': masked}"
    )
    got = student(1)
    assert got["a"] == (0.5, True) and got["b"] == [3, 1j]
    assert [type(value) for value in (*got["a"], *got["b"], got["c"])] == [float, bool, int, complex, np.ndarray]


ABOUT = """from course.lab.checking import covers, latitude

@latitude("double")
def within_a_tenth(arguments, reference, given):
    return abs(given - reference) <= 0.1

@covers("double")
def is_positive(signal):
    return signal > 0
"""


def test_latitude_and_covers_are_declared_by_task(tmp_path):
    (tmp_path / "checks.py").write_text(ABOUT)
    checks = load_checks(tmp_path)
    assert checks.latitudes["double"]((1.0,), 2.0, 2.05) and not checks.latitudes["double"]((1.0,), 2.0, 2.2)
    assert checks.covers["double"](1.0) and not checks.covers["double"](-1.0)
    assert checks.by_task == {} and checks.oracles == {}


@pytest.mark.parametrize("decorator", ["latitude", "covers"])
def test_a_second_latitude_or_cover_of_a_task_is_refused(tmp_path, decorator):
    (tmp_path / "checks.py").write_text(f'{ABOUT}\n@{decorator}("double")\ndef again(*values):\n    return True\n')
    with pytest.raises(SourceError, match=r"checks\.py:11: .*double.*keep one"):
        load_checks(tmp_path)
