"""Compares two reports: what changed from the first to the second, what matters most first."""

from __future__ import annotations

from collections.abc import Iterator

from rag.governance.report.making import read_report
from rag.governance.report.rows import Block, Difference, Report, ReportComparison, Section, Statement, Value
from rag.text.plurals import counted, named

# From what matters most to what matters least.
_ORDER = (
    "incidents", "evaluation", "gates", "guardrails", "models", "prompts", "documents", "settings",
    "oversight", "rollouts", "retention", "system", "costs", "changes",
)  # fmt: skip
_KINDS = ("worse", "gone", "changed", "added", "better")
_MOST_NAMED = 8
_NARROW = 3  # columns of a table whose first one says what a row is about


def compare_reports(first: str, second: str) -> ReportComparison:
    """Return what changed from one JSON file to another. Raises RagError when one is no report."""
    return differences(read_report(first), read_report(second))


def differences(first: Report, second: Report) -> ReportComparison:
    """Return what changed from one report to another, what matters most first."""
    found: list[Difference] = []
    before = {one.key: one for one in first.sections}
    after = {one.key: one for one in second.sections}
    for key in dict.fromkeys((*before, *after)):
        found += _of_section(before.get(key), after.get(key))
    warnings = []
    if first.subject != second.subject:
        warnings.append(f"The first report is about {first.subject}, the second about {second.subject}.")
    if (first.until_ms or 0) > (second.until_ms or 2**62):
        warnings.append("The first report is about a later period than the second.")
    return ReportComparison(
        _called(first), _called(second), tuple(sorted(found, key=_importance)),
        tuple(warnings),
    )  # fmt: skip


def _importance(one: Difference) -> tuple[int, int, str, str]:
    return one.rank, _KINDS.index(one.kind), one.what, one.after


def _called(report: Report) -> str:
    return f"{report.subject}, {report.period}"


def _of_section(before: Section | None, after: Section | None) -> Iterator[Difference]:
    section = after or before
    assert section is not None
    old, new = _statements(before), _statements(after)
    for key in dict.fromkeys((*new, *old)):
        one, other = old.get(key), new.get(key)
        block, statement = other or one  # type: ignore[misc]
        if block.is_log:
            continue
        if one is None:
            yield _difference("added", section, _what(block, statement), "", statement.text)
        elif other is None:
            yield _difference("gone", section, _what(block, statement), one[1].text, "")
        else:
            yield from _of_statement(section, block, one[1], statement)
    yield from _of_logs(section, before, after)
    was = {gap.key: gap.text for gap in before.gaps} if before else {}
    now = {gap.key: gap.text for gap in after.gaps} if after else {}
    for key in [key for key in now if key not in was]:  # in their order: that of sets differs in every run
        yield _difference("worse", section, "Gap", "", now[key])
    for key in [key for key in was if key not in now]:
        yield _difference("better", section, "Gap closed", was[key], "")


def _statements(section: Section | None) -> dict[str, tuple[Block, Statement]]:
    if section is None:
        return {}
    return {one.key: (block, one) for block in section.blocks for one in block.statements}


def _of_statement(section: Section, block: Block, one: Statement, other: Statement) -> Iterator[Difference]:
    kind = _direction(one.values, other.values)
    if not block.columns:
        if one.text != other.text:
            yield _difference(kind, section, block.title, one.text, other.text)
        return
    cells = [
        (name, was, now)
        for name, was, now in zip(block.columns, one.cells, other.cells, strict=False)
        if was != now
    ]
    if cells:
        was = "; ".join(f"{name}: {cell}" for name, cell, _ in cells)
        now = "; ".join(f"{name}: {cell}" for name, _, cell in cells)
        yield _difference(kind, section, _what(block, other), was, now)


def _direction(was: dict[str, Value], now: dict[str, Value]) -> str:
    """Return "worse" or "better" where neither interval reaches the other; "changed" for everything else."""
    if was.get("passed") is not None and was["passed"] != now.get("passed"):
        return "better" if now.get("passed") else "worse"
    ends = [values.get(name) for values in (was, now) for name in ("low", "high")]
    better = now.get("better")
    if better not in ("higher", "lower") or not all(isinstance(end, int | float) for end in ends):
        return "changed"
    low_was, high_was, low_now, high_now = (float(str(end)) for end in ends)
    if low_now > high_was:
        return "better" if better == "higher" else "worse"
    if high_now < low_was:
        return "worse" if better == "higher" else "better"
    return "changed"


def _of_logs(section: Section, before: Section | None, after: Section | None) -> Iterator[Difference]:
    """Yield how many rows each log has: what happened in two periods is never the same."""
    old = {block.title: block for block in before.blocks if block.is_log} if before else {}
    new = {block.title: block for block in after.blocks if block.is_log} if after else {}
    for title in dict.fromkeys((*new, *old)):
        was, now = (tuple(blocks[title].statements) if title in blocks else () for blocks in (old, new))
        known = {one.key for one in was}
        added = [_what(new[title], one) for one in now if one.key not in known] if title in new else []
        if added or len(was) != len(now):
            text = counted(len(now), "row") + (f"; new: {named(added, _MOST_NAMED)}" if added else "")
            yield _difference("changed", section, title, counted(len(was), "row"), text)


def _what(block: Block, one: Statement) -> str:
    """Return what a row is about: its first cell or two, or the title of sentences."""
    most = 1 if len(block.columns) <= _NARROW else 2
    return ", ".join(cell for cell in one.cells[:most] if cell) or block.title


def _difference(kind: str, section: Section, what: str, before: str, after: str) -> Difference:
    place = _ORDER.index(section.key) if section.key in _ORDER else len(_ORDER)
    first = 0 if kind == _KINDS[0] else len(_ORDER)  # what is worse comes before all else
    return Difference(kind, section.title, what, before, after, first + place)
