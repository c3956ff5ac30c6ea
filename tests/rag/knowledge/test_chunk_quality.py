"""Chunks that need a look, near-duplicates, and the map."""

from pathlib import Path

import pytest
from fakes import drive
from hypothesis import given
from hypothesis import strategies as st
from versions_of_a import chunk_of, documents_of

from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.errors import NotFoundError
from rag.knowledge.chunk_quality import judge_text, near_duplicates, near_duplicates_of, suspicious_chunks
from rag.knowledge.edits import exclude_chunks
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import SuspectKind, get_collection, list_chunks, list_documents, read_chunk_use
from rag.workspace import Workspace

GOOD = (
    "The tide at Bremen rises 3.5 metres. Boats leave at noon.",
    "def main() -> None:\n    print('hello')\n    return None\n",
    "| year | value |\n|------|-------|\n| 2019 | 12.5 |\n| 2020 | 13.1 |",
    "富士山は日本一高い山です。標高は3776メートルです。",
    "Привет, мир! Это обычный текст на русском языке.",
    "NATO and HTTP and TCP are known by their letters in many texts.",
)
BAD = {
    "garbled": (
        "%&/(§$ )(=?{]}[ ~#'* ;:_+ §$%&/ ()=? {[]} a",
        "\ufffd\ufffd\ufffd text \ufffd\ufffd with holes \ufffd",
        "xkcd qwrt zpfg hjkl bnmt vcxz sdfg wrtp ghjk mnbv lkjh normal",
        "T h e t i d e a t B r e m e n r i s e s",
    ),
    "nearly empty": ("12", "- 3 -", "Page 4"),
}


@pytest.mark.parametrize("text", GOOD)
def test_proper_text_is_left_alone(text: str) -> None:
    assert judge_text(text) == (None, "")


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in BAD.items() for text in texts])
def test_bad_text_is_named(kind: str, text: str) -> None:
    assert judge_text(text)[0] == kind


@given(st.text(max_size=300))
def test_any_text_can_be_judged(text: str) -> None:
    kind, detail = judge_text(text)
    assert bool(kind) == bool(detail)


def test_suspects_and_boilerplate_of_a_version(workspace: Workspace, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.md").write_text(
            f"# Report {number}\n\nItem {number} weighs {number * 7} grams in this report.\n\n"
            "# Notice\n\nThis report is confidential and must not be copied without permission.\n", "utf-8"
        )  # fmt: skip
    (tmp_path / "noise.txt").write_text("%&/(§$ )(=?{]}[ ~#'* ;:_+ §$%&/ ()=? {[]} a", "utf-8")
    drive(ingest_files(workspace, "A", [tmp_path]))
    suspects = drive(suspicious_chunks(workspace, "A"))
    kinds = sorted((s.kind, s.document) for s in suspects)
    assert ("garbled", "noise.txt") in kinds
    assert [k for k in kinds if k[0] == "boilerplate"] == [("boilerplate", f"{n}.md") for n in range(3)]
    garbled = next(s for s in suspects if s.kind == "garbled")
    drive(exclude_chunks(workspace, "A", [garbled.chunk_id], "noise"))
    assert all(s.kind != "garbled" for s in drive(suspicious_chunks(workspace, "A")))


def test_near_duplicates_are_found_and_equal_texts_are_not_called_so(
    workspace: Workspace, tmp_path: Path
) -> None:
    text = "The harbour of Bremen is open every day from six until ten and has nine cranes for heavy goods"
    (tmp_path / "a.txt").write_text(text, "utf-8")
    (tmp_path / "b.txt").write_text(text + " today", "utf-8")
    (tmp_path / "same.txt").write_text(text, "utf-8")
    (tmp_path / "other.txt").write_text("Sirius is the brightest star of all.", "utf-8")
    drive(ingest_files(workspace, "A", [tmp_path]))
    pairs = drive(near_duplicates(workspace, "A"))
    assert {(p.document, p.other_document) for p in pairs} in ({("a.txt", "b.txt")}, {("b.txt", "a.txt")})
    one = pairs[0]
    assert 0.95 <= one.similarity < 1
    found = near_duplicates_of(workspace, "A", one.chunk_id)
    assert one.other_id in {f.other_id for f in found}
    assert near_duplicates_of(workspace, "A", 999) == []
    row = get_collection(workspace.database, "A")
    a = next(d for d in list_documents(workspace.database, row.active_version_id or 0) if d.name == "a.txt")
    use = read_chunk_use(
        workspace.database, row.active_version_id or 0, list_chunks(workspace.database, a.id)[0].id
    )
    assert [twin[1] for twin in use.duplicates] == ["same.txt"]


def test_a_chunk_knows_the_traces_that_used_it(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    result = drive(answer_question(workspace, Question("What does rye bread need?", "A")))
    row = get_collection(workspace.database, "A")
    bread = next(
        d for d in list_documents(workspace.database, row.active_version_id or 0) if d.name == "bread.md"
    )
    use = read_chunk_use(
        workspace.database, row.active_version_id or 0, list_chunks(workspace.database, bread.id)[0].id
    )
    assert (use.candidate_count, use.prompt_count) == (1, 1)
    assert use.cited == ((result.trace_id, "What does rye bread need?"),)
    assert use.excluded is None


# --- the rules, one by one --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("\ufffd\ufffd tide", "2 characters that are not text"),
        ("§§§§§§§§§§§§§ab", "13 % letters and digits"),
        ("one two", "2 words"),
        ("word", "1 word"),
        ("", "0 words"),
        ("a b c d e f g h i j k l m n", "letters with spaces between them"),
        ("brtsk wrtzk plnmk strwk grmpf nrdlk vrstk qwrtz", "8 of 8 words without a vowel"),
    ],
)
def test_a_judgement_says_by_which_figures(text: str, detail: str) -> None:
    assert judge_text(text)[1] == detail


@pytest.mark.parametrize(
    "text",
    [
        "One broken \ufffd character is no reason to look at a chunk of text.",
        "Antidisestablishmentarianism matters",  # few words, and long enough
        "NATO HTTP TCP UDP SMTP IMAP HTML XML are written in capitals and have no vowels",
        "+---+---+\n| a | b |\n+---+---+\n| c and d | e and f |",
    ],
)
def test_what_only_looks_odd_is_left_alone(text: str) -> None:
    assert judge_text(text) == (None, "")


def test_a_suspect_is_described_for_a_person(ingested: Workspace, tmp_path: Path) -> None:
    noise = "%&/(§$ )(=?{]}[ ~#'* ;:_+ " * 30 + "a"
    (tmp_path / "noise.txt").write_text(noise, "utf-8")
    drive(ingest_files(ingested, "A", [tmp_path / "noise.txt"]))
    suspects = drive(suspicious_chunks(ingested, "A"))
    assert {suspect.kind for suspect in suspects} == {SuspectKind.GARBLED}
    first = suspects[0]
    assert first.chunk_id == chunk_of(ingested, "noise.txt")
    assert (first.document, first.document_id) == ("noise.txt", documents_of(ingested)["noise.txt"].id)
    assert len(first.text) <= 400
    assert drive(suspicious_chunks(ingested, "A", 1)) == []  # the version before it came


def test_a_text_in_two_documents_is_no_boilerplate_yet(ingested: Workspace, tmp_path: Path) -> None:
    notice = "This report is confidential and must not be copied without permission of the office."
    for number in range(2):
        (tmp_path / f"{number}.txt").write_text(notice, "utf-8")
    drive(ingest_files(ingested, "A", [tmp_path / "0.txt", tmp_path / "1.txt"]))
    assert drive(suspicious_chunks(ingested, "A")) == []
    (tmp_path / "2.txt").write_text(notice, "utf-8")
    drive(ingest_files(ingested, "A", [tmp_path / "2.txt"]))
    suspects = drive(suspicious_chunks(ingested, "A"))
    assert [suspect.document for suspect in suspects] == ["0.txt", "1.txt", "2.txt"]
    assert {suspect.detail for suspect in suspects} == {"the same text in 3 documents"}


def test_pairs_are_those_above_the_threshold_best_first(ingested: Workspace, tmp_path: Path) -> None:
    words = "harbour crane goods noon ferry pilot light wind rope anchor deck mast sail wave tide".split()
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(" ".join(words[: len(words) - number]), "utf-8")
    drive(ingest_files(ingested, "A", [tmp_path / f"{number}.txt" for number in range(3)]))
    pairs = drive(near_duplicates(ingested, "A", threshold=0.9))
    assert [{p.document, p.other_document} for p in pairs] == [
        {"0.txt", "1.txt"}, {"1.txt", "2.txt"}, {"0.txt", "2.txt"},
    ]  # fmt: skip
    scores = [pair.similarity for pair in pairs]
    assert scores == sorted(scores, reverse=True)
    assert len(drive(near_duplicates(ingested, "A", threshold=0.965))) == 1
    assert drive(near_duplicates(ingested, "A", 1, threshold=0.9)) == []
    (first, second) = near_duplicates_of(ingested, "A", chunk_of(ingested, "1.txt"))[:2]
    assert {first.other_document, second.other_document} <= {"0.txt", "2.txt"}
    assert first.similarity >= second.similarity


def test_a_version_that_does_not_exist_is_a_sentence(ingested: Workspace) -> None:
    for look in (suspicious_chunks, near_duplicates):
        with pytest.raises(NotFoundError, match="has no version 9"):
            drive(look(ingested, "A", 9))
    with pytest.raises(NotFoundError, match="no collection"):
        near_duplicates_of(ingested, "Z", 1)
