# SPDX-License-Identifier: Apache-2.0
"""The house rules a program can check: source text in, complaints out.

Each complaint says what to do instead. The functions are pure, so that every rule has a negative
control: a few bad lines which show that it still catches what it is for.
"""

import ast
import re
from collections.abc import Iterable, Iterator

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
SPDX = "# SPDX-License-Identifier: Apache-2.0"
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b")
EXCUSE = re.compile(r"# det-ok: \w+ \w+")  # with the reason, in words
CORE_IMPORTS = frozenset(
    {"collections", "dataclasses", "enum", "hashlib", "json", "operator", "typing"}
)
CORE_CALLS = {
    "hash": "differs between processes: use hashlib over a canonical encoding",
    "id": "differs between processes: use a key of the value",
    "repr": "is for people: encode the fields by name",
    "float": "is inexact: use integer ticks and lots",
    "open": "is I/O: the shell reads, the core takes entries",
    "print": "is I/O: return an event",
    "input": "is I/O: the core takes entries",
    "eval": "hides its inputs: write the table out",
    "exec": "hides its inputs: write the table out",
    "__import__": "hides an import: import it by name at the top",
}
SET_TYPES = frozenset({"set", "frozenset", "Set", "AbstractSet", "MutableSet"})
# What gives the same result in whatever order the members of a set come.
ORDERLESS = frozenset({"sorted", "len", "min", "max", "sum", "any", "all", "set", "frozenset"})


def tidy(source: str) -> list[str]:
    """Complaints about the form of one Python file."""
    lines = source.splitlines()
    tree = ast.parse(source)
    found = []
    if not lines or lines[0] != SPDX:
        found.append(f"1: the first line is not '{SPDX}': add it")
    if ast.get_docstring(tree) is None:
        found.append("1: no module docstring: say what the module guarantees")
    if len(lines) > FILE_LINES_MAX:
        found.append(f"{len(lines)} lines, at most {FILE_LINES_MAX}: split it by concept")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                found.append(
                    f"{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES_MAX}: "
                    "push what does not branch into helpers"
                )
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            found.append(f"{number}: a note to finish later: finish it, or open an issue")
    return found


def ambient_environment(source: str) -> list[str]:
    """Complaints about a module that reads the environment of its process."""
    advice = "take `env: Mapping[str, str]` as an argument; only __main__ passes os.environ"
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "os" and node.attr in {"environ", "getenv", "putenv"}:
                found.append(f"{node.lineno}: os.{node.attr}: {advice}")
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            names = {alias.name for alias in node.names} & {"environ", "getenv", "putenv"}
            found += [f"{node.lineno}: os.{name}: {advice}" for name in sorted(names)]
    return found


def impurity(source: str, sets: Iterable[str] = ()) -> list[str]:
    """Complaints about what could make two replicas of the core differ.

    `sets` names the fields known to be sets in other modules of the core.
    """
    tree = ast.parse(source)
    known = {*sets, *names_of_sets(source)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [_bad_import(node, a.name) for a in node.names if not _allowed(a.name)]
        elif isinstance(node, ast.ImportFrom) and not _allowed(node.module or ""):
            found.append(_bad_import(node, node.module or "."))
        elif isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            found.append(f"{node.lineno}: {node.value!r}: no floats, use integer ticks and lots")
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            found.append(f"{node.lineno}: / makes a float: use //, or divide at the edge")
        elif isinstance(node, ast.Name) and node.id in CORE_CALLS:
            found.append(f"{node.lineno}: {node.id}() {CORE_CALLS[node.id]}")
    found += [
        f"{node.lineno}: order taken from a set: use sorted(), a tuple or a dict"
        for node in _ordered_uses(tree)
        if _is_set(node, known)
    ]
    excused = {n for n, line in enumerate(source.splitlines(), 1) if EXCUSE.search(line)}
    return [text for text in found if int(text.split(":")[0]) not in excused]


def names_of_sets(source: str) -> set[str]:
    """Names and fields that one module binds to a set or annotates as one."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign) and _is_set(node.value, ()):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign) and _says_set(node.annotation):
            targets = [node.target]
        elif isinstance(node, ast.arg) and node.annotation and _says_set(node.annotation):
            names.add(node.arg)
        names |= {name for name in map(_name, targets) if name}
    return names


def _allowed(module: str) -> bool:
    return module.split(".")[0] in CORE_IMPORTS or f"{module}.".startswith("tradewind.core.")


def _bad_import(node: ast.stmt, module: str) -> str:
    return (
        f"{node.lineno}: imports {module}: the core uses only {', '.join(sorted(CORE_IMPORTS))}; "
        "what it needs to know arrives as an entry"
    )


def _ordered_uses(tree: ast.AST) -> Iterator[ast.expr]:
    """Expressions whose members are taken in order."""
    harmless = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _name(node.func) in ORDERLESS
        for argument in node.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.For):
            yield node.iter
        elif isinstance(node, ast.ListComp | ast.DictComp | ast.GeneratorExp):
            if id(node) not in harmless:
                yield from (generator.iter for generator in node.generators)
        elif isinstance(node, ast.Starred):
            yield node.value
        elif isinstance(node, ast.Call):
            if _name(node.func) in {"list", "tuple", "iter", "enumerate", "zip", "map", "join"}:
                yield from node.args
            elif isinstance(node.func, ast.Attribute) and node.func.attr == "pop" and not node.args:
                yield node.func.value


def _is_set(node: ast.expr, known: Iterable[str]) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in {"set", "frozenset"}
    if isinstance(node, ast.BinOp):
        sides = (node.left, node.right)
        return any(_is_set(side, known) or _is_keys(side) for side in sides)
    return _name(node) in known


def _is_keys(node: ast.expr) -> bool:
    """The keys of a dict are in order; what is computed from them as a set is not."""
    return isinstance(node, ast.Call) and _name(node.func) == "keys"


def _says_set(annotation: ast.expr) -> bool:
    outer = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return _name(outer) in SET_TYPES


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
