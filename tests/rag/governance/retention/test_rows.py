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
        (
            RetentionPart(RetentionKind.TRACES, 30, 0, 12_345),
            "traces: 0 older than 30 days, 12,345 more stay because they are needed",
        ),
        (RetentionPart(RetentionKind.BACKUPS, 36_500, 1), "backups: 1 older than 36,500 days"),
        (RetentionPart(RetentionKind.BACKUPS, 0, 9, 9), "backups: kept for good"),
        (RetentionPart(RetentionKind.TRACE_TEXTS, 7), "trace texts: 0 older than 7 days"),
    ],
)
def test_a_part_says_what_goes(part: RetentionPart, sentence: str) -> None:
    assert part.sentence() == sentence


def test_a_report_names_what_goes() -> None:
    parts = (RetentionPart(RetentionKind.TRACES, 1, 2), RetentionPart(RetentionKind.BACKUPS, 1))
    assert RetentionReport(parts).sentence() == "2 traces"
    assert RetentionReport(parts[1:]).sentence() == "nothing is older than it may be"


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({}, "nothing is older than it may be"),
        (dict.fromkeys(RetentionKind, 0), "nothing is older than it may be"),
        ({RetentionKind.TRACES: 1}, "1 trace"),
        ({RetentionKind.TRACE_TEXTS: 1}, "1 trace text"),
        ({RetentionKind.CACHED_ANSWERS: 2}, "2 cached answers"),
        ({RetentionKind.RECEIVED_TRACES: 1234}, "1,234 received traces"),
        ({RetentionKind.BACKUPS: 1, RetentionKind.TRACES: 0}, "1 backup"),
        ({RetentionKind.TRACES: 3, RetentionKind.BACKUPS: 1}, "3 traces, 1 backup"),
    ],
)
def test_a_report_counts_each_kind_with_its_name(counts: dict[RetentionKind, int], sentence: str) -> None:
    report = RetentionReport(tuple(RetentionPart(kind, 30, count) for kind, count in counts.items()))
    assert report.sentence() == sentence
    assert report.count == sum(counts.values())


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        (RetentionKind.TRACES, "traces_days"),
        (RetentionKind.TRACE_TEXTS, "trace_texts_days"),
        (RetentionKind.CACHED_ANSWERS, "cached_answers_days"),
        (RetentionKind.RECEIVED_TRACES, "received_traces_days"),
        (RetentionKind.BACKUPS, "backups_days"),
    ],
)
def test_settings_keep_their_names(kind: RetentionKind, setting: str) -> None:
    assert setting_of(kind) == setting
