"""Rows of evidence reports: sections, statements with their sources, gaps, and the reports that were made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rag.finding.rows import Place
from rag.storage.database import Database
from rag.storage.rows import AuditAction
from rag.text.plurals import counted

FORMAT = "ragdeck evidence report 1"
REPORT_MADE = AuditAction.EVIDENCE_REPORT_MADE.value
EVERYTHING = "everything"  # the subject of a report that is about no single pipeline
Value = str | int | float | bool | None


@dataclass(frozen=True)
class Source:
    """A stored row that a statement rests on.

    Attributes:
        id: By which statements name it, the same in every report, such as "evaluationrun:12".
        title: What people call it.
        table: Where it is stored.
        keys: The columns that find it, with their values.
        row_sha256: Of the whole row as canonical JSON: it changes when anything in the row does.
        fingerprint: The row's own one of what it stands for, such as a file's sha256; "": it has none.
        place: Where the window shows it, if it does.
        command: What shows it in a terminal, "" where nothing does.
    """

    id: str
    title: str
    table: str
    keys: dict[str, str | int]
    row_sha256: str
    fingerprint: str = ""
    place: Place | None = None
    command: str = ""


@dataclass(frozen=True)
class Selection:
    """All rows that a figure counts.

    Attributes:
        table: Where they are.
        count: How many there are.
        sha256: Of their sorted ids, one a line.
    """

    table: str
    count: int
    sha256: str


@dataclass(frozen=True)
class Statement:
    """A sentence, or a row of a table, and the stored rows that it rests on.

    Attributes:
        key: The same in the next report for the same thing, so that two can be compared.
        text: The sentence.
        sources: Ids of sources, at least one.
        cells: Of a table, in the order of its columns; empty for a sentence.
        values: Its figures, for programs.
        selection: Of a figure, the rows that it counts; its sources are then the first and the last of them.
    """

    key: str
    text: str
    sources: tuple[str, ...]
    cells: tuple[str, ...] = ()
    values: dict[str, Value] = field(default_factory=dict)
    selection: Selection | None = None


@dataclass(frozen=True)
class Block:
    """Statements under one heading: sentences, or with `columns` the rows of a table.

    `is_log` says that it lists what happened: two reports differ in all of it, so only counts are compared.
    """

    title: str
    statements: tuple[Statement, ...]
    columns: tuple[str, ...] = ()
    is_log: bool = False


@dataclass(frozen=True)
class Gap:
    """Something that a reader would expect and that is not stored."""

    key: str
    text: str


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        key: By which programs know it.
        title: What people read.
        headings: (framework, its headings that this section may serve).
        blocks: What is known.
        gaps: What is not.
    """

    key: str
    title: str
    headings: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Report:
    """A report, as its JSON holds it.

    Attributes:
        format: By which a file is known.
        subject: "everything", or "NAME@NUMBER" of a version of a pipeline.
        period: As it was written.
        since_ms: Its beginning, or None.
        until_ms: Its end, which it does not contain, or None.
        made_ms: When it was made: nothing else differs between two reports on the same data.
        fingerprint: The sha256 of everything but `made_ms` and itself.
        notes: How the report is to be read.
        sections: Its parts.
        sources: Every stored row that a statement names, by id.
    """

    format: str
    subject: str
    period: str
    since_ms: int | None
    until_ms: int | None
    made_ms: int
    fingerprint: str
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    sources: tuple[Source, ...]

    def statements(self) -> Iterator[tuple[Section, Block, Statement]]:
        """Yield every statement with where it stands."""
        for section in self.sections:
            for block in section.blocks:
                for statement in block.statements:
                    yield section, block, statement

    @property
    def gap_count(self) -> int:
        """How many gaps there are."""
        return sum(len(section.gaps) for section in self.sections)

    @property
    def statement_count(self) -> int:
        """How many statements there are."""
        return sum(1 for _ in self.statements())


@dataclass(frozen=True)
class ReportFiles:
    """A report that was written.

    Attributes:
        subject: What it is about.
        period: As it was written.
        fingerprint: Of the report.
        json_path: For programs, and for comparing.
        html_path: For people.
        pdf_path: Where the same goes for printing; the window or the command line writes it.
        print_html: The same as in the HTML file, laid out for paper.
        statements: How many it has.
        gaps: How many.
    """

    subject: str
    period: str
    fingerprint: str
    json_path: str
    html_path: str
    pdf_path: str
    print_html: str
    statements: int
    gaps: int

    def sentence(self) -> str:
        """Return what was made, for people."""
        return f"The report has {counted(self.statements, 'statement')} and {counted(self.gaps, 'gap')}."


@dataclass(frozen=True)
class Difference:
    """Something in which two reports differ.

    Attributes:
        kind: "worse", "better", "changed", "added" or "gone".
        section: The title of its section.
        what: What differs.
        before: In the first report, "" when it was not there.
        after: In the second one.
        rank: Of its importance; 0 comes first.
    """

    kind: str
    section: str
    what: str
    before: str
    after: str
    rank: int


@dataclass(frozen=True)
class ReportComparison:
    """What changed from one report to another, what matters most first."""

    first: str
    second: str
    differences: tuple[Difference, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportCheck:
    """A report held against the data folder: which of its sources are still there as they were.

    `changed` and `gone` are (id, title) of sources.
    """

    same: int
    changed: tuple[tuple[str, str], ...]
    gone: tuple[tuple[str, str], ...]

    def sentence(self) -> str:
        """Return the outcome for people."""
        total = self.same + len(self.changed) + len(self.gone)
        if self.same == total:
            return f"All {total:,} sources of the report are stored as they were when it was made."
        return (
            f"Of {total:,} sources {self.same:,} are stored as they were, {len(self.changed):,} have changed "
            f"and {len(self.gone):,} are gone."
        )


# --- reports that were made -------------------------------------------------------------------------------

_DETAIL = re.compile(r"(?P<period>.*?); fingerprint (?P<fingerprint>[0-9a-f]{64}); (?P<path>.*)", re.DOTALL)


@dataclass(frozen=True)
class ReportRow:
    """A report that was made, as the audit log has it; `path` is that of its JSON."""

    id: int
    made_ms: int
    subject: str
    period: str
    fingerprint: str
    path: str


def made_detail(period: str, fingerprint: str, path: str) -> str:
    """Return what the audit log says of a report, as list_reports reads it."""
    return f"{period}; fingerprint {fingerprint}; {path}"


def list_reports(database: Database) -> list[ReportRow]:
    """Return the reports that were made, newest first."""
    rows = database.cells(
        "SELECT id, created_ms, subject, detail FROM auditevent WHERE action = ? ORDER BY id DESC",
        (REPORT_MADE,),
    )
    found = []
    for row_id, made_ms, subject, detail in rows:
        parts = _DETAIL.fullmatch(detail)
        period, fingerprint, path = parts.groups() if parts else (detail, "", "")  # an erasure blanked it
        found.append(ReportRow(row_id, made_ms, subject, period, fingerprint, path))
    return found
