"""Measures a policy before it goes live: how often each rule acts on the chunks and questions that are here.

A document of one's own rarely attacks, so what a rule finds in it is nearly always a false alarm; what was
right is taken out by reviewing the examples.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterator

from rag.asking.guarding import CollectionEncoder
from rag.governance.policies.trying import policy_of
from rag.guardrails.policies.acting import Guard
from rag.guardrails.policies.rows import MeasureProgress, MeasureReport, Place, Rate
from rag.knowledge.rows import get_collection
from rag.monitoring.control_limits import wilson_interval
from rag.storage import audit_log
from rag.storage.database import Database
from rag.storage.store import insert_rows, now_ms
from rag.storage.tables.guardrails import GuardMeasurement
from rag.workspace import Workspace

Measuring = Generator[MeasureProgress, None, MeasureReport]
_STEP = 25  # texts between two chances to cancel
_EXAMPLES = 3  # of each rule
_EXAMPLE_LENGTH = 160
_CHUNKS = """
SELECT c.text FROM chunk c JOIN versiondocument vd ON vd.document_id = c.document_id
JOIN collection k ON k.active_version_id = vd.version_id WHERE k.name = ? ORDER BY c.id LIMIT ?
"""
_QUESTIONS = """
SELECT question FROM trace WHERE source = 'person' AND collection = ? ORDER BY created_ms DESC LIMIT ?
"""
# Where a rule looks, as far as there are texts of that kind here.
_PLACES = {"chunks": (Place.DOCUMENT, Place.PASSAGES), "questions": (Place.QUESTION, Place.SERVER, Place.MCP)}


def measure_policy(workspace: Workspace, reference: str, collection: str, limit: int = 10_000) -> Measuring:
    """Count in how many chunks and questions of a collection each rule of a policy finds something.

    Every rule is measured on both kinds of texts that it looks at; one on answers or prompts has none here.

    Args:
        workspace: The open data folder.
        reference: "NAME", "NAME@LABEL" or "NAME@NUMBER".
        collection: The name of the collection.
        limit: The most texts of each kind that are read.

    Raises NotFoundError. Closing the generator cancels; nothing is stored then.
    """
    policy = policy_of(workspace.database, reference)
    get_collection(workspace.database, collection)
    guard = Guard((policy,), CollectionEncoder(workspace, collection))
    rates: list[Rate] = []
    examples: list[tuple[str, str, str]] = []
    took = {"chunks": 0.0, "questions": 0.0}
    counts = {}
    for texts, statement in (("chunks", _CHUNKS), ("questions", _QUESTIONS)):
        found: Counter[str] = Counter()
        total = 0
        values = [str(text) for (text,) in workspace.database.cells(statement, (collection, limit))]
        for total, text in enumerate(values, 1):
            if total % _STEP == 1:
                yield MeasureProgress(total - 1, len(values), texts)
            began = time.perf_counter()
            for rule, kind in set(_acting(guard, texts, text)):
                found[rule] += 1
                if found[rule] <= _EXAMPLES:
                    examples.append((rule, kind, _shortened(text)))
            took[texts] += time.perf_counter() - began
        counts[texts] = total
        rates += [
            _rate(rule.title, rule.check, texts, total, found[rule.title])
            for rule in policy.rules.rules
            if not set(rule.where).isdisjoint(_PLACES[texts])
        ]
    report = MeasureReport(
        policy.name, policy.number, collection, tuple(rates), tuple(examples),
        1000 * took["chunks"] / max(1, counts["chunks"]), now_ms(),
    )  # fmt: skip
    _store(workspace, report, workspace.database)
    return report


def _acting(guard: Guard, texts: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield (rule, kind) once for each rule that finds something in a text, wherever it looks."""
    seen = set()
    for place in _PLACES[texts]:
        if guard.acts_at(place):
            for result in guard.check(place, text, leaves=True).results:
                if result.rule not in seen:
                    seen.add(result.rule)
                    yield result.rule, result.kind
    guard.results.clear()


def _rate(rule: str, check: str, texts: str, total: int, alarms: int) -> Rate:
    low, high = wilson_interval(alarms, total) if total else (0.0, 1.0)
    return Rate(rule, str(check), texts, total, alarms, 1000 * low, 1000 * high)


def _shortened(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _EXAMPLE_LENGTH else plain[: _EXAMPLE_LENGTH - 1] + "…"


def _store(workspace: Workspace, report: MeasureReport, database: Database) -> None:
    version = policy_version_id(database, report.policy, report.number)
    with workspace.store.session() as session:
        insert_rows(
            session,
            GuardMeasurement,
            [
                {
                    "version_id": version, "measured_ms": report.measured_ms, "collection": report.collection,
                    "rule": rate.rule, "check_name": rate.check_name, "texts": rate.texts,
                    "total": rate.total, "alarms": rate.alarms, "wrong": 0,
                }
                for rate in report.rates
            ],
        )  # fmt: skip
        audit_log.record(
            session, audit_log.Action.POLICY_MEASURED, f"{report.policy} {report.number}", report.collection
        )


def policy_version_id(database: Database, name: str, number: int) -> int:
    """Return the id of a version of a policy."""
    rows = database.cells(
        """SELECT v.id FROM guardpolicyversion v JOIN guardpolicy p ON p.id = v.policy_id
           WHERE p.name = ? AND v.number = ?""",
        (name, number),
    )
    return int(rows[0][0])
