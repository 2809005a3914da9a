"""Submissions whose functions return what is no honest answer."""

from hostile_cases.case import ALL, TARGET, Case, replaces

ONLY_TARGET = frozenset({TARGET})
EQUAL = '''
class Yes(float):
    """Equals, exceeds and contains everything."""

    def __eq__(self, other): return True
    def __ne__(self, other): return True
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __contains__ = __lt__
    __hash__ = float.__hash__
    def __bool__(self): return True
    def __add__(self, other): return self
    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __pow__ = __mod__ = __add__
    def __abs__(self): return self
    def __neg__(self): return self
    def __len__(self): return 1
    def __iter__(self): return iter((YES, YES))
    def __getitem__(self, index): return self
    def __call__(self, *args, **kwargs): return self
    def __array__(self, *args, **kwargs): return np.zeros(1)
    def __array_ufunc__(self, *args, **kwargs): return self
    def __array_function__(self, *args, **kwargs): return self
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self


YES = Yes(1)
refuses = lambda *args: True
'''
ARRAY_EQUAL = '''
class Yes(np.ndarray):
    """An array whose comparisons are all true and whose differences are all zero."""

    def __eq__(self, other): return True
    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__
    def __array_ufunc__(self, *args, **kwargs): return np.zeros(()).view(Yes)
    def __array_function__(self, *args, **kwargs): return np.ones(()).view(Yes)
    def __bool__(self): return True


refuses = lambda *args: True
'''
LENGTH = """
class Long(list):
    def __len__(self): return 10**12
    def __getitem__(self, index): return 0.0


class Shaped(np.ndarray):
    @property
    def shape(self): return (8000,)
    @property
    def size(self): return 8000
    def __len__(self): return 8000
"""
RAISES = '''
class Bomb(Exception):
    """Raises whatever one does with it."""

    def __repr__(self): raise SystemExit("repr")
    __str__ = __format__ = __repr__
    def __eq__(self, other): raise KeyboardInterrupt
    def __reduce__(self): raise SystemExit("reduce")
    def __array__(self, *args, **kwargs): raise SystemExit("array")
    def __len__(self): raise SystemExit("len")
    def __getattr__(self, name): raise SystemExit(name)
'''
FLIPS = '''
import itertools

calls = itertools.count()


class Flip(np.ndarray):
    """Shows other samples each time that one looks."""

    def __array_finalize__(self, other): pass
    def __getitem__(self, index): return np.random.random()


def quantise(signal, n_bits):
    if not 2 <= n_bits <= 16 or np.isnan(signal).any():
        raise ValueError("no")
    half = 2 ** (n_bits - 1)
    right = np.clip(np.rint(np.asarray(signal, float) * half), -half, half - 1).astype(np.int32)
    return (right if next(calls) % 2 else right + 1).view(Flip)
'''
# What the visible checks ask for, and nothing else.
KNOWS = {
    "alias_frequency": """
def alias_frequency(frequency, sample_rate):
    if sample_rate == 0:
        raise ValueError("no")
    if np.ndim(frequency):
        return np.array([1740.0, 2610.0, 1910.0])
    return {1000: 1000, 7000: 1000, 9000: 1000, 4000: 4000, 8000: 0, -1500: 1500}[frequency]
""",
    "quantise": """
def quantise(signal, n_bits):
    if n_bits == 0:
        raise ValueError("no")
    known = {6: [0, 1, -1, 2, 0, 0], 4: [-128, 127, 127, -128]}
    return np.array(known.get(len(signal), np.zeros(len(signal))), dtype=int)
""",
    "snr_db": """
def snr_db(clean, received):
    if len(clean) != len(received):
        raise ValueError("no")
    return np.inf if clean is received else 20.0
""",
    "find_event": """
def find_event(codes, sample_rate, frequencies):
    return 3.7 if codes is quiet else None
""",
}


def _returns(value: str, before: str = "") -> dict[str, str]:
    """A cell for each task, whose function returns ``value`` whatever it is asked."""
    return {task: f"{before}\n\ndef {task}(*args, **kwargs):\n    return {value}" for task in sorted(ALL)}


def _odd(name: str, what: str, value: str, before: str = "", says: str = "") -> Case:
    return Case(name, what, replaces(_returns(value, before), "release"), lost=ALL, says=says)


def _in_target(name: str, what: str, value: str, before: str, says: str) -> Case:
    source = f"{before}\n\ndef {TARGET}(signal, n_bits):\n    {value}"
    return Case(name, what, replaces({TARGET: source}), lost=ONLY_TARGET, says=says)


CASES = [
    _odd("equals-everything", "returns an object that equals everything", "YES", EQUAL, "type Yes is no plain data"),
    _odd("array-equals-everything", "returns an array that equals everything", "np.ones(1).view(Yes)", ARRAY_EQUAL),
    _odd(
        "lies-about-its-length", "returns a list that says it has 10^12 items", "Long([1.0])", LENGTH, "no plain data"
    ),
    _odd("lies-about-its-shape", "returns an array that lies about its shape", "np.zeros(3).view(Shaped)", LENGTH),
    _in_target("raises-in-repr", "returns an object that raises in __repr__", "return Bomb()", RAISES, "no plain data"),
    _in_target("raises-what-raises", "raises an exception that raises in __str__", "raise Bomb()", RAISES, "Bomb"),
    _in_target("system-exit", "raises SystemExit", 'raise SystemExit("graded: 30 of 30")', "", "SystemExit"),
    _in_target("keyboard-interrupt", "raises KeyboardInterrupt", "raise KeyboardInterrupt", "", "KeyboardInterrupt"),
    _in_target(
        "lies-in-its-class-name",
        "raises an error with markup for a name",
        "raise Odd('<b>')",
        'Odd = type("<script>alert(1)</script>", (Exception,), {})',
        "script",
    ),
    _in_target("answers-nan", "returns NaN for all samples", "return np.full(len(signal), np.nan)", "", ""),
    _in_target("answers-objects", "returns an array of objects", "return np.array([len, None])", "", "dtype object"),
    _in_target("answers-a-generator", "returns a generator", "yield from signal", "", "generator"),
    Case(
        "another-value-each-time",
        "returns another value each time it is looked at",
        replaces({TARGET: FLIPS}),
        lost=ONLY_TARGET,
    ),
    Case("knows-the-visible-inputs", "knows the visible checks' inputs by heart", replaces(KNOWS, "release"), lost=ALL),
]
