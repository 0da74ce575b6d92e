"""Mutants of a solution: each with one small change somewhere in the work of its task.

The operators are the usual ones of mutation testing (Offutt's sufficient set, and the deletion of
statements), with a few for asyncio and FastAPI: an `await`, a decorator or a keyword argument
dropped. Only lines that the stub does not have are changed; the others are the work of a task
before.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
_DELETED = (ast.Expr, ast.AugAssign, ast.Raise, ast.Delete)


@dataclass(frozen=True)
class Mutant:
    """A changed module.

    Attributes:
        was: the changed statement's first line, before; `becomes`: after.
    """

    file: str
    was: str
    becomes: str
    source: str


def mutants(stub: Path, solution: Path, file: str) -> Iterator[Mutant]:
    """Yield all mutants of one file of a solution."""
    text = (solution / file).read_text(encoding="utf-8")
    begun = stub / file
    known = set(begun.read_text(encoding="utf-8").splitlines() if begun.is_file() else ())
    work = {n for n, line in enumerate(text.splitlines(), 1) if line not in known}
    tree = ast.parse(text)
    for number, node in enumerate(ast.walk(tree)):
        if getattr(node, "lineno", None) not in work:
            continue
        for variant in range(_variants(node)):
            changed = copy.deepcopy(tree)
            target = list(ast.walk(changed))[number]
            before = _first_line(_statement(changed, target))
            statement = _mutate(changed, target, variant)
            if statement is not None:
                source = ast.unparse(ast.fix_missing_locations(changed)) + "\n"
                yield Mutant(file, before, _first_line(statement), source)


def _variants(node: ast.AST) -> int:
    """Return in how many ways a node can be changed."""
    if isinstance(node, ast.Call):
        return len(node.keywords)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return len(node.decorator_list)
    # An expression statement is deleted; what is in it is changed on its own.
    return 1


def _mutate(tree: ast.Module, node: ast.AST, variant: int) -> ast.stmt | None:
    """Change a node in place; return the statement around it, None if nothing can be changed."""
    statement = _statement(tree, node)
    match node:
        case ast.Constant() if not _is_docstring(tree, node) and _constant(node):
            return statement
        case ast.Compare(ops=[operator, *_]) if type(operator) in _COMPARISONS:
            node.ops[0] = _COMPARISONS[type(operator)]()
            return statement
        case ast.BinOp(op=operator) if type(operator) in _OPERATORS:
            node.op = _OPERATORS[type(operator)]()
            return statement
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            return statement
        case ast.UnaryOp(op=ast.Not()):
            _replace(tree, node, node.operand)
            return statement
        case ast.Await():
            _replace(tree, node, node.value)
            return statement
        case ast.If() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)
            return statement
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            node.value = ast.Constant(None)
            return statement
        case ast.Call() if node.keywords:
            del node.keywords[variant]
            return statement
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() if node.decorator_list:
            del node.decorator_list[variant]
            return node
    if isinstance(node, _DELETED) and not _is_docstring(tree, getattr(node, "value", node)):
        nothing = ast.Pass()
        _replace(tree, node, nothing)
        return nothing
    return None


def _constant(node: ast.Constant) -> bool:
    if isinstance(node.value, bool):
        node.value = not node.value
    elif isinstance(node.value, int | float):
        node.value += 1
    elif isinstance(node.value, str):
        node.value += "x"
    else:
        return False
    return True


def _statement(tree: ast.Module, node: ast.AST) -> ast.stmt:
    """Return the innermost statement that the node is in."""
    found = [
        each
        for each in ast.walk(tree)
        if isinstance(each, ast.stmt) and any(inner is node for inner in ast.walk(each))
    ]
    return found[-1]


def _replace(tree: ast.Module, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                setattr(parent, name, [new if each is old else each for each in value])


def _is_docstring(tree: ast.Module, node: ast.AST) -> bool:
    for parent in ast.walk(tree):
        body = getattr(parent, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and first.value is node:
            return isinstance(node, ast.Constant)
    return False


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _first_line(statement: ast.stmt) -> str:
    """Return a statement's first line; of a decorated one, decorators included."""
    lines = ast.unparse(statement).splitlines()
    end = next((n for n, line in enumerate(lines) if not line.startswith("@")), 0)
    return " ".join(lines[: end + 1])
