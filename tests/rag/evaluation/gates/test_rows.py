"""What a gate decided, as it crosses to the window's process."""

from __future__ import annotations

import pickle

from rag.evaluation.gates.runs import gate_run
from rag.workspace import Workspace
from tests.rag.evaluation.filled import start


def test_a_decision_crosses_to_the_window_with_every_rule(filled: Workspace) -> None:
    (run,) = start(filled)
    found = gate_run(filled, run.id, "errors: {at_most: 0}\nfloors: {hit_rate: 1.01}\n")
    again = pickle.loads(pickle.dumps(found))
    assert again == found and (again.run_id, again.passed, again.is_changed_only) == (run.id, False, False)
    assert [passed for _, passed, _, _ in again.rows] == [False, True]
