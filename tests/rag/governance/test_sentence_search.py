"""Searching for sentences: in texts, in JSON, and in the bytes of files."""

import io
import json
import random
from pathlib import Path

import pytest
from fakes import drive
from hypothesis import given
from hypothesis import strategies as st

from rag.governance.sentence_search import Sentences, search_files, sentences_of

SENTENCE = "The “quoted” path C:\\temp is für alle."


@given(
    st.lists(st.text(alphabet="abcdefgh ", min_size=24, max_size=60), min_size=1, max_size=20, unique=True),
    st.integers(0, 2**32),
)
def test_the_search_finds_exactly_the_sentences_that_are_there(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[str], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("search")
    generator = random.Random(seed)
    data = generator.randbytes(generator.randint(0, 300))
    for sentence in sentences[::2]:
        data += sentence.encode() + generator.randbytes(generator.randint(0, 50))
    (folder / "file.bin").write_bytes(data)
    found, files, size = drive(search_files(folder, sentences))
    assert {sentence for _, sentence in found} == {s for s in sentences if s.encode() in data}
    assert (files, size) == (1, len(data))


def test_sentences_end_at_marks_and_lines_and_short_ones_say_nothing() -> None:
    text = "Thank you. This sentence is long enough to count! Is this one too, or is it not?\nA line without an end"
    assert sentences_of(text) == {
        "This sentence is long enough to count!",
        "Is this one too, or is it not?",
        # 21 bytes are too few: "A line without an end"
    }
    assert sentences_of("船は正午に港を出て、夕方に戻ります。雨です。") == {
        "船は正午に港を出て、夕方に戻ります。"
    }
    assert sentences_of("") == set()


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_sentence_is_found_and_cut_in_json_which_stays_json(ascii_only: bool) -> None:
    wanted = Sentences([SENTENCE])
    text = json.dumps({"note": f"He said: {SENTENCE} Twice: {SENTENCE}"}, ensure_ascii=ascii_only)
    assert wanted.found_in(text) == {SENTENCE}
    assert json.loads(wanted.cut_from(text, "[x]")) == {"note": "He said: [x] Twice: [x]"}


def test_a_sentence_is_cut_from_plain_text_and_the_longest_first() -> None:
    short, long = "The boat leaves at noon today", "The boat leaves at noon today and returns."
    wanted = Sentences([short, long])
    assert wanted.cut_from(f"{long} {short}.", "-") == "- -."
    assert wanted.found_in(f"{long}") == {short, long}


def test_a_text_without_the_sentences_stays_as_it_is() -> None:
    wanted = Sentences([SENTENCE])
    for text in ("", "short", "The quoted path C:\\temp is für alle and somewhat longer than before."):
        assert wanted.found_in(text) == set()
        assert wanted.cut_from(text, "-") == text


def test_no_sentences_are_found_nowhere() -> None:
    nothing = Sentences([])
    assert nothing.found_in("any text of some length, and more") == set()
    assert nothing.found_in_file(io.BytesIO(b"x" * 100)) == set()


def test_a_sentence_across_two_blocks_of_a_file_is_found() -> None:
    wanted = Sentences([SENTENCE])
    for shift in (1, 7, 20, len(SENTENCE.encode()) - 1):
        data = b"." * ((1 << 22) - shift) + SENTENCE.encode() + b"."
        assert wanted.found_in_file(io.BytesIO(data)) == {SENTENCE}, shift


def test_files_are_named_by_their_place_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "b.bin").write_bytes(b"\x00" + SENTENCE.encode())
    (tmp_path / "a.json").write_text(json.dumps(SENTENCE))
    (tmp_path / "c.txt").write_text("nothing")
    found, files, size = drive(search_files(tmp_path, [SENTENCE]))
    assert found == [("a.json", SENTENCE), ("below/b.bin", SENTENCE)]
    assert files == 3
    assert size == sum(path.stat().st_size for path in tmp_path.rglob("*.*") if path.is_file())
