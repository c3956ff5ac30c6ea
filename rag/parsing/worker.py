"""Reads files in a process of their own, so that a bomb ends that process and not the program.

`Reader` is this side: it starts the process when the first file is to be read, uses it for all that follow,
and ends it when a file takes too long, too much memory or makes too much text. `main` is the other side. It
imports the parsers and nothing heavy. The two talk through pipes, so the process ends with the program.

A file that is slow and one that never ends look alike from here. So a parser's finished part (a page, a
sheet, a chapter; see TextBuilder.add) counts as progress, and a large file may take longer than a small one.
"""

from __future__ import annotations

import io
import os
import pickle
import queue
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from rag.errors import DocumentError, RagError, UnsupportedDocumentError
from rag.parsing import assemble
from rag.parsing.formats import LARGEST_FILE, parse_file
from rag.parsing.rows import AccountLine, ParsedDocument, Place

LARGEST_OUTPUT = LARGEST_FILE + (16 << 20)
_POLL_S = 0.2  # between two chances to cancel
_HEAD = 8  # bytes that say how long a message is
_START_S = 60
_TICK_S = 0.5  # between two words of progress
_LIMITS_ITSELF = sys.platform.startswith("linux")
_NO_START = "The process that reads files could not be started"
_ROOT = Path(__file__).resolve().parents[2]


class Why(StrEnum):
    """What a file did to the process that read it."""

    TIME = "time"
    MEMORY = "memory"
    OUTPUT = "output"
    CRASH = "crash"


class ReaderStoppedError(DocumentError):
    """A failure of a file that ended the process that read it, or would have."""

    def __init__(self, sentence: str, why: Why) -> None:
        super().__init__(sentence)
        self.why = why


@dataclass(frozen=True)
class Limits:
    """What reading one file may take.

    Attributes:
        memory_bytes: More memory than the process has at its start.
        seconds: Without progress, and in all; a large file gets more of both.
        idle_s_per_mb: Seconds more without progress, for each MB of the file.
        total_s_per_mb: Seconds more in all, for each MB of the file.
        output_bytes: Text and places, as they are sent; a large file gets more, up to LARGEST_OUTPUT.
        output_times: Bytes more of these, for each byte of the file.
    """

    memory_bytes: int = 1_400_000_000
    seconds: float = 50
    idle_s_per_mb: float = 1
    total_s_per_mb: float = 20
    output_bytes: int = 16 << 20
    output_times: float = 10

    def output(self, size_bytes: int) -> int:
        """Return how many bytes of text a file of this size may make."""
        return min(self.output_bytes + int(self.output_times * size_bytes), LARGEST_OUTPUT)

    def idle_s(self, size_bytes: int) -> float:
        """Return how long a file of this size may go without progress."""
        return self.seconds + self.idle_s_per_mb * size_bytes / 1e6

    def total_s(self, size_bytes: int) -> float:
        """Return how long a file of this size may take."""
        return self.seconds + self.total_s_per_mb * size_bytes / 1e6


def check_file(path: Path) -> int:
    """Return the size of a file, without opening it. Raises DocumentError for what must not be opened.

    A pipe or a device has no end; a link may lead to one since the folder was listed.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise DocumentError(f"The file cannot be read: {error.strerror or error}.") from error
    if not stat.S_ISREG(found.st_mode):
        raise DocumentError("It is not a regular file, and only those are read.")
    if found.st_size > LARGEST_FILE:
        raise DocumentError(
            f"The file has {found.st_size >> 20:,} MB, more than {LARGEST_FILE >> 20} MB; "
            "split it, or extract its text first."
        )
    return found.st_size


# --- this side --------------------------------------------------------------------------------------------


class Reader:
    """The process that reads files, started when it is needed. Not for two threads at once."""

    def __init__(
        self,
        limits: Limits | None = None,
        watch: Callable[[int], int] | None = None,
        module: str = "rag.parsing.worker",
    ) -> None:
        """Start nothing yet.

        Args:
            limits: Other ones than usual.
            watch: Returns the bytes of memory that the process with a number has. Linux limits a process by
                itself, so none is needed there.
            module: What the process runs.
        """
        self.limits = limits or Limits()
        self._module = module
        self._is_ready = False  # whether the process has said so
        self._watch = watch or (None if _LIMITS_ITSELF else _resident_bytes)
        self._process: subprocess.Popen[bytes] | None = None
        self._inbox: queue.Queue[bytes | None] = queue.Queue()

    @property
    def process_id(self) -> int | None:
        """The process's number in the system, None while there is none."""
        return self._process.pid if self._process is not None else None

    def read(self, path: Path) -> Generator[None, None, ParsedDocument]:
        """Return the text of a file; see rag.parsing.formats.parse_file. Closing the generator cancels it.

        Raises:
            UnsupportedDocumentError: Its kind is not read.
            ReaderStoppedError: It took too long, too much memory, made too much text, or crashed its parser.
            DocumentError: It cannot be read for another reason.
            RagError: The process does not start, which is not the file's fault.
        """
        size = check_file(path)
        done = False
        try:
            self.start()
            self._send((str(path), self.limits.idle_s(size), self.limits.output(size)))
            kind, value, may_stay = yield from self._answer(size)
            done = may_stay and kind != "stopped"
        finally:
            if not done:  # also when it was cancelled: the parser would go on
                self.close()
        if kind == "document":
            assert isinstance(value, ParsedDocument)
            return value
        if kind == "stopped":
            raise self._stopped(Why(value), size)
        raise UnsupportedDocumentError(value) if kind == "unsupported" else DocumentError(value)

    def start(self) -> None:
        """Start the process, unless there is one: it is ready a moment later."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process, self._is_ready = self._make_process(), False
            self._inbox = queue.Queue()
            assert self._process.stdout is not None
            threading.Thread(
                target=_receive,
                args=(self._process.stdout, self._inbox),
                name="reader",
                daemon=True,
            ).start()

    def close(self) -> None:
        """End the process. The next file starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()  # or it would stay as a zombie
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what was not sent any more
                pipe.close()

    def _make_process(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [sys.executable, "-m", self._module, str(self.limits.memory_bytes)],
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # libraries print what they think of damaged files
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise RagError(f"{_NO_START} ({error.strerror}).") from error

    def _send(self, request: tuple[str, float, int]) -> None:
        assert self._process is not None and self._process.stdin is not None
        with suppress(OSError):  # it has just died: the answer says so
            self._process.stdin.write(pickle.dumps(request))
            self._process.stdin.flush()

    def _answer(self, size: int) -> Generator[None, None, tuple[str, Any, bool]]:
        """Return what the process says: (kind, value, whether it may read another file)."""
        began = last = time.monotonic()
        while True:
            try:
                message = self._inbox.get(timeout=_POLL_S)
            except queue.Empty:
                now = time.monotonic()
                if not self._is_ready:
                    if now - began > _START_S:
                        raise RagError(f"{_NO_START} in time; close other programs and try again.") from None
                elif now - last > self.limits.idle_s(size) or now - began > self.limits.total_s(size):
                    return "stopped", Why.TIME, False
                if self._takes_too_much():
                    return "stopped", Why.MEMORY, False
                yield
                continue
            if message is None:
                return "stopped", self._why_it_died(), False
            if message:
                return _unpickled(message)
            last = time.monotonic()
            if not self._is_ready:
                began, self._is_ready = last, True

    def _takes_too_much(self) -> bool:
        assert self._process is not None
        watched = self._watch(self._process.pid) if self._watch and self._process.poll() is None else 0
        return watched > self.limits.memory_bytes

    def _why_it_died(self) -> Why:
        """Return what ended the process. Libraries that get no memory abort; so does the system's killer."""
        assert self._process is not None
        code = self._process.wait()
        if not self._is_ready:
            raise RagError(f"{_NO_START} (it ended with {code}); run `ragdeck doctor` to check the program.")
        if hasattr(signal, "SIGALRM") and code == -signal.SIGALRM:
            return Why.TIME
        names = ("SIGABRT", "SIGKILL", "SIGTRAP", "SIGILL")
        ended = {-int(getattr(signal, name)) for name in names if hasattr(signal, name)}
        return Why.MEMORY if code in ended else Why.CRASH

    def _stopped(self, why: Why, size: int) -> ReaderStoppedError:
        reasons = {
            Why.TIME: "it took too long",
            Why.MEMORY: f"it needs more than {self.limits.memory_bytes / 1e9:.1f} GB",
            Why.OUTPUT: f"it makes more than {self.limits.output(size) >> 20:,} MB of text",
            Why.CRASH: "it crashes the program that reads it",
        }
        return ReaderStoppedError(
            f"The file was left out because it stopped the reader ({why}): {reasons[why]}; split it, or save "
            "it again in its own program.",
            why,
        )


def _receive(stream: IO[bytes], inbox: queue.Queue[bytes | None]) -> None:
    """Put messages into the inbox until the process ends, then None. This runs in a thread of its own."""
    try:
        while len(head := stream.read(_HEAD)) == _HEAD:
            size = int.from_bytes(head, "little")
            if size > LARGEST_OUTPUT:
                break
            message = stream.read(size)
            if len(message) < size:
                break
            inbox.put(message)
    except (OSError, ValueError):
        pass  # the pipe was closed at this end
    inbox.put(None)


def _resident_bytes(process_id: int) -> int:
    import psutil

    try:
        return int(psutil.Process(process_id).memory_info().rss)
    except psutil.Error:
        return 0  # it has just ended


def _unpickled(message: bytes) -> tuple[str, Any, bool]:
    try:
        kind, value, may_stay = _Unpickler(io.BytesIO(message)).load()
    except Exception:  # a process that a file has taken over may say anything
        return "stopped", Why.CRASH, False
    return kind, value, may_stay


class _Unpickler(pickle.Unpickler):
    """An unpickler that makes documents and nothing else."""

    _ALLOWED = {(kind.__module__, kind.__name__): kind for kind in (ParsedDocument, Place, AccountLine)}

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._ALLOWED[module, name]
        except KeyError as error:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a document") from error


# --- the other side ---------------------------------------------------------------------------------------


def main() -> None:
    """Read the files that are named on stdin, until it is closed. Answers go to stdout."""
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the other side
    memory_bytes = int(sys.argv[1])
    limit = _limit_memory(memory_bytes)
    _write(answers, b"")  # it has started
    while True:
        try:
            path, idle_s, output_bytes = pickle.load(requests)
        except EOFError:
            return  # the other side is gone
        heartbeat = _Heartbeat(answers, idle_s)
        assemble.heartbeat = heartbeat.beat
        reply = _reply(Path(path), output_bytes, limit)
        heartbeat.stop()
        _write(answers, reply)


def _reply(path: Path, output_bytes: int, limit: _Memory) -> bytes:
    """Return (kind, value, whether another file may be read), pickled."""
    try:
        kind, value = _read(path, limit)
        # One that has grown is replaced: what it keeps would count against the next file.
        reply = pickle.dumps((kind, value, not limit.is_half_used()))
    except MemoryError:
        return pickle.dumps(("stopped", str(Why.MEMORY), False))
    if len(reply) > output_bytes:
        return pickle.dumps(("stopped", str(Why.OUTPUT), False))
    return reply


def _read(path: Path, limit: _Memory) -> tuple[str, Any]:
    try:
        check_file(path)
        return "document", parse_file(path)
    except UnsupportedDocumentError as error:
        return "unsupported", str(error)
    except DocumentError as error:
        # A library that gets no memory may well say that the file is damaged.
        if isinstance(error.__cause__, MemoryError) or (error.__cause__ and limit.is_used_up()):
            raise MemoryError from error
        return "failed", str(error)
    except MemoryError:
        raise
    except BaseException:  # a panic of a library in Rust is no Exception
        return "stopped", str(Why.CRASH)


class _Heartbeat:
    """Says that a file makes progress, and ends this process when it makes none and nobody waits any more.

    The other side ends a process that is too slow. When that side has been killed, an alarm does: it ends
    the process also inside a library.
    """

    def __init__(self, answers: IO[bytes], idle_s: float) -> None:
        self._answers, self._alarm_s = answers, 1.2 * idle_s + 1
        self._last = time.monotonic()
        self._set_alarm(self._alarm_s)

    def beat(self) -> None:
        now = time.monotonic()
        if now - self._last > _TICK_S:
            self._last = now
            self._set_alarm(self._alarm_s)
            _write(self._answers, b"")

    def stop(self) -> None:
        self._set_alarm(0)

    def _set_alarm(self, seconds: float) -> None:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, seconds)


def _write(answers: IO[bytes], message: bytes) -> None:
    answers.write(len(message).to_bytes(_HEAD, "little"))
    answers.write(message)
    answers.flush()


@dataclass(frozen=True)
class _Memory:
    """What this process had at its start and may have more, in bytes of its address space."""

    begun_bytes: int
    more_bytes: int

    def is_half_used(self) -> bool:
        return _most_bytes() > self.begun_bytes + self.more_bytes // 2

    def is_used_up(self) -> bool:
        return _most_bytes() > self.begun_bytes + 0.9 * self.more_bytes


def _limit_memory(more_bytes: int) -> _Memory:
    """Let this process have so much more memory than it has."""
    found = _Memory(_most_bytes(), more_bytes)
    if _LIMITS_ITSELF:
        import resource

        soft = found.begun_bytes + more_bytes
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (soft if hard < 0 else min(soft, hard), hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    return found


def _most_bytes() -> int:
    """Return the largest size that this process's address space had, 0 where the system does not say."""
    if not _LIMITS_ITSELF:
        return 0
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmPeak:")[2].split()[0]) * 1024


if __name__ == "__main__":
    main()
