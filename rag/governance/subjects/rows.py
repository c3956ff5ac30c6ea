"""What a search for a person or identifier found: places with an excerpt, and counts of what was searched."""

from __future__ import annotations

from dataclasses import dataclass

from rag.text.plurals import counted


@dataclass(frozen=True)
class SubjectHit:
    """A cell of a table that mentions one of the terms.

    Attributes:
        table: The table.
        column: Its column.
        row: The number of the row in the table.
        key: What the row is known by: its id, its name or the trace that it belongs to.
        content: What the column contains, by its mark.
        term: The first term that it mentions.
        excerpt: The text around it.
        text: The whole text, for the export; "" in what is only shown.
    """

    table: str
    column: str
    row: int
    key: str
    content: str
    term: str
    excerpt: str
    text: str = ""


@dataclass(frozen=True)
class SubjectReport:
    """What was found of one or more terms.

    Attributes:
        hits: What was found, table by table.
        cells: How many cells were read.
        columns: How many columns they are in.
        left_out: How many hits are not listed because there are too many.
        path: Where they were exported to, "" for nowhere.
    """

    hits: tuple[SubjectHit, ...]
    cells: int
    columns: int
    left_out: int = 0
    path: str = ""

    def sentence(self) -> str:
        """Return what was found as one sentence."""
        count = len(self.hits) + self.left_out
        tables = len({hit.table for hit in self.hits})
        searched = f"{self.cells:,} texts in {counted(self.columns, 'column')} were searched"
        if not count:
            return f"Nothing mentions it; {searched}."
        verb = "mentions" if count == 1 else "mention"
        more = f"; the first {len(self.hits):,} are listed" if self.left_out else ""
        return f"{counted(count, 'text')} in {counted(tables, 'table')} {verb} it{more}; {searched}."
