"""Real programs of others that tests talk to, each in an environment of its own that a variable names."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PHOENIX = "RAGDECK_PHOENIX"  # python -m venv DIR; DIR/bin/pip install arize-phoenix
INSTRUMENTED = (
    "RAGDECK_INSTRUMENTED"  # python -m venv DIR; DIR/bin/pip install -r benchmarks/peers-requirements.txt
)


def environment_of(variable: str) -> Path:
    """Return the environment that a variable names; without one the test is skipped, and says what it needs."""
    named = os.environ.get(variable, "")
    if not named:
        pytest.skip(
            f"{variable} names no virtual environment; see tests/counterparts.py for what it has to contain"
        )
    found = Path(named)
    assert (found / "bin" / "python").exists(), f"{variable}={named} is no virtual environment"
    return found


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running_phoenix(environment: Path, folder: Path) -> Iterator[str]:
    """Run a Phoenix on this computer, with its data in a folder; yield its address."""
    port = free_port()
    variables = {
        **os.environ, "PHOENIX_WORKING_DIR": str(folder), "PHOENIX_PORT": str(port), "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_GRPC_PORT": str(free_port()), "PHOENIX_TELEMETRY_ENABLED": "false",
    }  # fmt: skip
    log = folder / "phoenix.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [environment / "bin" / "phoenix", "serve"],
            stdout=output,
            stderr=output,
            env=variables,
            cwd=folder,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 180
        while True:
            try:
                with urllib.request.urlopen(f"{address}/v1/projects", timeout=5):
                    break
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline, log.read_text(
                    "utf-8", "replace"
                )
                time.sleep(0.2)
        yield address
    finally:
        server.kill()
        server.wait()
