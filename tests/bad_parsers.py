"""Parsers that misbehave, for the process that reads files: `Reader(module="tests.bad_parsers")`."""

import faulthandler
import os
import re
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rag.errors import DocumentError
from rag.parsing import formats, worker
from rag.parsing.assemble import TextBuilder
from rag.parsing.rows import ParsedDocument


def document(text: str, builder: TextBuilder | None = None) -> ParsedDocument:
    return ParsedDocument("title", "text/plain", text, builder.places if builder else ())


def sleeps(path: Path) -> ParsedDocument:
    """Hang without taking the processor."""
    time.sleep(600)
    return document("woke up")


def spins(path: Path) -> ParsedDocument:
    """Hang inside a library that never lets Python run."""
    re.match(r"(a|a)*b", "a" * 64)
    return document("ended")


def eats(path: Path) -> ParsedDocument:
    """Ask for more and more memory, as Python does."""
    held = []
    while True:
        held.append(bytearray(1 << 20))


def blames_the_file(path: Path) -> ParsedDocument:
    """Say that the file is damaged, as lxml does where it gets no memory."""
    held = []
    try:
        while True:
            held.append(bytearray(1 << 20))
    except MemoryError as error:
        del held
        raise ValueError("unexpected end") from error


def keeps_much(path: Path) -> ParsedDocument:
    """Need much memory for a moment."""
    return document(f"{os.getpid()} {len(bytearray(100_000_000))}")


def aborts(path: Path) -> ParsedDocument:
    """End as a library does that gets no memory."""
    os.abort()


def is_killed(path: Path) -> ParsedDocument:
    """End as the system's killer ends a process."""
    os.kill(os.getpid(), signal.SIGKILL)
    return document("lived")


def faults(path: Path) -> ParsedDocument:
    """Read from an address that there is not."""
    faulthandler._sigsegv()
    return document("lived")


def leaves(path: Path) -> ParsedDocument:
    """Leave Python by its own way."""
    sys.exit(3)


def says_much(path: Path) -> ParsedDocument:
    """Make more text than is taken."""
    return document("far too much text " * 200_000)


def is_loud(path: Path) -> ParsedDocument:
    """Print where answers go, from Python and from C."""
    print("warning: this looks odd", flush=True)
    os.write(1, b"warning: " * 1000)
    return document("what it says")


def makes_progress(path: Path) -> ParsedDocument:
    """Finish a page now and then, until the file's own number of pages is read."""
    builder = TextBuilder()
    for number in range(int(path.read_text())):
        time.sleep(0.1)
        builder.add("page", number + 1, f"page {number + 1}", "words")
    return document(builder.text, builder)


@dataclass(frozen=True)
class Evil(ParsedDocument):
    """A document that runs code where it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("echo code of the document ran >&2; touch code-ran",)


def takes_over(path: Path) -> ParsedDocument:
    return Evil("title", "text/plain", "text", ())


def panics(path: Path) -> ParsedDocument:
    """Raise what no `except Exception` catches, as a library in Rust does."""
    raise BaseException("PanicException")


def refuses(path: Path) -> ParsedDocument:
    raise DocumentError("The file is not to its taste.")


def tells_its_number(path: Path) -> ParsedDocument:
    return document(f"{os.getpid()} {os.getppid()}")


PARSERS = {
    "sleeps": sleeps,
    "spins": spins,
    "eats": eats,
    "blames": blames_the_file,
    "keeps": keeps_much,
    "aborts": aborts,
    "killed": is_killed,
    "faults": faults,
    "leaves": leaves,
    "much": says_much,
    "loud": is_loud,
    "pages": makes_progress,
    "evil": takes_over,
    "panics": panics,
    "refuses": refuses,
    "number": tells_its_number,
}

if __name__ == "__main__":
    formats.SUPPORTED.update(PARSERS)
    worker.main()
