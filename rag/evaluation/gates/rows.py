"""Rows of gates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GateOutcome:
    """The decision of a gate on a run; `rows` are (rule, passed, value, reason).

    `is_changed_only` says that nothing but cases that have changed since the baseline made it fail.
    """

    run_id: int
    baseline_run_id: int | None
    passed: bool
    sentence: str
    rows: tuple[tuple[str, bool, float | None, str], ...]
    is_changed_only: bool = False
