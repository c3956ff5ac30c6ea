"""Rows of guardrail policies and of what they found, and the queries that read them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rag.errors import NotFoundError
from rag.storage.database import Database
from rag.text.plurals import counted

PRODUCTION = "production"  # the label of the version that acts
ALL = ""  # instead of a collection's name: every collection, and texts that belong to none


class Place(StrEnum):
    """A place at which a rule looks at a text."""

    DOCUMENT = "document"
    QUESTION = "question"
    PASSAGES = "passages"
    PROMPT = "prompt"
    ANSWER = "answer"
    RECEIVED = "received traces"
    SERVER = "server"
    MCP = "MCP"


class Action(StrEnum):
    """What a rule does where it finds something, mildest first."""

    NOTE = "note"
    WARN = "warn"
    MASK = "mask"
    LEAVE_OUT = "leave out"
    ASK = "ask"
    REFUSE = "refuse"

    @property
    def past(self) -> str:
        """What was done, in a word."""
        return _PAST[self]

    @property
    def strength(self) -> int:
        """How much it changes: 0 for the mildest."""
        return list(Action).index(self)


_WORDS = {
    Action.NOTE: "noted",
    Action.WARN: "warned",
    Action.MASK: "masked",
    Action.LEAVE_OUT: "passage left out",
    Action.ASK: "asked first",
    Action.REFUSE: "refused",
}
_PAST = {
    Action.NOTE: "noted",
    Action.WARN: "warned of",
    Action.MASK: "masked",
    Action.LEAVE_OUT: "left out for",
    Action.ASK: "asked about",
    Action.REFUSE: "refused for",
}


class CheckName(StrEnum):
    """A check that a rule can name."""

    PERSONAL_DATA = "personal data"
    INJECTION = "prompt injection"
    TOPICS = "topics"
    PHRASES = "phrases"
    LENGTH = "length"
    CITATION = "citation"
    LANGUAGE = "language"


@dataclass(frozen=True)
class PolicyRow:
    """A policy with its labels and the collections to which it applies ("" in the list: all)."""

    id: int
    name: str
    description: str
    created_ms: int
    version_count: int
    latest: int  # number of the newest version
    labels: tuple[tuple[str, int], ...]  # label, number
    collections: tuple[str, ...]

    @property
    def is_live(self) -> bool:
        """Whether it acts on a collection's texts, whatever pipeline answers."""
        return bool(self.collections) and any(label == PRODUCTION for label, _ in self.labels)

    @property
    def state(self) -> str:
        """Where it acts, as a table says it."""
        if not any(label == PRODUCTION for label, _ in self.labels):
            return "not live: no version has the label production"
        if not self.collections:
            return "live in pipelines that name it"
        return "live for " + ", ".join(name or "all collections" for name in self.collections)


@dataclass(frozen=True)
class PolicyVersionRow:
    """A version of a policy; content is the JSON of its rules."""

    id: int
    policy: str
    number: int
    created_ms: int
    message: str
    author: str
    content: str
    fingerprint: str
    labels: tuple[str, ...] = ()

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The rules as values."""
        found: list[dict[str, Any]] = json.loads(self.content)["rules"]
        return found


@dataclass(frozen=True)
class Result:
    """What one rule found in a text and did about it; offsets are characters of the text that it saw."""

    policy: str
    number: int
    fingerprint: str
    rule: str
    check_name: str
    place: Place
    action: Action
    kind: str
    start: int
    end: int
    score: float
    reason: str
    document: str = ""  # name of the document or passage, "" for a question or an answer


@dataclass(frozen=True)
class StoredResult(Result):
    """A result as it is stored, with what a person says of it."""

    id: int = 0
    trace_id: str = ""
    collection: str = ""
    created_ms: int = 0
    is_right: bool | None = None
    review_note: str = ""

    @property
    def opinion(self) -> str:
        """What a person says of it, in a word; "" when nobody has said anything."""
        return "" if self.is_right is None else ("right" if self.is_right else "wrong")


@dataclass(frozen=True)
class PolicyDiff:
    """What differs between two versions: (place in the rules, old value, new value)."""

    old: int
    new: int
    changes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class PolicyImport:
    """What was imported of a folder. problems: a sentence for each file left out."""

    policies: int
    versions_added: int
    versions_same: int
    problems: tuple[str, ...]

    def sentence(self) -> str:
        """Return what was imported, without the problems."""
        return (
            f"Imported {counted(self.versions_added, 'version')} of "
            f"{counted(self.policies, 'policy', 'policies')}; {self.versions_same:,} were already here."
        )


@dataclass(frozen=True)
class Tried:
    """What a policy does to one text. stopped: its refusal or question, "" when it lets the text through."""

    text: str
    results: tuple[Result, ...]
    stopped: str
    milliseconds: float

    @property
    def sentence(self) -> str:
        """What happened, in one line."""
        return said_of(self.results) or "Nothing was found."


@dataclass(frozen=True)
class MeasureProgress:
    """Progress of measuring a policy: done of total texts were read."""

    done: int
    total: int
    texts: str  # chunks | questions


@dataclass(frozen=True)
class Rate:
    """How often a rule acts on texts that are here already, with a 95 % Wilson interval, per 1,000 texts."""

    rule: str
    check_name: str
    texts: str  # chunks | questions
    total: int
    alarms: int
    low: float
    high: float

    @property
    def per_thousand(self) -> float | None:
        """Alarms per 1,000 texts; None without a text."""
        return 1000 * self.alarms / self.total if self.total else None

    @property
    def said(self) -> str:
        """The rate with its interval."""
        if self.per_thousand is None:
            return "no texts"
        return f"{self.per_thousand:.1f} per 1,000 ({self.low:.1f} to {self.high:.1f})"


@dataclass(frozen=True)
class MeasureReport:
    """How often a version of a policy acts on a collection's chunks and on the questions that were asked."""

    policy: str
    number: int
    collection: str
    rates: tuple[Rate, ...]
    examples: tuple[tuple[str, str, str], ...]  # rule, kind, the beginning of the text
    milliseconds_a_chunk: float
    measured_ms: int = 0


def guard_word(action: str) -> str:
    """Return what policies did to a question and its answer, in a word; "" for nothing."""
    return _WORDS[Action(action)] if action else ""


def strongest(results: Iterable[Result]) -> str:
    """Return the strongest action of results; "" for none."""
    return str(max((r.action for r in results), key=lambda action: action.strength, default=""))


def said_of(results: Iterable[Result]) -> str:
    """Return what policies did, in one line such as "“Outside” masked 2 e-mail addresses in the question"."""
    counts = Counter(
        (r.policy, Action(r.action), r.kind, Place(r.place), r.document if r.place != Place.PASSAGES else "")
        for r in results
    )
    parts = []
    for (policy, action, kind, place, document), count in counts.items():
        where = f"the document {document}" if document else f"the {place}"
        times = f" ({count} times)" if count > 1 else ""
        if action is Action.LEAVE_OUT:
            what = counted(count, "passage") if place is Place.PASSAGES else "the document"
            parts.append(f"the policy “{policy}” left out {what}: {kind}")
        else:
            parts.append(f"the policy “{policy}” {action.past} {kind}{times} in {where}")
    return "; ".join(parts)


def list_policies(database: Database) -> list[PolicyRow]:
    """Return all policies by name."""
    rows = database.query(
        """SELECT p.*, (SELECT count(*) FROM guardpolicyversion v WHERE v.policy_id = p.id) AS version_count
           FROM guardpolicy p ORDER BY p.name"""
    )
    return [
        PolicyRow(
            row["id"],
            row["name"],
            row["description"],
            row["created_ms"],
            row["version_count"],
            row["last_number"],
            tuple(_labels(database, row["id"]).items()),
            _bound_to(database, row["id"]),
        )
        for row in rows
    ]


def list_policy_versions(database: Database, name: str) -> list[PolicyVersionRow]:
    """Return the versions of a policy, newest first. Raises NotFoundError."""
    policy_id = _policy_id(database, name)
    labels = _labels(database, policy_id)
    rows = database.query(
        "SELECT * FROM guardpolicyversion WHERE policy_id = ? ORDER BY number DESC", (policy_id,)
    )
    return [
        PolicyVersionRow(
            row["id"], name, row["number"], row["created_ms"], row["message"], row["author"], row["content"],
            row["fingerprint"], tuple(label for label, number in labels.items() if number == row["number"]),
        )
        for row in rows
    ]  # fmt: skip


def find_policy_version(database: Database, reference: str) -> PolicyVersionRow:
    """Return the version that "NAME", "NAME@NUMBER" or "NAME@LABEL" means. Raises NotFoundError.

    NAME alone is its production version, or else the newest. A number may carry the fingerprint that it had
    ("NAME@3:a1b2"): then a policy that was made again under the same name is not taken for it.
    """
    name, _, which = reference.rpartition("@") if "@" in reference else (reference, "", "")
    which, _, fingerprint = which.partition(":")
    rows = list_policy_versions(database, name)
    wanted = which or PRODUCTION
    found = next((r for r in rows if wanted == str(r.number) or wanted in r.labels), None)
    if found is None and not which and rows:
        found = rows[0]
    if found is None:
        raise NotFoundError(f"The policy “{name}” has no version {which or 'yet'}.")
    if fingerprint and found.fingerprint != fingerprint:
        raise NotFoundError(
            f"The policy “{name}” has another version {which} than the one that is named here. Save the "
            "pipeline again with the policy as it is now."
        )
    return found


PolicyMove = tuple[str, int | None, int | None, int, str, str]


def list_policy_moves(database: Database, name: str) -> list[PolicyMove]:
    """Return the moves of a policy's labels, newest first: label, from, to, when, who, why."""
    return [
        (row["label"], row["from_number"], row["to_number"], row["moved_ms"], row["author"], row["note"])
        for row in database.query(
            "SELECT * FROM guardpolicylabelmove WHERE policy_id = ? ORDER BY id DESC",
            (_policy_id(database, name),),
        )
    ]


@dataclass(frozen=True)
class ResultFilter:
    """Which results to list; empty values do not filter."""

    policy: str = ""
    trace_id: str = ""
    collection: str = ""
    action: str = ""
    check_name: str = ""
    opinion: str = ""  # right | wrong | none


def list_results(database: Database, wanted: ResultFilter, limit: int = 500) -> list[StoredResult]:
    """Return what policies found, newest first."""
    parts, values = ["1"], []
    for column in ("policy", "trace_id", "collection", "action", "check_name"):
        if value := getattr(wanted, column):
            parts.append(f"{column} = ?")
            values.append(value)
    if wanted.opinion:
        parts.append({"right": "is_right", "wrong": "is_right = 0"}.get(wanted.opinion, "is_right IS NULL"))
    return database.rows(
        StoredResult,
        f"""SELECT * FROM guardrailresult WHERE {" AND ".join(parts)}
            ORDER BY created_ms DESC, id DESC LIMIT ?""",
        (*values, limit),
    )


def read_masked(database: Database, trace_id: str) -> dict[str, str]:
    """Return what the placeholders of a trace stand for; empty where the policy did not let that be kept."""
    return dict(database.cells("SELECT placeholder, original FROM guardmask WHERE trace_id = ?", (trace_id,)))


def read_measurements(database: Database, version_id: int) -> list[tuple[str, str, str, str, int, int, int]]:
    """Return the last measurement of each rule of a version.

    Each is (collection, rule, check, texts, total, alarms, when in Unix milliseconds).
    """
    return database.cells(
        """SELECT collection, rule, check_name, texts, total, alarms, max(measured_ms) FROM guardmeasurement
           WHERE version_id = ? GROUP BY collection, rule, texts ORDER BY collection, rule, texts""",
        (version_id,),
    )


def _policy_id(database: Database, name: str) -> int:
    return database.id_of(
        "guardpolicy", name, f"There is no policy named “{name}”. Run `ragdeck policies` to see all policies."
    )


def _labels(database: Database, policy_id: int) -> dict[str, int]:
    rows = database.query(
        """SELECT l.name, v.number FROM guardpolicylabel l JOIN guardpolicyversion v ON v.id = l.version_id
           WHERE l.policy_id = ? ORDER BY l.name""",
        (policy_id,),
    )
    return {row["name"]: row["number"] for row in rows}


def _bound_to(database: Database, policy_id: int) -> tuple[str, ...]:
    rows = database.query(
        """SELECT coalesce(c.name, '') AS name FROM guardpolicybinding b
           LEFT JOIN collection c ON c.id = b.collection_id WHERE b.policy_id = ? ORDER BY name""",
        (policy_id,),
    )
    return tuple(row["name"] for row in rows)
