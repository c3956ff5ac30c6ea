"""A file that ends the process that reads it ends nothing else."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import drive

from rag.errors import DocumentError, RagError, UnsupportedDocumentError
from rag.parsing.formats import LARGEST_FILE, parse_file
from rag.parsing.worker import LARGEST_OUTPUT, Limits, Reader, ReaderStoppedError, Why, check_file

ROOT = Path(__file__).resolve().parents[3]
QUICK = Limits(memory_bytes=150_000_000, seconds=1.5, output_bytes=1 << 20, output_times=0)
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the system as Linux does")


@pytest.fixture(scope="module")
def bad() -> Iterator[Reader]:
    """A reader whose parsers misbehave; see tests/bad_parsers.py."""
    made = Reader(QUICK, module="tests.bad_parsers")
    yield made
    made.close()


def a_file(folder: Path, suffix: str, text: str = "some text") -> Path:
    made = folder / f"file.{suffix}"
    made.write_text(text, "utf-8")
    return made


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def gone(process_id: int, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end and is_alive(process_id):
        time.sleep(0.05)
    return not is_alive(process_id)


def test_what_the_process_reads_is_what_is_read_here(tmp_path: Path) -> None:
    files = [
        a_file(tmp_path, "md", "# Bread\n\nRye \udc80 needs 知識.\n".encode("utf-8", "replace").decode()),
        a_file(tmp_path, "csv", "Item,Price\nA,1\nB,2\n"),
        a_file(tmp_path, "html", "<h1>A</h1><p>B <b>C</b></p>"),
    ]
    reader = Reader()
    try:
        numbers = set()
        for path in files:
            assert drive(reader.read(path)) == parse_file(path)
            numbers.add(reader.process_id)
        assert len(numbers) == 1, "a process for each file"
    finally:
        reader.close()
    assert reader.process_id is None


def test_refusals_are_the_same_sentences_and_the_process_stays(tmp_path: Path) -> None:
    reader = Reader()
    try:
        empty = a_file(tmp_path, "txt", "")
        with pytest.raises(DocumentError, match=r"^The file is empty\.$"):
            drive(reader.read(empty))
        first = reader.process_id
        with pytest.raises(UnsupportedDocumentError):
            drive(reader.read(a_file(tmp_path, "pages", "x")))
        assert reader.process_id == first
    finally:
        reader.close()


@pytest.mark.parametrize(
    ("suffix", "why"),
    [
        ("sleeps", Why.TIME),
        ("spins", Why.TIME),
        pytest.param("eats", Why.MEMORY, marks=linux),
        pytest.param("blames", Why.MEMORY, marks=linux),
        pytest.param("aborts", Why.MEMORY, marks=linux),
        pytest.param("killed", Why.MEMORY, marks=linux),
        ("faults", Why.CRASH),
        ("leaves", Why.CRASH),
        ("panics", Why.CRASH),
        ("evil", Why.CRASH),
        ("much", Why.OUTPUT),
    ],
)
def test_a_file_that_ends_the_process_is_one_sentence_and_the_next_one_is_read(
    bad: Reader, tmp_path: Path, suffix: str, why: Why
) -> None:
    path = a_file(tmp_path, suffix)
    began = time.monotonic()
    with pytest.raises(ReaderStoppedError) as found:
        drive(bad.read(path))
    assert time.monotonic() - began < 20
    assert found.value.why == why
    assert str(found.value).startswith(f"The file was left out because it stopped the reader ({why}): ")
    assert bad.process_id is None, "it is used again"
    assert not (ROOT / "code-ran").exists()
    assert drive(bad.read(a_file(tmp_path, "txt"))).text == "some text"


@linux
def test_a_process_that_has_grown_is_replaced(bad: Reader, tmp_path: Path) -> None:
    numbers = {drive(bad.read(a_file(tmp_path, "keeps"))).text for _ in range(3)}
    assert len(numbers) == 3
    assert bad.process_id is None


def test_a_refusal_of_a_parser_is_its_sentence(bad: Reader, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="not to its taste") as found:
        drive(bad.read(a_file(tmp_path, "refuses")))
    assert not isinstance(found.value, ReaderStoppedError)


def test_what_a_library_prints_is_no_answer(bad: Reader, tmp_path: Path) -> None:
    assert drive(bad.read(a_file(tmp_path, "loud"))).text == "what it says"


def test_a_long_file_that_makes_progress_is_read(bad: Reader, tmp_path: Path) -> None:
    reader = Reader(Limits(seconds=1.5, total_s_per_mb=1e7), module="tests.bad_parsers")
    try:
        pages = drive(reader.read(a_file(tmp_path, "pages", "25"))).places
        assert len(pages) == 25
    finally:
        reader.close()
    with pytest.raises(ReaderStoppedError, match=r"\(time\)"):  # but not for ever
        drive(bad.read(a_file(tmp_path, "pages", "600")))


def test_a_large_file_may_take_longer() -> None:
    limits = Limits()
    assert limits.idle_s(0) == limits.total_s(0) <= 60
    assert limits.idle_s(100_000_000) > 100
    assert limits.total_s(100_000_000) > 1000
    assert limits.output(1000) < 20_000_000
    assert limits.output(10_000_000) > 100_000_000
    assert limits.output(LARGEST_FILE) == LARGEST_OUTPUT > LARGEST_FILE


@pytest.mark.skipif(os.name == "nt", reason="asks for signals")
def test_cancelling_ends_the_process_and_leaves_no_zombie(bad: Reader, tmp_path: Path) -> None:
    reading = bad.read(a_file(tmp_path, "sleeps"))
    next(reading)
    process_id = bad.process_id
    assert process_id is not None and is_alive(process_id)
    reading.close()
    assert not is_alive(process_id), "a zombie answers as well"
    assert bad.process_id is None


@linux
@pytest.mark.parametrize("suffix", ["number", "sleeps", "spins"])
def test_the_process_ends_with_the_program_however_that_ends(tmp_path: Path, suffix: str) -> None:
    """Killed between two files or during one: also inside a library, where an alarm ends it."""
    code = (
        "import os, sys, signal; from pathlib import Path\n"
        "sys.path[:0] = ['tests']\n"
        "from rag.parsing.worker import Limits, Reader\n"
        "reader = Reader(Limits(seconds=1), module='tests.bad_parsers')\n"
        "reading = reader.read(Path(sys.argv[1]))\n"
        "try:\n    next(reading)\nexcept StopIteration: pass\n"
        "print(reader.process_id, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(a_file(tmp_path, suffix))], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == -9, done.stderr
    assert gone(int(done.stdout), within_s=20)


@linux
def test_memory_is_watched_where_the_system_does_not_limit_it(tmp_path: Path) -> None:
    watched: list[int] = []

    def watch(process_id: int) -> int:
        watched.append(process_id)
        return 10**12 if len(watched) > 2 else 0

    reader = Reader(watch=watch, module="tests.bad_parsers")
    with pytest.raises(ReaderStoppedError, match=r"\(memory\): it needs more than 1\.4 GB"):
        drive(reader.read(a_file(tmp_path, "sleeps")))
    assert len(watched) == 3


def test_a_process_that_does_not_start_is_not_the_fault_of_a_file(tmp_path: Path) -> None:
    reader = Reader(module="rag.there_is_no_such_module")
    with pytest.raises(RagError, match="could not be started") as found:
        drive(reader.read(a_file(tmp_path, "txt")))
    assert not isinstance(found.value, DocumentError)
    assert reader.process_id is None


def test_a_process_that_died_between_two_files_is_replaced(bad: Reader, tmp_path: Path) -> None:
    drive(bad.read(a_file(tmp_path, "txt")))
    assert bad._process is not None
    bad._process.kill()
    bad._process.wait()
    assert drive(bad.read(a_file(tmp_path, "txt"))).text == "some text"


def test_the_process_imports_no_model_and_no_index() -> None:
    code = (
        "import sys; sys.argv = ['', '1000000000']\n"
        "import rag.parsing.worker as worker\n"
        "heavy = ('torch', 'chromadb', 'sentence_transformers', 'transformers', 'tokenizers', 'sqlmodel', 'numpy')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")
@pytest.mark.parametrize(
    "make", [lambda p: os.mkfifo(p), lambda p: p.symlink_to("/dev/zero"), lambda p: p.mkdir()]
)
def test_pipes_devices_and_folders_are_refused_before_they_are_opened(tmp_path: Path, make: object) -> None:
    path = tmp_path / "pipe.txt"
    make(path)  # type: ignore[operator]
    with pytest.raises(DocumentError, match="not a regular file"):
        drive(Reader().read(path))


def test_a_file_that_is_too_large_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(DocumentError, match="more than 200 MB"):
        check_file(path)
    with pytest.raises(DocumentError, match="cannot be read"):
        check_file(tmp_path / "gone.txt")
