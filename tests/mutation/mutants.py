# SPDX-License-Identifier: Apache-2.0
"""Mutants: small wrong changes of a module, each of which some test should notice.

What only speaks to the type checker or to people is left alone: annotations, asserts, docstrings.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
TWINS = {"max": "min", "min": "max", "any": "all", "all": "any"}
LEFT_ALONE = (ast.Assert, ast.Import, ast.ImportFrom, ast.Raise, ast.arg)
NOTHING = ast.Constant(None)
Variant = tuple[str, ast.AST]
"""What is changed, and the node that takes the place."""


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """The `number`-th change of a module; `code` is the line that it is in."""

    number: int
    line: int
    code: str
    change: str


def mutants_of(source: str) -> list[Mutant]:
    """Every mutant of a module."""
    lines = source.splitlines()
    mutator = _Mutator(None)
    mutator.visit(ast.parse(source))
    return [
        Mutant(number, line, lines[line - 1].strip(), change)
        for number, (line, change) in enumerate(mutator.found)
    ]


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """The module with one of its mutants in it."""
    tree = ast.parse(source)
    _Mutator(mutant.number).visit(tree)
    return ast.fix_missing_locations(tree)


class _Mutator(ast.NodeTransformer):
    """Counts the variants of every node in the order of the tree; puts in the wanted one."""

    def __init__(self, wanted: int | None) -> None:
        self._wanted = wanted
        self._depth = 0
        self.found: list[tuple[int, str]] = []

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, LEFT_ALONE) or _is_text(node):
            return node
        if isinstance(node, ast.Subscript) and self._depth == 0:
            return node  # a type with a name
        chosen = None
        for change, new in self._variants(node):
            if len(self.found) == self._wanted:
                chosen = ast.copy_location(new, node)
            self.found.append((getattr(node, "lineno", 0), change))
        return self._inside(node) if chosen is None else chosen

    def _variants(self, node: ast.AST) -> Iterator[Variant]:
        yield from _operations(node)
        yield from _values(node)
        yield from _statements(node)
        if self._depth == 0:
            yield from _members(node)

    def _inside(self, node: ast.AST) -> ast.AST:
        """Visits what is in a node, but neither annotations nor decorators."""
        if isinstance(node, ast.AnnAssign):
            if node.value is not None:
                node.value = self.visit(node.value)  # type: ignore[assignment]
            return node
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            self._depth += isinstance(node, ast.FunctionDef)
            node.body = [self.visit(item) for item in node.body]  # type: ignore[misc]
            self._depth -= isinstance(node, ast.FunctionDef)
            return node
        return self.generic_visit(node)


def _is_text(node: ast.AST) -> bool:
    """A docstring, or a text below a constant that says what it is."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _operations(node: ast.AST) -> Iterator[Variant]:
    match node:
        case ast.Compare(left, ops, values):
            for place, op in enumerate(ops):
                other = COMPARED[type(op)]()
                changed = [*ops[:place], other, *ops[place + 1 :]]
                yield f"{_name(op)} -> {_name(other)}", ast.Compare(left, changed, values)
        case ast.BoolOp(op, values):
            swapped = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"{_name(op)} -> {_name(swapped)}", ast.BoolOp(swapped, values)
        case ast.UnaryOp(ast.Not() | ast.USub() as sign, operand):
            yield f"without {_name(sign)}", operand
        case ast.BinOp(left, op, right) if type(op) in CALCULATED:
            swap = CALCULATED[type(op)]()
            yield f"{_name(op)} -> {_name(swap)}", ast.BinOp(left, swap, right)


def _values(node: ast.AST) -> Iterator[Variant]:
    match node:
        case ast.IfExp(test, body, orelse):
            yield "branches swapped", ast.IfExp(test, orelse, body)
        case ast.Call(ast.Name(name), args, keywords) if name in TWINS:
            twin = TWINS[name]
            yield f"{name} -> {twin}", ast.Call(ast.Name(twin, ast.Load()), args, keywords)
        case ast.Constant(bool() as flag):
            yield f"{flag} -> {not flag}", ast.Constant(not flag)
        case ast.Constant(int() as value):
            yield f"{value} -> {value + 1}", ast.Constant(value + 1)
        case ast.Constant(str() as text):
            yield "another text", ast.Constant("" if text else "?")
        case ast.keyword(str() as name, value) if not _is_none(value):
            yield f"{name} is None", ast.keyword(name, NOTHING)


def _statements(node: ast.AST) -> Iterator[Variant]:
    match node:
        case ast.Return(ast.expr() as value) if not _is_none(value):
            yield "returns None", ast.Return(NOTHING)
        case ast.AugAssign(target, op, value):
            swap = CALCULATED[type(op)]()
            yield f"{_name(op)} -> {_name(swap)}", ast.AugAssign(target, swap, value)
            yield "left out", ast.Pass()
        case ast.Assign([ast.Attribute() | ast.Subscript(), *_]) | ast.Delete() | ast.Continue():
            yield "left out", ast.Pass()
        case ast.Expr(ast.Call()):
            yield "left out", ast.Pass()
        case ast.If(test, body, orelse) if not isinstance(test, ast.Compare | ast.UnaryOp):
            yield "condition negated", ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)


def _members(node: ast.AST) -> Iterator[Variant]:
    """A table of the module without one of its members."""
    match node:
        case ast.Tuple(elts, ast.Load()) | ast.Set(elts) | ast.List(elts, ast.Load()):
            for place, member in enumerate(elts):
                rest = [*elts[:place], *elts[place + 1 :]]
                new = ast.Set(rest) if isinstance(node, ast.Set) else ast.Tuple(rest, ast.Load())
                yield f"without {ast.unparse(member)}", new if rest else ast.Tuple([], ast.Load())
        case ast.Dict(keys, values):
            for place, key in enumerate(keys):
                left = [*keys[:place], *keys[place + 1 :]]
                name = ast.unparse(key or values[place])
                yield f"without {name}", ast.Dict(left, [*values[:place], *values[place + 1 :]])


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _name(node: ast.AST) -> str:
    return type(node).__name__
