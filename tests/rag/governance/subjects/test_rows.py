"""What a search for a person found, in words."""

import pytest

from rag.governance.subjects.rows import SubjectHit, SubjectReport


def test_what_is_not_listed_is_counted() -> None:
    hit = SubjectHit("t", "c", 1, "1", "written", "x", "x")
    assert "the first 1 are listed" in SubjectReport((hit,), 5, 2, left_out=3).sentence()
    assert SubjectReport((hit,), 5, 2).sentence().startswith("1 text in 1 table mentions it;")


def found(count: int, left_out: int = 0, tables: int = 1) -> SubjectReport:
    hits = tuple(
        SubjectHit(f"t{number % tables}", "c", number, str(number), "written", "x", "x")
        for number in range(count)
    )
    return SubjectReport(hits, 1234, 1, left_out)


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (found(0), "Nothing mentions it; 1,234 texts in 1 column were searched."),
        (found(1), "1 text in 1 table mentions it; 1,234 texts in 1 column were searched."),
        (found(2), "2 texts in 1 table mention it; 1,234 texts in 1 column were searched."),
        (found(3, tables=2), "3 texts in 2 tables mention it; 1,234 texts in 1 column were searched."),
        (
            found(2, left_out=1998),
            "2,000 texts in 1 table mention it; the first 2 are listed; 1,234 texts in 1 column were searched.",
        ),
    ],
)
def test_what_was_found_is_one_sentence(report: SubjectReport, sentence: str) -> None:
    assert report.sentence() == sentence
