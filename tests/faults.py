"""The fault matrix at length: `python -m tests.faults --runs 1000 --seed 1`."""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack

from . import postgres
from .broken import BROKEN
from .matrix import Run, Tally
from .stage import stage


def main() -> int:
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--runs", type=int, default=1000)
    told.add_argument("--seed", type=int, default=1, help="the number of the first run")
    told.add_argument(
        "--only", action="append", default=[], help="a store, a surface or a number of processes"
    )
    told.add_argument("--broken", choices=BROKEN, help="take a guard out, and see it found")
    given = told.parse_args()
    if postgres.programs() is None:
        sys.exit(postgres.MISSING)
    began, whole = time.monotonic(), Tally()
    with ExitStack() as stack:
        here = stack.enter_context(stage(stack.enter_context(postgres.cluster())))
        for number in range(given.seed, given.seed + given.runs):
            one = Run(here, number, only=given.only, broken=given.broken).tally()
            whole.add(one)
            if one.wrong:
                print(f"--runs 1 --seed {number}", *one.wrong, sep="\n  ", flush=True)
    print(f"{given.runs} runs in {time.monotonic() - began:.0f} s")
    print(*table(whole), sep="\n")
    return 1 if whole.wrong else 0


def table(tally: Tally) -> Iterator[str]:
    """What was tried, a line for each kind of thing."""
    groups: dict[str, list[str]] = {}
    for name, count in sorted(tally.seen.items()):
        what, _, which = name.partition(": ")
        groups.setdefault(what, []).append(f"{which} {count}".strip())
    for what, found in groups.items():
        yield textwrap.fill(", ".join(found), 110, initial_indent=f"{what:16}", subsequent_indent=" " * 16)
    yield f"{'violations':16}{len([one for one in tally.wrong if not one.startswith(' ')])}"


if __name__ == "__main__":
    sys.exit(main())
