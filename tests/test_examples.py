"""The examples, and the code in the README, run as a newcomer runs them: without a key, each in a home of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from topcalls_tools.sandbox import open_sandbox

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
PROMISED = {
    "typed_client.py": ["Place call? Practice: no phone rings.", "person called:", "call minutes are left."],
    "async_client.py": ["Harbour: busy", "Old Town: completed", "table for six"],
    "langchain_tools.py": [
        "model:  place_call(phone_number, task)",
        "United Kingdom",
        "model:  I called them.",
    ],
    "langgraph_interrupt.py": ["the graph pauses with:", "Place call?", '"status":"queued"'],
    "mcp_client.py": ["TopCalls (practice) speaks protocol", "the person is asked", "Spoke with Dana Reyes."],
}
"""What each example must have printed."""
BLOCKS = re.findall(
    r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
)


def run(*command: str, home: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Run Python as a stranger to this machine's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOPCALLS_")}
    environment = {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **given}
    return subprocess.run(
        [sys.executable, *command],
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_every_example_is_run_here() -> None:
    found = {path.name for path in EXAMPLES.glob("*.py")}
    assert found - {"practice.py", "demo.py"} == PROMISED.keys(), (
        "practice is shared; `make demo` runs the demo"
    )


@pytest.mark.parametrize("name", PROMISED)
def test_an_example_runs_and_prints_what_a_newcomer_is_shown(name: str, tmp_path: Path) -> None:
    done = run(str(EXAMPLES / name), home=tmp_path, TOPCALLS_HOME=str(tmp_path / "home"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    for words in PROMISED[name]:
        assert words in done.stdout


def test_an_example_without_a_home_leaves_nothing_behind(tmp_path: Path) -> None:
    (passing := tmp_path / "passing").mkdir()
    done = run(str(EXAMPLES / "typed_client.py"), home=tmp_path, TMPDIR=str(passing))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(passing.iterdir())
    assert not (tmp_path / ".topcalls").exists()


@pytest.mark.parametrize("name", PROMISED)
def test_no_example_dials_with_a_live_key(name: str, tmp_path: Path) -> None:
    done = run(
        str(EXAMPLES / name),
        home=tmp_path,
        TOPCALLS_HOME=str(tmp_path),
        TOPCALLS_API_KEY="tc_live_0123456789",
    )
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        == "Examples never dial: TOPCALLS_API_KEY is a live key; unset it and run this again."
    )


@pytest.mark.parametrize("block", BLOCKS, ids=[block.strip().splitlines()[0][:40] for block in BLOCKS])
def test_the_code_in_the_readme_runs(block: str, tmp_path: Path) -> None:
    world = open_sandbox(tmp_path / "sandbox.db")
    world.speed(50)  # for every process that shares the file, while this one lives
    done = run("-c", block, home=tmp_path, TOPCALLS_HOME=str(tmp_path))
    world.close()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
