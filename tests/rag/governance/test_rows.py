"""The report of an erasure says what was erased and whether anything is left, in one sentence."""

from dataclasses import replace

from rag.governance.rows import ErasureReport, ErasureState

REPORT = ErasureReport(
    documents=("secret.txt",), revisions=2, chunks=5, versions=3, traces=1, files_searched=12, bytes_searched=4096,
    sentences=1_500, shared=1, found=(), notes=(),
)  # fmt: skip


def test_a_clean_erasure_says_what_was_searched() -> None:
    assert REPORT.clean
    assert REPORT.sentence() == (
        "Erased 2 revisions from 3 versions and 1 trace; a search through 12 files found none of its 1,500 sentences."
    )


def test_what_was_found_is_counted() -> None:
    left = replace(REPORT, found=(("ragdeck.sqlite: evaluationset.name", "A sentence."),))
    assert not left.clean
    assert left.sentence().endswith("; 1 place in the data folder still contains a sentence of it.")
    assert "2 places in the data folder still contain" in replace(left, found=left.found * 2).sentence()


def test_a_document_without_a_sentence_of_its_own_was_not_searched_for() -> None:
    assert "no sentence of its own" in replace(REPORT, sentences=0).sentence()


def test_states_are_stored_as_words() -> None:
    assert [str(state) for state in ErasureState] == ["cleaning", "done"]
