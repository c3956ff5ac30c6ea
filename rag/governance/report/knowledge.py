"""The section on documents: which versions of which collections were in use, and what is in them."""

from __future__ import annotations

import json
from typing import Any

from rag.finding.rows import file_name
from rag.governance.report.period import moment
from rag.governance.report.rows import Block, Gap, Section, Statement
from rag.governance.report.scope import Scope
from rag.governance.report.sources import Book, distinct, section, table_row
from rag.text.plurals import counted

_VERSIONS = ("Collection", "Version", "Made (UTC)", "By", "Documents", "Chunks", "Fingerprint")
_DOCUMENTS = ("Document", "sha256", "Bytes", "Chunks", "Parts left out", "Path")
_CHECKS = ("Collection", "Version", "Checked (UTC)", "Outcome", "Vectors", "Queries")


def documents_section(scope: Scope, book: Book) -> Section:
    """Return the dataset versions in use, the documents of the newest of each, and checks of them."""
    versions = _versions(scope)
    gaps: list[Gap] = []
    blocks = [Block("Versions in use", tuple(_version_rows(scope, book, versions)), _VERSIONS)]
    newest: dict[str, int] = {}
    for row in versions:
        newest[row["collection"]] = row["id"]
    for collection, version_id in newest.items():
        blocks.append(_documents(scope, book, collection, version_id, gaps))
    blocks.append(
        Block("Checks of the index", _verifications(scope, book, set(newest.values())), _CHECKS, True)
    )
    if not versions:
        gaps.append(Gap("documents.none", "No version of a collection was in use or made in this period."))
    elif not blocks[-1].statements:
        gaps.append(Gap("documents.checks", "No index of these versions was verified in this period."))
    return section("documents", "Documents and their versions", blocks, gaps)


def _versions(scope: Scope) -> list[dict[str, Any]]:
    """Return the versions that answered, were evaluated or were made, by collection and number."""
    ids = {int(row[0]) for row in scope.asked("DISTINCT t.version_id", "t.version_id", "1")}
    ids |= {int(run["version_id"]) for run in scope.runs}
    if scope.pipeline is None:
        ids |= {int(row["id"]) for row in scope.rows("SELECT id FROM datasetversion WHERE {period}")}
    rows = scope.database.query(
        """SELECT v.*, c.name AS collection FROM datasetversion v JOIN collection c ON c.id = v.collection_id
           WHERE v.id IN (SELECT value FROM json_each(?)) ORDER BY c.name, v.number""",
        (json.dumps(sorted(ids)),),
    )
    return [dict(row) for row in rows]


def _version_rows(scope: Scope, book: Book, versions: list[dict[str, Any]]) -> list[Statement]:
    made = []
    for row in versions:
        erased = " (a document was erased later)" if row["was_erased"] else ""
        cells = (
            str(row["collection"]), str(row["number"]), moment(row["created_ms"]),
            f"{row['kind']}{erased}", str(row["document_count"]), str(row["chunk_count"]),
            str(row["fingerprint"]),
        )  # fmt: skip
        sources = (book.cite("datasetversion", id=row["id"]),)
        key = f"documents.version.{row['collection']}.{row['number']}"
        made.append(table_row(key, _VERSIONS, cells, sources, fingerprint=str(row["fingerprint"])))
    return made


def _documents(scope: Scope, book: Book, collection: str, version_id: int, gaps: list[Gap]) -> Block:
    rows = scope.database.query(
        """SELECT d.id, d.source, d.sha256, d.size_bytes, d.chunk_count, d.account, d.left_out, v.number
           FROM versiondocument vd JOIN document d ON d.id = vd.document_id
           JOIN datasetversion v ON v.id = vd.version_id WHERE vd.version_id = ? ORDER BY d.source, d.id""",
        (version_id,),
    )
    made = []
    for row in rows:
        left_out = f"{row['left_out']:,}" if row["account"] else "not known"
        cells = (
            file_name(row["source"]), row["sha256"], f"{row['size_bytes']:,}", f"{row['chunk_count']:,}",
            left_out, row["source"],
        )  # fmt: skip
        sources = (book.cite("document", id=row["id"]),)
        key = f"documents.{collection}.{row['source']}"
        made.append(
            table_row(key, _DOCUMENTS, cells, sources, sha256=row["sha256"], left_out=row["left_out"])
        )
    unknown = sum(not row["account"] for row in rows)
    if unknown:
        gaps.append(
            Gap(
                f"documents.account.{collection}",
                f"For {counted(unknown, 'document')} of “{collection}” it is not known whether all of it was "
                "read: they were added before that was recorded.",
            )
        )
    if rows:
        gaps.append(
            Gap(
                f"documents.rights.{collection}",
                f"Who owns the documents of “{collection}”, and under which terms they are used, is not "
                "stored.",
            )
        )
    number = rows[0]["number"] if rows else ""
    return Block(f"Documents of “{collection}” version {number}", distinct(made), _DOCUMENTS)


def _verifications(scope: Scope, book: Book, version_ids: set[int]) -> tuple[Statement, ...]:
    rows = scope.rows(
        """SELECT x.*, c.name AS collection, v.number FROM verification x
           JOIN datasetversion v ON v.id = x.version_id JOIN collection c ON c.id = x.collection_id
           WHERE x.version_id IN (SELECT value FROM json_each(?)) AND {period} ORDER BY x.id""",
        json.dumps(sorted(version_ids)),
        at="x.created_ms",
    )
    made = []
    for row in rows:
        cells = (
            row["collection"], str(row["number"]), moment(row["created_ms"]),
            "as it was made" if row["ok"] else f"differs: {row['detail']}",
            f"{row['vectors_same']} of {row['vectors_checked']}",
            f"{row['queries_same']} of {row['query_count']}",
        )  # fmt: skip
        made.append(
            table_row(
                f"documents.check.{row['id']}", _CHECKS, cells, (book.cite("verification", id=row["id"]),)
            )
        )
    return tuple(made)
