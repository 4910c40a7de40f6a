"""The words that models read: docstrings of classes and of their fields, from the source."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache


@cache
def docs(module: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Docstring and field docstrings of each class of a module, parsed once: `__doc__` is gone under -OO."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        node.name: (" ".join((ast.get_docstring(node) or "").split()), dict(_field_docs(node)))
        for node in _classes(tree)
    }


def _classes(node: ast.AST) -> Iterator[ast.ClassDef]:
    """The classes of a module, those inside of functions too. No expression is walked, for it holds none."""
    body = getattr(node, "body", ())
    for inner in body if isinstance(body, list) else ():
        if isinstance(inner, ast.ClassDef):
            yield inner
        yield from _classes(inner)


def _field_docs(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, said in zip(node.body, node.body[1:], strict=False):
        match field, said:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(inspect.cleandoc(text).split())
