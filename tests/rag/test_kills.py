"""kill -9 at 50 random moments: no half version, nothing acknowledged lost, no rest of what was erased."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROUNDS = 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the rounds are forked")
def test_fifty_kills_leave_whole_versions_and_lose_nothing_acknowledged(tmp_path: Path) -> None:
    script = Path(__file__).with_name("kills.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(ROUNDS)], capture_output=True, text=True, timeout=900
    )
    rounds = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [r for r in rounds if r["wrong"]] == [], done.stderr[-3000:]
    assert len(rounds) == ROUNDS, done.stderr[-3000:]
    killed = [r for r in rounds if r["killed"]]
    assert len(killed) >= ROUNDS // 3, "the kills came too late"
    assert any(r["notices"] for r in killed), "an interruption was never told"
