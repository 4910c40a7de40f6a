"""The same seed and the same requests at the same sandbox times tell the same, byte for byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_two_processes_are_told_the_same(tmp_path: Path) -> None:
    twins = []
    for place, mood in enumerate(("calm", "restless"), 1):
        (folder := tmp_path / mood).mkdir()
        command = [sys.executable, "-m", "tests.twin", str(folder), mood]
        env = {**os.environ, "PYTHONHASHSEED": str(place)}
        twins.append(subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=env))
    calm, restless = (dict[str, str](json.loads(twin.communicate()[0])) for twin in twins)
    differ = [path for path in {**calm, **restless} if calm.get(path) != restless.get(path)]
    assert differ[:5] == []
    assert sum(path.startswith("/v1/calls/") for path in calm) > 60
    assert sum(path.startswith("webhook ") for path in calm) > 1000
