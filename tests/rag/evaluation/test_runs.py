"""Runs are started with what exists, found, named, tagged and deleted."""

import pytest
from fakes import drive

from rag.asking.rows import TraceFilter, count_traces
from rag.errors import NotFoundError, RagError
from rag.evaluation import runs
from rag.evaluation.rows import list_runs
from rag.workspace import Workspace
from tests.rag.evaluation.filled import start


def test_what_is_missing_is_said_before_anything_is_asked(filled: Workspace) -> None:
    for arguments, message in (
        (("missing", ["P"]), "no evaluation set"),
        (("S", ["nobody"]), "no pipeline named"),
        (("S", []), "at least one pipeline"),
        (("S", ["P@9"]), "no version 9"),
        (("S", ["P@production"]), "no version of the pipeline"),
    ):
        with pytest.raises(RagError, match=f"(?i){message}"):
            drive(runs.start_runs(filled, *arguments))
    assert list_runs(filled.database) == []


def test_runs_are_named_tagged_and_deleted_with_their_traces(filled: Workspace) -> None:
    first, second = (*start(filled), *start(filled))
    runs.rename_run(filled, first.id, "before", "a note")
    runs.tag_run(filled, first.id, "baseline")
    assert runs.find_run(filled.database, "baseline", "S").id == first.id
    runs.tag_run(filled, second.id, "baseline")
    assert runs.find_run(filled.database, "baseline").id == second.id
    assert runs.find_run(filled.database, str(first.id)).name == "before"
    runs.untag_run(filled, second.id, "baseline")
    with pytest.raises(RagError, match="not a number"):
        runs.tag_run(filled, first.id, "12")
    assert runs.delete_run(filled, first.id) == 3
    with pytest.raises(NotFoundError):
        runs.get_run(filled.database, first.id)
    assert count_traces(filled.database, TraceFilter()) == 3
    assert (
        count_traces(filled.database, TraceFilter(text="rye bread")) == 2
    )  # one question, one that was answered so
