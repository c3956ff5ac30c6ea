"""Makes evidence reports: gathers the sections, writes JSON and HTML, and notes it in the audit log."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rag.errors import RagError, of_the_disk
from rag.finding.rows import Kind, Place
from rag.governance.report.control import changes_section, guardrails_section, retention_section
from rag.governance.report.headings import NOT_LEGAL
from rag.governance.report.html import PRINT, SCREEN, html_of
from rag.governance.report.knowledge import documents_section
from rag.governance.report.measured import evaluation_section, gates_section, rollouts_section
from rag.governance.report.operation import costs_section, incidents_section, oversight_section
from rag.governance.report.period import Period, parse_period
from rag.governance.report.rows import (
    FORMAT,
    Block,
    Gap,
    Report,
    ReportCheck,
    ReportFiles,
    Section,
    Selection,
    Source,
    Statement,
    made_detail,
)
from rag.governance.report.scope import Scope, make_scope
from rag.governance.report.sources import Book, row_sha256, stored_row
from rag.governance.report.system import models_section, prompts_section, settings_section, system_section
from rag.storage import audit_log
from rag.storage.database import Database
from rag.storage.store import now_ms
from rag.workspace import Workspace

# In the order in which people read them.
SECTIONS: tuple[Callable[[Scope, Book], Section], ...] = (
    system_section, models_section, documents_section, prompts_section, settings_section, guardrails_section,
    evaluation_section, gates_section, rollouts_section, incidents_section, oversight_section, costs_section,
    changes_section, retention_section,
)  # fmt: skip
_NOTES = (
    "Every statement names the stored rows that it rests on; a section lists as a gap what a reader may "
    "expect and what is not stored.",
    "Times and periods are in UTC. Rates and means have 95 % intervals.",
    "The sha256 of a row is over all of its columns as stored: it changes when anything in the row does.",
    NOT_LEGAL,
)
_NOT_IN_A_NAME = re.compile(r"[^\w.@-]+")


def make_report(workspace: Workspace, pipeline: str = "", period: str = "", folder: str = ".") -> ReportFiles:
    """Make a report and write its JSON and HTML into a folder, which is made where it is missing.

    Args:
        workspace: What it is about.
        pipeline: "NAME" for its newest version, "NAME@NUMBER", "NAME@LABEL", or "" for everything.
        period: See parse_period; "" for everything that is stored.
        folder: Where the files go.

    Raises:
        RagError: There is no such pipeline, the period cannot be read, or the folder cannot be written to.
    """
    report = gather_report(workspace.database, pipeline, parse_period(period), now_ms())
    name = _NOT_IN_A_NAME.sub("_", f"{report.subject} {report.period}").strip("._") or "report"
    place = Path(folder).expanduser().absolute()
    paths = {ending: place / f"evidence-{name}.{ending}" for ending in ("json", "html", "pdf")}
    try:
        place.mkdir(parents=True, exist_ok=True)
        paths["json"].write_text(json_of(report), "utf-8")
        paths["html"].write_text(html_of(report, SCREEN), "utf-8")
    except OSError as error:
        raise of_the_disk(error) or RagError(f"{place} cannot be written to ({error.strerror}).") from error
    with workspace.store.session() as session:
        detail = made_detail(report.period, report.fingerprint, str(paths["json"]))
        audit_log.record(session, audit_log.Action.EVIDENCE_REPORT_MADE, report.subject, detail)
    return ReportFiles(
        report.subject, report.period, report.fingerprint,
        str(paths["json"]), str(paths["html"]), str(paths["pdf"]),
        html_of(report, PRINT), report.statement_count, report.gap_count,
    )  # fmt: skip


def gather_report(database: Database, pipeline: str, period: Period, made_ms: int) -> Report:
    """Return a report on what is stored now. The same database gives the same, but for the time.

    Args:
        database: Where everything is read.
        pipeline: See make_report.
        period: See make_report.
        made_ms: When it is made, in Unix milliseconds.

    Raises:
        RagError: There is no such pipeline.
    """
    scope, book = make_scope(database, pipeline, period), Book(database)
    sections = tuple(make(scope, book) for make in SECTIONS)
    report = Report(
        format=FORMAT,
        subject=scope.subject,
        period=period.text,
        since_ms=period.since_ms,
        until_ms=period.until_ms,
        made_ms=made_ms,
        fingerprint="",
        notes=_NOTES,
        sections=sections,
        sources=tuple(book.sources[key] for key in sorted(book.sources)),
    )
    return replace(report, fingerprint=fingerprint_of(report))


def fingerprint_of(report: Report) -> str:
    """Return the sha256 of a report as canonical JSON, without when it was made and without itself."""
    values = {name: value for name, value in asdict(report).items() if name not in ("made_ms", "fingerprint")}
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def json_of(report: Report) -> str:
    """Return a report as JSON, in ASCII: a name that is no text is escaped and can be read again."""
    return json.dumps(asdict(report), indent=1) + "\n"


# --- reading one again ------------------------------------------------------------------------------------


def read_report(path: str) -> Report:
    """Read a report's JSON. Raises RagError when it is none, or was changed since it was made."""
    try:
        values = json.loads(Path(path).expanduser().read_text("utf-8"))
        if values["format"] != FORMAT:
            raise RagError(f"{path} is a report of another version of Ragdeck ({values['format']}).")
        report = _report(values)
    except OSError as error:
        raise RagError(f"{path} cannot be read ({error.strerror}).") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RagError(f"{path} is no evidence report. Choose the file that ends in .json.") from error
    if fingerprint_of(report) != report.fingerprint:
        raise RagError(
            f"{path} was changed after it was made: its fingerprint does not fit. Use the original."
        )
    return report


def check_report(database: Database, path: str) -> ReportCheck:
    """Hold a report against the data folder: is every row that it names stored as it was? Raises RagError."""
    same, changed, gone = 0, [], []
    for source in read_report(path).sources:
        row = stored_row(database, source.table, source.keys)
        if row is None:
            gone.append((source.id, source.title))
        elif row_sha256(row) != source.row_sha256:
            changed.append((source.id, source.title))
        else:
            same += 1
    return ReportCheck(same, tuple(changed), tuple(gone))


def _report(values: dict[str, Any]) -> Report:
    sections = tuple(
        Section(
            **{
                **one,
                "headings": tuple((name, text) for name, text in one["headings"]),
                "blocks": tuple(map(_block, one["blocks"])),
                "gaps": tuple(Gap(**gap) for gap in one["gaps"]),
            }
        )
        for one in values["sections"]
    )
    sources = tuple(Source(**{**one, "place": _place(one["place"])}) for one in values["sources"])
    return Report(**{**values, "notes": tuple(values["notes"]), "sections": sections, "sources": sources})


def _block(values: dict[str, Any]) -> Block:
    statements = tuple(
        Statement(
            **{
                **one,
                "sources": tuple(one["sources"]),
                "cells": tuple(one["cells"]),
                "selection": Selection(**one["selection"]) if one["selection"] else None,
            }
        )
        for one in values["statements"]
    )
    return Block(**{**values, "statements": statements, "columns": tuple(values["columns"])})


def _place(values: dict[str, str] | None) -> Place | None:
    return Place(**{**values, "kind": Kind(values["kind"])}) if values else None  # type: ignore[arg-type]
