"""What a report says, by the titles of its blocks, and changes to the data that it is on."""

from __future__ import annotations

from rag.governance.report.rows import Report, Statement
from rag.workspace import Workspace


def run(workspace: Workspace, *statements: str) -> None:
    with workspace.store.session() as session:
        for one in statements:
            session.connection().exec_driver_sql(one)


def cells(report: Report, title: str) -> list[tuple[str, ...]]:
    return [one.cells for _, block, one in report.statements() if block.title == title]


def sentences(report: Report, section: str) -> list[str]:
    return [one.text for part, block, one in report.statements() if part.key == section and not block.columns]


def gaps(report: Report) -> dict[str, str]:
    return {gap.key: gap.text for section in report.sections for gap in section.gaps}


def statement(report: Report, key: str) -> Statement:
    return next(one for _, _, one in report.statements() if one.key == key)
