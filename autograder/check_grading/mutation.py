"""Mutants of a solution: its source with one small change, of the kind that a person makes by mistake.

The operators are our own, on Python's syntax tree. cosmic-ray 8.7 (MIT) and mutmut 3.8 (BSD) are both kept up, and
both were tried: they swap operators and nudge constants, but know neither slices, axes, swapped arguments, removed
calls nor dropped statements, which is where numeric code goes wrong; their operators are internal, and they bring
parso or libcst, coverage, a terminal interface and a database session that this use does not need.

An operator changes the *text* of one node, so that a mutant's diff shows the author's own lines.
"""

import ast
import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from course.lab.cells import Role
from course.lab.markers import solution_regions
from course.lab.source import Lab

ARITHMETIC = {
    ast.Add: ("+", ["-", "*"]),
    ast.Sub: ("-", ["+"]),
    ast.Mult: ("*", ["/", "+"]),
    ast.Div: ("/", ["*", "//"]),
    ast.FloorDiv: ("//", ["/", "*"]),
    ast.Mod: ("%", ["//", "*"]),
    ast.Pow: ("**", ["*"]),
    ast.MatMult: ("@", ["*"]),
    ast.BitAnd: ("&", ["|"]),
    ast.BitOr: ("|", ["&"]),
}
COMPARISONS = {
    ast.Lt: ("<", ["<=", ">="]),
    ast.LtE: ("<=", ["<", ">"]),
    ast.Gt: (">", [">=", "<="]),
    ast.GtE: (">=", [">", "<"]),
    ast.Eq: ("==", ["!="]),
    ast.NotEq: ("!=", ["=="]),
    ast.Is: ("is", ["is not"]),
    ast.IsNot: ("is not", ["is"]),
    ast.In: ("in", ["not in"]),
    ast.NotIn: ("not in", ["in"]),
}
# What is easily taken for what: names of functions and dtypes, wherever they are looked up.
MISTAKEN = {
    "all": "any",
    "any": "all",
    "argmax": "argmin",
    "argmin": "argmax",
    "ceil": "floor",
    "convolve": "correlate",
    "cos": "sin",
    "float": "int",
    "float64": "float32",
    "floor": "ceil",
    "hamming": "ones",
    "hanning": "ones",
    "imag": "real",
    "int16": "int8",
    "int32": "int8",
    "int64": "int32",
    "isnan": "isinf",
    "log": "log10",
    "log10": "log",
    "max": "min",
    "maximum": "minimum",
    "mean": "sum",
    "min": "max",
    "minimum": "maximum",
    "ones": "zeros",
    "real": "imag",
    "rint": "floor",
    "round": "int",
    "sin": "cos",
    "sum": "mean",
    "zeros": "ones",
    "ValueError": "TypeError",
}
COUNTED_FROM = ("range", "arange")
ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Constant, ast.Subscript, ast.List, ast.Tuple)


@dataclass(frozen=True)
class Edit:
    """Characters ``start`` to ``end`` of a source, half-open, replaced by ``text``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Mutant:
    """A task's solution cell with one change. ``line`` is that of the change in ``lab.md``, counted from 1."""

    task: str
    operator: str
    line: int
    source: str


class Text:
    """A source, its syntax tree and the place of each node in it; ``modules`` are the names of imported modules."""

    def __init__(self, source: str, modules: frozenset[str] = frozenset()):
        self.source, self.modules = source, modules
        self.tree = ast.parse(source)

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self._lines:
            starts.append(starts[-1] + len(line))
        return starts

    @cached_property
    def _lines(self) -> list[str]:
        return self.source.splitlines(keepends=True)

    def start(self, node: ast.AST) -> int:
        """The offset of the node's first character; the tree counts columns in bytes."""
        return self._offset(node.lineno, node.col_offset)

    def end(self, node: ast.AST) -> int:
        """The offset after the node's last character."""
        return self._offset(node.end_lineno, node.end_col_offset)

    def of(self, node: ast.AST) -> str:
        """The node's own text, in parentheses where another operator beside it could tear it apart."""
        text = self.source[self.start(node) : self.end(node)]
        return text if isinstance(node, ATOMS) else f"({text})"

    def replaced(self, node: ast.AST, text: str) -> Edit:
        """The edit that puts ``text`` in the node's place."""
        return Edit(self.start(node), self.end(node), text)

    def between(self, left: ast.AST, right: ast.AST, old: str, new: str) -> Edit:
        """The edit of the operator ``old`` that stands between two operands."""
        start = self.source.index(old, self.end(left), self.start(right))
        return Edit(start, start + len(old), new)

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())


def mutants_of(lab: Lab, task_id: str) -> list[Mutant]:
    """All mutants of a task's reference solution, without those that spell the same program twice.

    Only what lies between the solution markers changes, and no text of a message.
    """
    cell = next(cell for cell in lab.cells if cell.role is Role.SOLUTION and cell.id == task_id)
    text = Text(cell.source, _modules(lab))
    seen, mutants = {ast.dump(text.tree)}, []
    for operator, edit in _edits(text):
        source = text.source[: edit.start] + edit.text + text.source[edit.end :]
        program = _program(source)
        if program is not None and program not in seen:
            seen.add(program)
            line = cell.body + text.source.count("\n", 0, edit.start)
            mutants.append(Mutant(task_id, operator, line, source))
    return mutants


def unified_diff(lab: Lab, mutant: Mutant) -> str:
    """The mutant's change to ``lab.md``, as a unified diff with a line of context."""
    before = lab.path.read_text(encoding="utf-8")
    cell = next(cell for cell in lab.cells if cell.id == mutant.task)
    after = before.replace(cell.source, mutant.source, 1)
    name = f"{lab.id}/{lab.path.name}"
    return "".join(difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, name, n=1))


def _modules(lab: Lab) -> frozenset[str]:
    """The names that the lab's cells bind to modules."""
    nodes = (node for cell in lab.cells if cell.cell_type == "code" for node in ast.walk(cell.tree))
    imported = (alias for node in nodes if isinstance(node, ast.Import) for alias in node.names)
    return frozenset((alias.asname or alias.name).partition(".")[0] for alias in imported)


def _program(source: str) -> str | None:
    """What the source means, without its layout; None if it is no Python."""
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return None


def _edits(text: Text) -> Iterator[tuple[str, Edit]]:
    """Every edit of every operator, with the operator's name, in the order of the source."""
    for node in _open_nodes(text):
        for name, operator in OPERATORS.items():
            for edit in operator(node, text):
                yield name, edit


def _open_nodes(text: Text) -> list[ast.AST]:
    """The nodes that may change: between the solution markers, and no part of a message or a docstring."""
    regions = solution_regions(text.source) or [(0, len(text.source))]
    found, waiting = [], [text.tree]
    while waiting:
        node = waiting.pop(0)
        line = getattr(node, "lineno", 0) - 1
        if line < 0 or any(begin <= line < end for begin, end in regions):
            found.append(node)
        if not isinstance(node, ast.JoinedStr):
            # Of `raise ValueError(message)` only the type is open.
            waiting += [node.exc.func] if _raises_a_call(node) else ast.iter_child_nodes(node)
    return found


def _raises_a_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)


def arithmetic(node: ast.AST, text: Text) -> Iterator[Edit]:
    """``a + b`` becomes ``a - b``; ``a += b`` becomes ``a -= b``."""
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        old, others = ARITHMETIC[type(node.op)]
        yield from (text.between(node.left, node.right, old, new) for new in others)
    if isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        old, others = ARITHMETIC[type(node.op)]
        yield from (text.between(node.target, node.value, old + "=", new) for new in ["=", *(o + "=" for o in others)])


def operand(node: ast.AST, text: Text) -> Iterator[Edit]:
    """``a * b`` becomes ``a`` or ``b``; ``-a`` becomes ``a``."""
    if isinstance(node, ast.BinOp):
        yield text.replaced(node, text.of(node.left))
        yield text.replaced(node, text.of(node.right))
    if isinstance(node, ast.UnaryOp):
        yield text.replaced(node, text.of(node.operand))


def comparison(node: ast.AST, text: Text) -> Iterator[Edit]:
    """``a < b`` becomes ``a <= b`` or ``a >= b``."""
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            old, others = COMPARISONS[type(operator)]
            yield from (text.between(left, right, old, new) for new in others)


def condition(node: ast.AST, text: Text) -> Iterator[Edit]:
    """``if a`` becomes ``if not a``; ``a if c else b`` becomes ``a`` or ``b``; a filter is turned round."""
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield text.replaced(node.test, f"not {text.of(node.test)}")
    if isinstance(node, ast.IfExp):
        yield text.replaced(node, text.of(node.body))
        yield text.replaced(node, text.of(node.orelse))
    if isinstance(node, ast.comprehension):
        yield from (text.replaced(test, f"not {text.of(test)}") for test in node.ifs)


def boolean(node: ast.AST, text: Text) -> Iterator[Edit]:
    """``a and b`` becomes ``a or b``, ``a`` or ``b``."""
    if isinstance(node, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield text.between(left, right, old, new)
        for left_out in node.values:
            kept = f" {old} ".join(text.of(value) for value in node.values if value is not left_out)
            yield text.replaced(node, kept)


def constant(node: ast.AST, text: Text) -> Iterator[Edit]:
    """``n`` becomes ``n + 1`` and ``n - 1``; ``0.5`` becomes ``1.0``, ``0.25`` and ``0.0``; True becomes False."""
    if isinstance(node, ast.Constant):
        others: list = []
        if isinstance(node.value, bool):
            others = [not node.value]
        elif isinstance(node.value, int):
            others = [node.value + 1, node.value - 1]
        elif isinstance(node.value, (float, complex)):
            others = [2 * node.value, node.value / 2, 0.0]
        yield from (text.replaced(node, repr(other)) for other in others)


def off_by_one(node: ast.AST, text: Text) -> Iterator[Edit]:
    """A bound of a slice or range, an index, a length: one more, one less; a bound of a slice left out."""
    if isinstance(node, ast.Slice):
        bounds = {"lower": node.lower, "upper": node.upper, "step": node.step}
        for name, bound in bounds.items():
            if bound is not None:
                yield text.replaced(node, _slice(text, bounds | {name: None}))
    shifted: list[ast.AST] = []
    if isinstance(node, ast.Slice):
        shifted = [bound for bound in (node.lower, node.upper) if bound is not None]
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, (ast.Name, ast.BinOp)):
        shifted = [node.slice]
    elif isinstance(node, ast.Call) and _last_name(node.func) in COUNTED_FROM:
        shifted = node.args[:2]
    elif (isinstance(node, ast.Call) and _last_name(node.func) == "len") or _is_size(node):
        shifted = [node]
    for one in shifted:
        bare = text.of(one)
        yield text.replaced(one, f"({bare} + 1)")
        yield text.replaced(one, f"({bare} - 1)")


def arguments(node: ast.AST, text: Text) -> Iterator[Edit]:
    """Neighbouring arguments change places; an argument is left out, so that its default holds."""
    if isinstance(node, ast.Call):
        for left, right in zip(node.args, node.args[1:], strict=False):
            gap = text.source[text.end(left) : text.start(right)]
            swapped = _bare(text, right) + gap + _bare(text, left)
            yield Edit(text.start(left), text.end(right), swapped)
        given = [*node.args, *node.keywords]
        for one in node.keywords or (node.args[-1:] if len(node.args) > 1 else []):
            kept = ", ".join(_bare(text, other) for other in given if other is not one)
            yield text.replaced(node, f"{_bare(text, node.func)}({kept})")


def removed_call(node: ast.AST, text: Text) -> Iterator[Edit]:
    """``abs(a)`` becomes ``a``; ``a.astype(int)`` becomes ``a``."""
    if isinstance(node, ast.Call):
        is_method = isinstance(node.func, ast.Attribute) and _first_name(node.func) not in text.modules
        if is_method:
            yield text.replaced(node, text.of(node.func.value))
        elif node.args and not isinstance(node.args[0], (ast.GeneratorExp, ast.Starred)):
            yield text.replaced(node, text.of(node.args[0]))


def mistaken(node: ast.AST, text: Text) -> Iterator[Edit]:
    """A function or dtype is taken for another: ``np.sin`` for ``np.cos``, ``round`` for ``int``."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in MISTAKEN:
        yield text.replaced(node, MISTAKEN[node.id])
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr in MISTAKEN:
        end = text.end(node)
        yield Edit(end - len(node.attr), end, MISTAKEN[node.attr])


def statement(node: ast.AST, text: Text) -> Iterator[Edit]:
    """A statement is left out, a result is not returned, a loop runs never or stops early."""
    if isinstance(node, (ast.Expr, ast.AugAssign, ast.Raise, ast.If)) or _rebinds(node, text):
        yield text.replaced(node, "pass")
    if isinstance(node, ast.Return) and node.value is not None:
        yield text.replaced(node.value, "None")
    if isinstance(node, ast.For):
        yield text.replaced(node.iter, "()")
    if isinstance(node, (ast.Break, ast.Continue)):
        yield text.replaced(node, "continue" if isinstance(node, ast.Break) else "break")


OPERATORS: dict[str, Callable[[ast.AST, Text], Iterator[Edit]]] = {
    "arithmetic": arithmetic,
    "operand left out": operand,
    "comparison": comparison,
    "condition": condition,
    "boolean": boolean,
    "constant": constant,
    "off by one": off_by_one,
    "arguments": arguments,
    "call removed": removed_call,
    "name mistaken": mistaken,
    "statement left out": statement,
}


def _slice(text: Text, bounds: dict[str, ast.AST | None]) -> str:
    lower, upper, step = ("" if bound is None else _bare(text, bound) for bound in bounds.values())
    return f"{lower}:{upper}" + (f":{step}" if step else "")


def _bare(text: Text, node: ast.AST) -> str:
    return text.source[text.start(node) : text.end(node)]


def _first_name(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _last_name(node: ast.AST) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)


def _is_size(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "size" and isinstance(node.ctx, ast.Load)


def _rebinds(node: ast.AST, text: Text) -> bool:
    """Whether an assignment gives a name another value; without it the program still has a value to run with."""
    if not isinstance(node, ast.Assign):
        return False
    before = {
        other.id if isinstance(other, ast.Name) else other.arg
        for other in ast.walk(text.tree)
        if isinstance(other, ast.arg)
        or (isinstance(other, ast.Name) and isinstance(other.ctx, ast.Store) and text.start(other) < text.start(node))
    }
    names = {one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    return bool(names) and names <= before
