"""What was in the prompts of a run, read in one query."""

from __future__ import annotations

from rag.evaluation.rows import list_results
from rag.evaluation.verdicts.rows import list_shown_passages, read_flag_counts
from rag.workspace import Workspace
from tests.rag.evaluation.filled import start


def test_the_passages_of_the_prompts_are_read_in_their_order(filled: Workspace) -> None:
    (run,) = start(filled)
    traces = [result.trace_id for result in list_results(filled.database, run.id)]
    found = list_shown_passages(filled.database, traces)
    assert found, "the cases about bread and tides have passages"
    for trace, passages in found.items():
        assert trace in traces
        assert [passage.marker for passage in passages] == list(range(1, len(passages) + 1))
    assert "bread.md" in {passage.name.split(",")[0] for shown in found.values() for passage in shown}
    assert set(read_flag_counts(filled.database, traces)) == set(traces)
    assert list_shown_passages(filled.database, []) == read_flag_counts(filled.database, []) == {}
