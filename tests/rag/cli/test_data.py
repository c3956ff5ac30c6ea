"""The commands that back up, restore, measure and move the data folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from data_folders import make_folder, whose

from rag.cli import run
from rag.cli.data import size

ROOT = Path(__file__).resolve().parents[3]


def ragdeck(*arguments: str | Path, data: Path, answer: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "main.py"), *map(str, arguments), "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, input=answer)


def test_the_commands_back_up_restore_measure_and_move(tmp_path: Path) -> None:
    folder, file = make_folder(tmp_path / "data", "old", 1), tmp_path / "b.zip"
    assert json.loads(ragdeck("backup", file, "--json", data=folder).stdout)["rows"]["trace"] == 40
    other = make_folder(tmp_path / "other", "new", 2)
    refused = ragdeck("restore", file, data=other, answer="n\n")
    assert (refused.returncode, whose(other)) == (1, {("new", 2)})
    done = ragdeck("restore", file, data=other, answer="y\n")
    assert done.returncode == 0
    assert "was restored. What was here before is in" in done.stderr
    assert whose(other) == {("old", 1)}
    assert ragdeck("restore", file, "--yes", "--json", data=tmp_path / "fresh").returncode == 0
    assert whose(tmp_path / "fresh") == {("old", 1)}
    parts = json.loads(ragdeck("space", "--json", data=other).stdout)["parts"]
    assert any(part["what"] == "Before restores" for part in parts)
    moved = ragdeck("move-data", tmp_path / "moved", data=folder)
    assert f"--data {tmp_path / 'moved'}" in moved.stdout
    assert whose(tmp_path / "moved") == {("old", 1)}
    file.write_bytes(file.read_bytes()[:-100])
    broken = ragdeck("restore", file, "--check", data=folder)
    assert (broken.returncode, broken.stdout) == (1, "")
    assert "not a whole zip" in broken.stderr


def test_the_next_command_says_that_a_restore_was_interrupted(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", "old", 1)
    (folder / "restore.new" / "data").mkdir(parents=True)
    done = ragdeck("backup", tmp_path / "b.zip", data=folder)
    assert done.returncode == 0
    assert "A restore was interrupted" in done.stderr


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 kB"),
        (1536, "2 kB"),
        ((1 << 20) - 1, "1,024 kB"),
        (1 << 20, "1.0 MB"),
        (1_610_612_736, "1.50 GB"),
        (5 << 40, "5,120.00 GB"),
    ],
)
def test_sizes_are_written_as_people_read_them(count: int, text: str) -> None:
    assert size(count) == text


def test_a_backup_is_described_before_it_is_restored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = make_folder(tmp_path / "data", "old", 1), tmp_path / "b.zip"
    assert run(["backup", str(file), "--data", str(folder)]) == 0
    assert "written and checked in" in capsys.readouterr().out
    assert run(["restore", str(file), "--check", "--data", str(folder)]) == 0
    assert "is whole: the backup of" in capsys.readouterr().out
    assert whose(folder) == {("old", 1)}


def test_the_parts_of_the_data_folder_are_listed_with_their_total(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_folder(tmp_path / "data", "old", 1)
    assert run(["space", "--data", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "Traces" in shown and "Total" in shown
    assert run(["space", "--json", "--data", str(folder)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["bytes"] == sum(part["bytes"] for part in found["parts"]) > 0
