"""Sources made smaller for the chip: the same program under shorter names.

MicroPython keeps every name of a module in the heap, once for the whole program: its text and seven
bytes in tables that double in size. So what no other module may name gets a short name, and the
same few short names serve in all modules:

- private names (one leading underscore) of a module; modules whose classes inherit from each other
  are one, because their objects share their attributes;
- parameters that no call names.

Besides, what `const` says becomes a number wherever it is used, and what is there for type checkers
only is left out.

Nothing here may change what a program does. It relies on what `scripts/check` sees to: private
names stay within their module, and constants are never assigned to.
"""

import ast
import itertools
import string
from collections.abc import Iterable, Iterator
from typing import NamedTuple

Trees = dict[str, ast.Module]
"""Module's dotted name -> its tree."""

Names = dict[str, dict[str, str]]
"""Module's dotted name -> short name -> the private name that it stands for."""

_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Shrunk(NamedTuple):
    """A program made smaller: its modules' sources, and what their short names mean."""

    sources: dict[str, str]
    names: Names


def shrink(sources: dict[str, str]) -> Shrunk:
    """Make a whole program smaller.

    Args:
        sources: Source by dotted name of the module; a package has its own name.

    Raises:
        ValueError: A private name is used where it can't be followed: as a text, to name an
            argument in a call, or as an attribute of something that is not of this program.
    """
    trees = {name: ast.parse(source) for name, source in sources.items()}
    for tree in trees.values():
        _drop_type_checking(tree)
    _inline_constants(trees)
    keywords = _keywords(trees.values())
    names: Names = {}
    for family in _families(trees):
        short = _shorten_private([trees[name] for name in family])
        names.update({name: {new: old for old, new in short.items()} for name in family})
    for tree in trees.values():
        for scope in ast.walk(tree):
            if isinstance(scope, _Scope):
                _shorten_parameters(scope, keywords)
    return Shrunk({name: ast.unparse(tree) for name, tree in trees.items()}, names)


def _drop_type_checking(tree: ast.Module) -> None:
    tree.body = [node for node in tree.body if "TYPE_CHECKING" not in _head(node)] or [ast.Pass()]


def _head(node: ast.stmt) -> set[str]:
    """Names that a module's statement assigns to, or asks for in its condition."""
    if isinstance(node, ast.If):
        return {name.id for name in ast.walk(node.test) if isinstance(name, ast.Name)}
    if isinstance(node, ast.Assign):
        return {name.id for name in node.targets if isinstance(name, ast.Name)}
    return set()


# Constants


def _inline_constants(trees: Trees) -> None:
    constants = {name: dict(_constants(tree)) for name, tree in trees.items()}
    for name, tree in trees.items():
        inliner = _Inliner(name, trees, constants)
        inliner.visit(tree)
        tree.body = [
            node
            for node in tree.body
            if not (_head(node) & set(constants[name]) and isinstance(node, ast.Assign))
        ] or [ast.Pass()]


def _constants(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """What `NAME = const(number)` says, in a module."""
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        call, target = node.value, node.targets[0]
        if not isinstance(call.func, ast.Name) or call.func.id != "const":
            continue
        if any(isinstance(part, ast.Name) for part in ast.walk(call.args[0])):
            continue
        value = eval(ast.unparse(call.args[0]), {"__builtins__": {}})  # noqa: S307 (our own source)
        if isinstance(target, ast.Name) and isinstance(value, int):
            yield target.id, value


class _Inliner(ast.NodeTransformer):
    """Puts numbers in the places of constants, in one module."""

    def __init__(self, name: str, trees: Trees, constants: dict[str, dict[str, int]]) -> None:
        is_package = any(key.startswith(name + ".") for key in trees)
        self._package = name if is_package else name.rpartition(".")[0]
        self._constants = constants
        self._known = dict(constants[name])
        self._modules: dict[str, str] = {}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        package = self._package if node.level else ""
        source = ".".join(part for part in (package, node.module) if part)
        kept = []
        for alias in node.names:
            value = self._constants.get(source, {}).get(alias.name)
            if value is None:
                self._modules[alias.asname or alias.name] = f"{source}.{alias.name}"
                kept.append(alias)
            else:
                self._known[alias.asname or alias.name] = value
        node.names = kept
        return node if kept else None

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in self._known:
            return ast.Constant(self._known[node.id])
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in self._modules:
            module = self._constants.get(self._modules[node.value.id], {})
            if node.attr in module:
                return ast.Constant(module[node.attr])
        self.generic_visit(node)
        return node


# Private names


def _families(trees: Trees) -> list[list[str]]:
    """Modules, those together in which a class inherits from one of another module."""
    homes = {
        node.name: name
        for name, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    family = {name: name for name in trees}
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                for base in node.bases:
                    if isinstance(base, ast.Name) and base.id in homes:
                        family[name] = family[homes[base.id]]
    return [[n for n in trees if family[n] == head] for head in sorted(set(family.values()))]


def _shorten_private(trees: list[ast.Module]) -> dict[str, str]:
    names = sorted({name for tree in trees for name in _names(tree) if _private(name)})
    short = dict(zip(names, _short("_"), strict=False))
    if foreign := set(short) - {name for tree in trees for name in _made(tree)}:
        raise ValueError(f"private names that are not this program's: {sorted(foreign)}")
    for tree in trees:
        if untraceable := _keywords([tree]) & set(short):
            raise ValueError(f"private names that shrinking would break: {sorted(untraceable)}")
        _Renamer(short).visit(tree)
    return short


def _made(tree: ast.Module) -> Iterator[str]:
    """Names that come into being in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg


def _private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield value


def _short(prefix: str) -> Iterator[str]:
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            yield prefix + "".join(letters)


class _Renamer(ast.NodeTransformer):
    """Gives names their short ones."""

    def __init__(self, short: dict[str, str]) -> None:
        self._short = short

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field in ("id", "attr", "arg", "name"):
            value = getattr(node, field, None)
            if isinstance(value, str) and not isinstance(node, ast.alias | ast.keyword):
                setattr(node, field, self._short.get(value, value))
        if isinstance(node, ast.Global | ast.Nonlocal):
            node.names = [self._short.get(name, name) for name in node.names]
        return super().generic_visit(node)


# Parameters


def _keywords(trees: Iterable[ast.Module]) -> set[str]:
    """Names that a call may give to an argument: in the call, or as a key of a dictionary."""
    names = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg:
                names.add(node.arg)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)
    return names


def _shorten_parameters(scope: _Scope, keywords: set[str]) -> None:
    inner = {
        argument.arg
        for node in ast.walk(scope)
        if isinstance(node, _Scope) and node is not scope
        for argument in ast.walk(node.args)
        if isinstance(argument, ast.arg)
    }
    taken = {name for node in ast.walk(scope) for name in _names(node)}
    free = (name for name in _short("") if name not in taken)
    short = {
        argument.arg: next(free)
        for argument in scope.args.args
        if argument.arg not in keywords | inner | {"self", "cls", "_"}
    }
    for argument in scope.args.args:
        argument.arg = short.get(argument.arg, argument.arg)
    # Not in defaults and decorators: what they name is the enclosing scope's.
    body = scope.body if isinstance(scope.body, list) else [scope.body]
    for node in itertools.chain.from_iterable(map(ast.walk, body)):
        if isinstance(node, ast.Name):
            node.id = short.get(node.id, node.id)
