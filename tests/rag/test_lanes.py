"""An operation, and what it is called in the list of running tasks."""

import pytest

from rag.lanes import Lane, Operation


def test_a_title_names_keywords_of_the_call() -> None:
    rename = Operation[None]("rag.a:b", Lane.WRITE, "Rename {old} to {new}")
    assert rename.title_of({"old": "A", "new": "B", "other": 1}) == "Rename A to B"


def test_a_title_without_names_is_that_of_every_call() -> None:
    assert Operation[None]("rag.a:b", Lane.READ, "Look").title_of({"x": 1}) == "Look"


@pytest.mark.parametrize("title", ["Add {files}", "{", "}}", "100 % of {0}"])
def test_another_title_is_shown_as_it_is(title: str) -> None:
    """A name of a person's file may have braces."""
    assert Operation[None]("rag.a:b", Lane.INGEST, "Add").titled(title).title_of({"files": 3}) == title


def test_another_title_changes_nothing_else() -> None:
    before = Operation[None]("rag.a:b", Lane.DATA, "Copy")
    after = before.titled("Copy it")
    assert (after.function, after.lane, before.title) == (before.function, before.lane, "Copy")


def test_lanes_are_known_by_their_names() -> None:
    assert [lane.value for lane in Lane] == ["model", "ingest", "data", "write", "read"]
