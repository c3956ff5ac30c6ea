"""The commands on the installation: the list of model files, the doctor's report, and the settings."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import CommandLine
from fakes import small_gguf

from rag.cli import run
from rag.cli.installation import _folder_checks, _package_check, _repair, _search_check, _trial_problem
from rag.cli.terminal import opener
from rag.errors import DataFolderLockedError


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    """Run a command with --json; return its exit code and document."""
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def fake_python(folder: Path, script: str) -> str:
    """Make a Python that does nothing but what the script says."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


needs_posix = pytest.mark.skipif(os.name == "nt", reason="the fake Python is a shell script")


@needs_posix
def test_a_llama_that_runs_is_no_problem(tmp_path: Path) -> None:
    assert _trial_problem(fake_python(tmp_path, "exit 0")) == ""


@needs_posix
def test_a_llama_that_the_processor_kills_says_what_to_do(tmp_path: Path) -> None:
    said = _trial_problem(fake_python(tmp_path, "kill -s ILL $$"))
    assert said.startswith("is killed by SIGILL when it reads a prompt")
    assert "python main.py setup" in said


@needs_posix
def test_a_llama_that_fails_says_why(tmp_path: Path) -> None:
    assert "the last line" in _trial_problem(
        fake_python(tmp_path, "echo first >&2; echo the last line >&2; exit 1")
    )
    assert "no reason was given" in _trial_problem(fake_python(tmp_path, "exit 1"))


def test_a_missing_package_is_named_with_the_command() -> None:
    check = _package_check("no-such-package")
    assert not check.ok
    assert "pip install no-such-package" in check.detail
    assert _package_check("sqlmodel").ok


def test_full_text_search_is_checked() -> None:
    assert _search_check().ok


def test_a_folder_in_use_is_well_and_says_by_whom(tmp_path: Path) -> None:
    assert next(_folder_checks(str(tmp_path))).detail == str(tmp_path)
    code = (
        "import sys; from pathlib import Path; from rag.storage.data_folder import FolderLock\n"
        "lock = FolderLock(Path(sys.argv[1])); lock.acquire('the window'); print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).resolve().parents[3],
    )  # fmt: skip
    assert other.stdout is not None and other.stdout.readline() == "held\n"
    check = next(_folder_checks(str(tmp_path)))
    with pytest.raises(DataFolderLockedError, match="the window"):
        _repair(str(tmp_path))
    other.kill()
    other.wait()
    assert check.ok and "(the window)" in check.detail


def test_a_folder_that_cannot_be_written_is_not_well(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (check,) = _folder_checks(str(tmp_path / "file" / "below"))
    assert not check.ok


def test_the_doctor_repairs_settings_and_index_and_says_so(
    folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ragdeck = CommandLine(folder, capsys)
    ragdeck.done("ingest", documents, "-c", "A")
    (folder / "settings.toml").write_text("max_tokens = 3", "utf-8")
    (folder / "index" / "chroma.sqlite3").write_bytes(b"no database" * 1000)
    assert not all(check.ok for check in _folder_checks(str(folder)))
    token = opener.set(ragdeck.open)
    try:
        _repair(str(folder))
    finally:
        opener.reset(token)
    said = capsys.readouterr().err
    assert "settings.toml could not be read and was renamed to settings.toml.2" in said
    assert "The index was made again" in said
    assert [check for check in _folder_checks(str(folder)) if not check.ok] == []


def test_the_list_of_models_has_the_starter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = report(capsys, "models", "--data", str(tmp_path))
    assert code == 0
    (starter,) = [entry for entry in found if entry["origin"] == "starter"]
    assert starter["forecast_bytes"] > 10**8
    run(["models", "--data", str(tmp_path)])
    assert "(demo" in capsys.readouterr().out


def test_a_file_that_is_no_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.gguf").write_text("no")
    assert run(["models", "--add", str(tmp_path / "a.gguf"), "--data", str(tmp_path / "data")]) == 1
    assert "a.gguf" in capsys.readouterr().err


def test_settings_are_listed_changed_and_reset(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ragdeck = CommandLine(folder, capsys)
    everything = ragdeck.done("settings", "list", "--json").document
    assert {"setting": "retrieval.rrf_k", "value": 5, "default": 5} in everything
    assert "Every setting is at its default." in ragdeck.done("settings", "list", "--changed").out
    ragdeck.done(
        "settings", "set", "appearance.text_percent=150", "generation.ask_without_passages=true",
        'models.folders=["/models"]',
    )  # fmt: skip
    changed = ragdeck.done("settings", "list", "--changed", "--json").document
    assert [(row["setting"], row["value"], row["default"]) for row in changed] == [
        ("generation.ask_without_passages", True, False),
        ("models.folders", ["/models"], []),
        ("appearance.text_percent", 150, 100),
    ]
    assert "150" in ragdeck.done("settings", "list").out
    ragdeck.done("settings", "reset", "appearance.text_percent", "models.folders")
    changed = ragdeck.done("settings", "list", "--changed", "--json").document
    assert [row["setting"] for row in changed] == ["generation.ask_without_passages"]


def test_a_wrong_setting_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ragdeck = CommandLine(folder, capsys)
    assert "text_percent" in ragdeck.refused(
        "settings", "set", "retrieval.rrf_k=9", "appearance.text_percent=1000"
    )
    assert "SECTION.KEY=VALUE" in ragdeck.refused("settings", "set", "appearance.text_percent")
    assert "There is no setting a.b" in ragdeck.refused("settings", "set", "a.b=1")
    assert "There is no setting a.b" in ragdeck.refused("settings", "reset", "a.b")
    assert "not a list" in ragdeck.refused("settings", "set", "models.folders=[oh")
    assert ragdeck.done("settings", "list", "--changed", "--json").document == []


@pytest.mark.models
def test_the_doctor_finds_this_installation_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = report(capsys, "doctor", "--data", str(tmp_path))
    checks = {check["name"]: check for check in found["checks"]}
    assert checks["llama.cpp"]["ok"], checks["llama.cpp"]
    assert "it runs the starter model" in checks["llama.cpp"]["detail"]
    assert (code == 0) == found["ok"] == all(check["ok"] for check in checks.values())


# --- model files ------------------------------------------------------------------------------------------


def test_a_model_that_cannot_answer_is_listed_with_its_kind_and_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "embed.gguf").write_bytes(small_gguf(architecture="bert"))
    (tmp_path / "models" / "loops.gguf").write_bytes(small_gguf({"tokenizer.chat_template": "{{ 1 // 0 }}"}))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "settings.toml").write_text(f'[models]\nfolders = ["{tmp_path / "models"}"]\n')
    data = ("--data", str(tmp_path / "data"))
    assert run(["models", *data]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "embed: embed.gguf is an embedding model (bert)" in out
    assert "loops: The chat template of loops.gguf cannot be used" in out
    code, document = report(capsys, "models", *data)
    found = {entry["name"]: entry for entry in document}  # type: ignore[index, attr-defined]
    assert (code, found["embed"]["header"]["kind"]) == (0, "embedder")  # type: ignore[call-overload, index]
    assert run(["models", "--add", str(tmp_path / "models" / "embed.gguf"), *data]) == 1
    assert "is an embedding model" in " ".join(capsys.readouterr().err.split())


def test_a_chat_template_is_chosen_and_taken_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "loops.gguf"
    file.write_bytes(small_gguf({"tokenizer.chat_template": "{{ 1 // 0 }}"}))
    data = ("--data", str(tmp_path / "data"))
    assert run(["models", "--add", str(file), "--template", "loops=chatml", *data]) == 0
    assert "It answers by the built-in chat template chatml." in " ".join(capsys.readouterr().out.split())
    assert run(["models", "--template", "loops=", *data]) == 0
    assert "cannot be used" in " ".join(capsys.readouterr().out.split())
    for wrong, said in (("chatml", "Write --template MODEL=TEMPLATE"), ("loops=x", "no chat template “x”")):
        assert run(["models", "--template", wrong, *data]) == 1
        assert said in " ".join(capsys.readouterr().err.split())
