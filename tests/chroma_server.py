"""A Chroma server of its own for tests, on a free port of this machine."""

import contextlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def run_server(folder: Path) -> Iterator[tuple[str, Any]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    beside = Path(sys.executable).with_name("chroma")
    command = [str(beside)] if beside.exists() else [shutil.which("chroma") or "chroma"]
    process = subprocess.Popen(
        [*command, "run", "--path", str(folder), "--port", str(port), "--host", "127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/api/v2/heartbeat", timeout=2).read()
                break
            time.sleep(0.1)
        yield address, process
    finally:
        process.kill()
        process.wait()
