"""Every row of the contract that a server answers for has a test that names it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .contract import ANSWERED, CLIENTS, ELSEWHERE, ROWS

TESTS = Path(__file__).parent
KNOWN = {*ROWS, *ANSWERED}


def claims() -> Iterator[tuple[str, str, str]]:
    """File, function and row of each claim that a test makes."""
    for path in sorted(TESTS.glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for decorator in function.decorator_list:
                    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "covers":
                        for argument in decorator.args:
                            yield path.name, function.name, ast.literal_eval(argument)


def test_every_row_and_every_assumption_of_a_server_has_a_test() -> None:
    assert KNOWN - {row for _, _, row in claims()} == set()


def test_no_test_names_an_unknown_row() -> None:
    assert [(file, test, row) for file, test, row in claims() if row not in KNOWN] == []


def test_rows_are_named_by_tests_alone_and_once_by_each() -> None:
    found = list(claims())
    assert [one for one in found if not (one[0].startswith("test_") and one[1].startswith("test_"))] == []
    assert [one for one, times in Counter(found).items() if times > 1] == []


def test_every_numbered_assumption_is_the_sandboxs_or_the_clients() -> None:
    said = (TESTS.parent / "docs" / "assumptions.md").read_text("utf-8")
    numbered = set(re.findall(r"\bA[1-9][0-9]{0,2}\b", said))
    assert {*ANSWERED, *CLIENTS} - numbered == set()
    assert numbered - {*ANSWERED, *CLIENTS} == set()


def test_a_row_is_either_covered_or_left_out_with_a_reason() -> None:
    assert not ROWS.keys() & ELSEWHERE.keys()
    assert all(words.strip() for words in (*ROWS.values(), *ELSEWHERE.values(), *CLIENTS.values()))
