"""The entry point: what it says before anything is installed, in a checkout and beside a wheel."""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from main import _last_line, _leading_data_option, _names_files, _progress_line, _summary

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


# A Python of .venv as far as the set-up uses it for llama.cpp. It writes down what it was asked, and is killed
# by a prompt until it was built with the words in `needs`.
FAKE_PYTHON = """#!/bin/sh
echo "$CMAKE_ARGS|$*" >> "{folder}/asked"
case "$*" in
*trial_run*)
    if [ -e "{folder}/dies" ] && ! grep -q -- "$(cat "{folder}/dies")" "{folder}/built" 2>/dev/null; then
        kill -s {signal} $$
    fi ;;
*"import llama_cpp"*) test -e "{folder}/built" ;;
*"pip install"*) test ! -e "{folder}/no-compiler" && echo "built $CMAKE_ARGS" > "{folder}/built" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> types.ModuleType:
    """Return main.py as a module of a checkout of its own, whose .venv has the fake Python."""
    folder = tmp_path / "checkout"
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(FAKE_PYTHON.format(folder=folder, signal="ILL"))
    python.chmod(0o755)
    spec = importlib.util.spec_from_file_location("main_of_a_test", shutil.copy(ROOT / "main.py", folder))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def asked_of(checkout: types.ModuleType, words: str) -> list[str]:
    """Return the commands with these words that the fake Python was given, each behind its CMAKE_ARGS."""
    lines = (checkout.HERE / "asked").read_text().splitlines()
    return [line for line in lines if words in line]


needs_posix = pytest.mark.skipif(os.name == "nt", reason="the fake Python is a shell script")


@needs_posix
def test_a_llama_that_runs_is_installed_once_and_tried_once(
    checkout: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checkout._install_llama()
    assert capsys.readouterr().out == ""
    assert len(asked_of(checkout, "pip install")) == len(asked_of(checkout, "trial_run")) == 1
    assert checkout._install_llama()
    assert len(asked_of(checkout, "pip install")) == 1, "it was there already"


@needs_posix
def test_a_llama_that_this_processor_kills_is_built_again_without_amx(
    checkout: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout.HERE / "dies").write_text("-mno-amx-tile")
    assert checkout._install_llama()
    first, again = asked_of(checkout, "pip install")
    assert first.startswith("|")
    assert "--no-binary llama-cpp-python" in again and "--no-cache-dir" in again and "--no-deps" in again
    arguments = shlex.split(again.split("|")[0])
    flags = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
    assert arguments[-2:] == [f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags}"]
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 2
    assert "killed by SIGILL" in told[0] and "built without AMX" in told[1] and "models run now" in told[1]


@needs_posix
def test_a_llama_that_dies_in_every_build_is_said_in_a_sentence(
    checkout: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout.HERE / "dies").write_text("nothing helps")
    assert not checkout._install_llama()
    assert len(asked_of(checkout, "pip install")) == 2, "it is built again once, not for ever"
    assert "without AMX as well, so no model can run." in capsys.readouterr().out


@needs_posix
def test_a_llama_that_cannot_be_built_says_how_to_get_it(
    checkout: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout.HERE / "no-compiler").touch()
    assert not checkout._install_llama()
    assert "llama-cpp-python could not be built" in capsys.readouterr().out
    assert asked_of(checkout, "trial_run") == []


def test_what_is_in_cmake_args_already_stays(checkout: types.ModuleType) -> None:
    """Read in a process of its own: the variable is the environment's."""
    code = "import main; print(main._cmake_arguments_without_amx())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "CMAKE_ARGS": "-DGGML_CUDA=on"},
    )  # fmt: skip
    assert shlex.split(done.stdout)[0] == "-DGGML_CUDA=on"
    assert len(shlex.split(done.stdout)) == 3


def test_a_word_that_is_a_file_opens_the_window_and_a_command_stays_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("x", "utf-8")
    (tmp_path / "ask").mkdir()  # of the name of a command
    assert _names_files("notes.txt")
    assert _names_files(str(tmp_path / "ask"))
    assert not any(map(_names_files, ("ask", "missing.txt", "--json", "")))
