"""Sections on control: guardrails and their measured rates, changes since the last report, and erasures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rag.governance.report.measured import EVENTS, audit_rows
from rag.governance.report.period import moment, parse_period
from rag.governance.report.rows import REPORT_MADE, Block, Gap, Section, Statement, Value, list_reports
from rag.governance.report.scope import Scope
from rag.governance.report.sources import Book, section, selected, table_row
from rag.monitoring.control_limits import wilson_interval
from rag.text.plurals import counted

_POLICIES = ("Policy", "Version", "In force since (UTC)", "By", "Applies to", "Fingerprint")
_RATES = (
    "Policy",
    "Rule",
    "Check",
    "Measured on",
    "Alarms per 1,000",
    "95 % interval",
    "Called wrong",
    "When (UTC)",
)
_FOUND = ("Policy", "Rule", "Found", "What was done", "Times", "Called right", "Called wrong")
_ERASURES = ("Erasure", "Collection", "Begun (UTC)", "Done (UTC)", "State", "Found afterwards")
_PRODUCTION = "production"
# The columns of each table of guardrails that a report reads.
_NEEDED = {
    "guardpolicy": {"id", "name"},
    "guardpolicyversion": {"id", "policy_id", "number", "author", "fingerprint"},
    "guardpolicylabel": {"policy_id", "name", "version_id", "moved_ms"},
    "guardpolicybinding": {"policy_id", "collection_id"},
    "guardrailresult": {"id", "created_ms", "collection", "policy", "rule", "action", "kind", "is_right"},
    "guardmeasurement": {
        "id", "version_id", "measured_ms", "collection", "rule", "check_name", "texts", "total", "alarms",
        "wrong",
    },
}  # fmt: skip


def guardrails_section(scope: Scope, book: Book) -> Section:
    """Return the policies in force, how often their checks alarm, and what they found."""
    title = "Guardrails"
    stored = {table: _columns(scope, table) for table in _NEEDED}
    if not any(stored.values()):
        gap = Gap("guardrails.none", "No guardrail policy is in force.")
        return section("guardrails", title, (), [gap])
    if any(not columns <= stored[table] for table, columns in _NEEDED.items()):
        text = "The guardrails are stored in another form than this report reads, so nothing is said of them."
        return section("guardrails", title, (), [Gap("guardrails.unread", text)])
    collection = str(scope.config.get("collection", ""))
    policies = _policies(scope, book, collection)
    gaps = []
    if not policies:
        gaps.append(Gap("guardrails.none", "No guardrail policy is in force."))
    rates = _measured(scope, book, collection)
    if policies and not rates:
        gaps.append(Gap("guardrails.rates", "How often the checks raise false alarms was not measured."))
    found = _found(scope, book, collection)
    if policies and not found:
        gaps.append(Gap("guardrails.found", "The guardrails found nothing in this period."))
    blocks = [
        Block("Policies in force", tuple(policies), _POLICIES),
        Block("Measured on the documents and questions here", tuple(rates), _RATES),
        Block("What they found", tuple(found), _FOUND),
    ]
    return section("guardrails", title, blocks, gaps)


def _columns(scope: Scope, table: str) -> set[str]:
    return {name for (name,) in scope.database.cells("SELECT name FROM pragma_table_info(?)", (table,))}


def _policies(scope: Scope, book: Book, collection: str) -> list[Statement]:
    rows = scope.database.query(
        """SELECT p.id, p.name, v.id AS version_id, v.number, v.author, v.fingerprint, l.moved_ms
           FROM guardpolicylabel l JOIN guardpolicy p ON p.id = l.policy_id
           JOIN guardpolicyversion v ON v.id = l.version_id
           WHERE l.name = ? AND l.moved_ms < ? ORDER BY p.name""",
        (_PRODUCTION, scope.period.bounds[1]),
    )
    made = []
    for row in rows:
        bound = scope.database.cells(
            """SELECT iif(b.collection_id = 0, 'all collections', coalesce(c.name, 'a deleted collection'))
               FROM guardpolicybinding b
               LEFT JOIN collection c ON c.id = b.collection_id WHERE b.policy_id = ? ORDER BY 1""",
            (row["id"],),
        )
        names = [name for (name,) in bound]
        if not names or (collection and not {collection, "all collections"} & set(names)):
            continue
        cells = (
            row["name"], str(row["number"]), moment(row["moved_ms"]), row["author"], ", ".join(names),
            row["fingerprint"],
        )  # fmt: skip
        sources = (
            book.cite("guardpolicyversion", id=row["version_id"]),
            book.cite("guardpolicylabel", policy_id=row["id"], name=_PRODUCTION),
        )
        key = f"guardrails.policy.{row['name']}"
        made.append(
            table_row(key, _POLICIES, cells, sources, number=row["number"], fingerprint=row["fingerprint"])
        )
    return made


def _measured(scope: Scope, book: Book, collection: str) -> list[Statement]:
    """Return the newest measurement of each rule of each policy, before the end of the period."""
    rows = scope.database.query(
        """SELECT m.*, p.name AS policy FROM guardmeasurement m
           JOIN guardpolicyversion v ON v.id = m.version_id
           JOIN guardpolicy p ON p.id = v.policy_id
           WHERE m.measured_ms < ?1 AND (?2 = '' OR m.collection IN ('', ?2)) AND m.total > 0 AND m.id = (
               SELECT max(o.id) FROM guardmeasurement o WHERE o.version_id = m.version_id AND o.rule = m.rule
               AND o.check_name = m.check_name AND o.texts = m.texts AND o.collection = m.collection
               AND o.measured_ms < ?1)
           ORDER BY p.name, m.rule, m.check_name, m.texts, m.collection, m.id""",
        (scope.period.bounds[1], collection),
    )
    made = []
    for row in rows:
        low, high = (1000 * end for end in wilson_interval(row["alarms"], row["total"]))
        rate = 1000 * row["alarms"] / row["total"]
        of = f" of {row['collection']}" if row["collection"] else ""
        cells = (
            row["policy"], row["rule"], row["check_name"], f"{row['total']:,} {row['texts']}{of}",
            f"{rate:.1f}", f"{low:.1f} to {high:.1f}", f"{row['wrong']:,}", moment(row["measured_ms"]),
        )  # fmt: skip
        parts = (row[name] for name in ("policy", "rule", "check_name", "texts", "collection"))
        key = f"guardrails.rate.{'.'.join(parts)}"
        values = {"mean": round(rate, 6), "low": round(low, 6), "high": round(high, 6), "better": "lower"}
        text = (
            f"{cells[2]} of the policy “{cells[0]}” alarms in {cells[4]} of 1,000 {row['texts']}{of} "
            f"(95 % interval {cells[5]}, {row['total']:,} measured)."
        )
        sources = (book.cite("guardmeasurement", id=row["id"]),)
        made.append(table_row(key, _RATES, cells, sources, text, **values))
    return made


def _found(scope: Scope, book: Book, collection: str) -> list[Statement]:
    groups: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    for row in scope.rows("SELECT * FROM guardrailresult WHERE {period} ORDER BY id"):
        if not collection or row["collection"] in ("", collection):
            groups.setdefault((row["policy"], row["rule"], row["kind"], row["action"]), []).append(row)
    made = []
    for names, rows in sorted(groups.items()):
        right, wrong = (sum(row["is_right"] == said for row in rows) for said in (1, 0))
        cells = (*names, f"{len(rows):,}", f"{right:,}", f"{wrong:,}")
        key = f"guardrails.found.{'.'.join(names)}"
        ids = [row["id"] for row in rows]
        sources = book.cite_all("guardrailresult", "id", dict.fromkeys((ids[0], ids[-1])))
        one = table_row(key, _FOUND, cells, sources, times=len(rows), right=right, wrong=wrong)
        made.append(replace(one, selection=selected("guardrailresult", ids)))
    return made


# --- changes ----------------------------------------------------------------------------------------------


def changes_section(scope: Scope, book: Book) -> Section:
    """Return what was changed in the period and after that of the last report, and the chain's head."""
    gaps: list[Gap] = []
    about = _previous(scope, book, gaps)
    since = about[0].values["until_ms"] if about else scope.period.bounds[0]
    condition = f"action != '{REPORT_MADE}' AND created_ms >= {since}"
    changes = tuple(audit_rows(scope, book, "changes", condition))
    if not changes:
        gaps.append(Gap("changes.none", "The audit log has no change in this period."))
    head = _head(scope, book)
    if "hash" not in _columns(scope, "auditevent"):
        gaps.append(
            Gap(
                "changes.chain", "The rows of the audit log are not chained, so a changed row would not show."
            )
        )
    elif not head or not head[0].values["hash"]:
        gaps.append(Gap("changes.head", "The audit log has no row yet, so there is no head of its chain."))
    blocks = [Block("Audit log", (*about, *head)), Block("Changes", changes, EVENTS, is_log=True)]
    return section("changes", "Changes", blocks, gaps)


def _previous(scope: Scope, book: Book, gaps: list[Gap]) -> list[Statement]:
    """Return what the last report on this subject and another period covered, nothing when there is none.

    Reports on this very period do not count: making one again gives the same report.
    """
    since, until = scope.period.bounds
    for row in list_reports(scope.database):
        if row.subject != scope.subject or row.period == scope.period.text or not row.fingerprint:
            continue
        covered = parse_period(row.period).until_ms or row.made_ms
        covered = min(covered, row.made_ms)
        if covered >= until:
            continue
        if covered < since:
            gaps.append(
                Gap(
                    "changes.between",
                    f"The last report covers {row.period} and this one begins at {moment(since)} UTC: what "
                    "was changed between them is in neither.",
                )
            )
        text = (
            f"The last report before this one covers {row.period} and was made at {moment(row.made_ms)} UTC "
            f"(fingerprint {row.fingerprint}). Changes before {moment(max(covered, since))} UTC are not "
            "repeated here."
        )
        sources = (book.cite("auditevent", id=row.id),)
        values: dict[str, Value] = {"until_ms": max(covered, since), "fingerprint": row.fingerprint}
        return [Statement("changes.previous", text, sources, (), values)]
    return []


def _head(scope: Scope, book: Book) -> list[Statement]:
    """Return the newest row of the chain that is no report: with its hash, a changed log shows."""
    rows = scope.database.query(
        "SELECT * FROM auditevent WHERE action != ? AND created_ms < ? ORDER BY id DESC LIMIT 1",
        (REPORT_MADE, scope.period.bounds[1]),
    )
    if not rows:
        return []
    row = dict(rows[0])
    head = str(row.get("hash") or "")
    text = (
        f"The newest row of the audit log in this report is {row['id']}, of {moment(row['created_ms'])} UTC"
    )
    text += f"; the head of its chain is {head}." if head else "."
    return [
        Statement(
            "changes.head",
            text,
            (book.cite("auditevent", id=row["id"]),),
            (),
            {"row": row["id"], "hash": head},
        )
    ]


# --- retention and erasures -------------------------------------------------------------------------------


def retention_section(scope: Scope, book: Book) -> Section:
    """Return erasures, what was removed, and what the log says of retention."""
    made = []
    for row in scope.rows("SELECT * FROM erasure WHERE {period} ORDER BY id", at="begun_ms"):
        if scope.config.get("collection", row["collection"]) != row["collection"]:
            continue
        found = (
            "nobody looked: it was interrupted"
            if row["found_count"] is None
            else f"{row['found_count']:,} places"
        )
        done = moment(row["done_ms"]) if row["done_ms"] is not None else ""
        cells = (str(row["id"]), row["collection"], moment(row["begun_ms"]), done, row["state"], found)
        sources = (book.cite("erasure", id=row["id"]),)
        made.append(table_row(f"retention.erasure.{row['id']}", _ERASURES, cells, sources))
    condition = (
        "(action LIKE '%retention%' OR action IN ('compacted', 'answer cache cleared', 'session deleted'))"
    )
    removed = tuple(audit_rows(scope, book, "retention.removed", condition))
    stored = _stored(scope, book)
    gaps = []
    if not made:
        gaps.append(Gap("retention.erasures", "No document was erased in this period."))
    if not any("retention" in one.text for one in removed):
        gaps.append(
            Gap(
                "retention.rules",
                "No retention was applied in this period: what is stored stays until it is deleted.",
            )
        )
    blocks = [
        Block("Erasures", tuple(made), _ERASURES, is_log=True),
        Block("What was removed", removed, EVENTS, is_log=True),
        Block("How old the oldest question is", tuple(stored)),
    ]
    return section("retention", "Retention and erasures", blocks, gaps)


def _stored(scope: Scope, book: Book) -> list[Statement]:
    rows = scope.database.query(
        "SELECT id, created_ms FROM trace WHERE created_ms < ? ORDER BY created_ms, id LIMIT 1",
        (scope.period.bounds[1],),
    )
    if not rows:
        return []
    count = scope.database.cells(
        "SELECT count(*) FROM trace WHERE created_ms < ?", (scope.period.bounds[1],)
    )[0][0]
    text = f"The oldest of {counted(count, 'stored trace')} is of {moment(rows[0]['created_ms'])} UTC."
    return [
        Statement("retention.oldest", text, (book.cite("trace", id=rows[0]["id"]),), (), {"traces": count})
    ]
