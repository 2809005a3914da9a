"""What the code of a cell reads, binds and imports, told from its syntax tree."""

import ast
from collections.abc import Iterator


def names_used(tree: ast.AST) -> set[str]:
    """The names that the code reads."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def names_bound(tree: ast.AST) -> set[str]:
    """The names that the code binds: assignments, functions, arguments, classes and imports at any depth."""
    return set(_binding_lines(tree))


def names_needed(tree: ast.AST) -> set[str]:
    """The names that the code reads no later than on the line that first binds them, so that they come from outside."""
    reads = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    bound = _binding_lines(tree)
    return {node.id for node in reads if node.lineno <= bound.get(node.id, node.lineno)}


def _binding_lines(tree: ast.AST) -> dict[str, int]:
    """Each name that the code binds, arguments included, with the first line that does."""
    lines = {}
    for node in ast.walk(tree):
        for name in bound_by(node):
            lines[name] = min(node.lineno, lines.get(name, node.lineno))
    return lines


def bound_by(node: ast.AST) -> list[str]:
    """The names that one node of the syntax tree binds, without the nodes below it."""
    match node:
        case (
            ast.Name(id=name, ctx=ast.Store())
            | ast.FunctionDef(name=name)
            | ast.ClassDef(name=name)
            | ast.arg(arg=name)
        ):
            return [name]
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return [alias.asname or alias.name.partition(".")[0] for alias in aliases]
    return []


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The top-level packages that the code imports, and the line of each."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0], node.lineno


def imports_any(tree: ast.AST, packages: list[str]) -> bool:
    """Whether the code imports one of the packages."""
    return any(package in packages for package, _ in imports(tree))
