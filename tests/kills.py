"""Kills the sandbox at length: `python -m tests.kills --runs 200 --seed 1`."""

from __future__ import annotations

import argparse
import sys

from .killing import KILLS, Tally, run


def main() -> int:
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--runs", type=int, default=200)
    told.add_argument("--seed", type=int, default=1)
    given = told.parse_args()
    all_of_it = Tally()
    for number in range(given.seed, given.seed + given.runs):
        one = run(f"kills-{number}")
        all_of_it.add(one)
        if one.wrong:
            print(f"--runs 1 --seed {number}", *one.wrong, sep="\n  ", flush=True)
    print(
        f"{given.runs} runs, {given.runs * KILLS} kills: {all_of_it.calls} calls asked for, "
        f"{all_of_it.answers_lost} answers lost, {all_of_it.came_again} webhooks that came again, "
        f"{len(all_of_it.wrong)} things wrong."
    )
    return 1 if all_of_it.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
