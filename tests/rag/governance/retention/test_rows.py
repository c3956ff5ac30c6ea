"""Retention in words."""

import pytest

from rag.governance.retention.rows import MEANING, RetentionKind, RetentionPart, RetentionReport, setting_of
from rag.settings import GovernanceSettings


def test_every_kind_has_a_meaning_and_a_setting() -> None:
    assert set(MEANING) == set(RetentionKind)
    for kind in RetentionKind:
        assert getattr(GovernanceSettings(), setting_of(kind)) == 0


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (RetentionPart(RetentionKind.TRACES, 0), "traces: kept for good"),
        (RetentionPart(RetentionKind.TRACES, 1, 1200), "traces: 1,200 older than 1 day"),
        (
            RetentionPart(RetentionKind.TRACES, 30, 2, 3),
            "traces: 2 older than 30 days, 3 more stay because they are needed",
        ),
    ],
)
def test_a_part_says_what_goes(part: RetentionPart, sentence: str) -> None:
    assert part.sentence() == sentence


def test_a_report_names_what_goes() -> None:
    parts = (RetentionPart(RetentionKind.TRACES, 1, 2), RetentionPart(RetentionKind.BACKUPS, 1))
    assert RetentionReport(parts).sentence() == "2 traces"
    assert RetentionReport(parts[1:]).sentence() == "nothing is older than it may be"
