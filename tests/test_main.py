"""The entry point: what it says before anything is installed, in a checkout and beside a wheel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from main import _last_line, _leading_data_option, _progress_line, _summary

ROOT = Path(__file__).resolve().parents[1]


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python on these arguments, with these variables in place of those of the same name."""
    variables = {**os.environ, **environment}
    words = [sys.executable, *map(str, command)]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, env=variables, check=False)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere Qt needs no library")
def test_missing_libraries_of_qt_are_one_sentence_instead_of_an_abort(
    broken_pyside: Path, tmp_path: Path
) -> None:
    variables = {"PYTHONPATH": str(broken_pyside), "QT_QPA_PLATFORM": "xcb", "DISPLAY": ":4711"}
    done = run(ROOT / "main.py", "--data", tmp_path, **variables)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "libxcb-icccm.so.9 and libxcb-keysyms.so.9 are missing" in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
def test_a_display_that_does_not_answer_is_one_sentence_instead_of_an_abort(tmp_path: Path) -> None:
    done = run(ROOT / "main.py", "--data", tmp_path, QT_QPA_PLATFORM="xcb", DISPLAY=":4711")
    assert done.returncode == 1
    assert done.stderr.strip() == "The window cannot open because the display “:4711” does not answer."


@pytest.mark.parametrize("option", [("--data", "D"), ("--data=D",), ()])
@pytest.mark.parametrize("asked", ["--help", "-h", "help"])
def test_help_is_printed_before_anything_is_installed(option: tuple[str, ...], asked: str) -> None:
    done = run("-S", ROOT / "main.py", *option, asked)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: python main.py [command]")


@pytest.mark.skipif(os.name == "nt", reason="pipes break differently there")
def test_help_may_be_read_in_part() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-S", str(ROOT / "main.py"), "--help"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        ([], []),
        (["ask", "--data", "D"], []),
        (["--data", "D", "ask", "Q"], ["--data", "D"]),
        (["--data=D", "ask"], ["--data=D"]),
        (["--data"], ["--data"]),
        (["--database"], []),
    ],
)
def test_the_data_option_is_found_before_the_command(arguments: list[str], option: list[str]) -> None:
    assert _leading_data_option(arguments) == option


def test_a_set_up_ends_with_what_is_ready_and_what_to_do_next() -> None:
    assert _summary(True, "") == (
        "Ragdeck is ready: its packages, llama.cpp and the starter models are installed. "
        "Run `python main.py` to open the window."
    )
    without = _summary(False, "")
    assert "llama.cpp, which could not be built" in without
    assert without.endswith("Run `python main.py` to open the window.")
    blind = _summary(True, "The window cannot open because libEGL.so.1 is missing.")
    assert "libEGL.so.1 is missing" in blind
    assert "to open the window" not in blind


def test_progress_lines_end_with_a_whole_word() -> None:
    text = "Installing collected packages: tokenizers, sentence-transformers, chromadb, pypdfium2"
    for width in range(60, 120):
        line = _progress_line(30.0, text, width)
        assert len(line) <= width
        shown = line.removeprefix("        30 s  ").removesuffix(" …").split()
        assert shown == text.split()[: len(shown)]
    assert _progress_line(30.0, text, 160).endswith(text)
    assert _progress_line(30.0, f"Downloading {'x' * 200}", 100).split() == ["30", "s", "Downloading", "…"]


def test_the_last_line_of_the_log_is_read_whole(tmp_path: Path) -> None:
    """It began in the middle of a word when a line of pip's was longer than what was read of the log."""
    long = "Installing collected packages: " + ", ".join(f"package-{n}" for n in range(400))
    (tmp_path / "log").write_text(f"Collecting\n{long}\n\n", "utf-8")
    assert _last_line(tmp_path / "log") == long
    (tmp_path / "log").write_text("", "utf-8")
    assert _last_line(tmp_path / "log") == ""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a main.py without a checkout around it, as a wheel puts it into site-packages."""
    return Path(shutil.copy(ROOT / "main.py", tmp_path / "main.py"))


def test_beside_a_wheel_the_help_is_that_of_ragdeck(installed: Path) -> None:
    done = run("-S", installed, "--help")
    assert done.stdout.startswith("usage: ragdeck [command]")
    assert "\n  doctor " in done.stdout
    assert "\n  setup " not in done.stdout
    assert "main.py" not in done.stdout


@pytest.mark.parametrize("command", ["setup", "test"])
def test_beside_a_wheel_there_is_nothing_to_set_up(installed: Path, command: str) -> None:
    done = run("-S", installed, command)
    assert done.returncode == 1
    assert "works only in a checkout" in done.stderr
    assert not (installed.parent / ".venv").exists()


def test_beside_a_wheel_missing_packages_are_named_with_the_command(installed: Path) -> None:
    done = run("-S", installed, "collections")
    assert done.returncode == 1
    assert f"{sys.executable} -m pip install PySide6-Essentials pyqtgraph" in done.stderr
    assert not (installed.parent / ".venv").exists()
