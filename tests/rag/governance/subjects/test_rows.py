"""What a search for a person found, in words."""

from rag.governance.subjects.rows import SubjectHit, SubjectReport


def test_what_is_not_listed_is_counted() -> None:
    hit = SubjectHit("t", "c", 1, "1", "written", "x", "x")
    assert "the first 1 are listed" in SubjectReport((hit,), 5, 2, left_out=3).sentence()
    assert SubjectReport((hit,), 5, 2).sentence().startswith("1 text in 1 table mentions it;")
