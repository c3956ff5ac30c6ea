"""Rows of replays: what was changed, what came of it, and which passage carries which sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from rag.asking.rows import TraceDetail, TraceStatus, get_trace
from rag.errors import NotFoundError, RagError
from rag.grounding.rows import ClaimResult
from rag.storage.database import Database
from rag.text.plurals import counted

SECTIONS = ("retrieval", "generation")  # of the settings, which decide about an answer
TEMPERATURE = "generation.temperature"
_NUMBERS = re.compile(r"\[\d+\]|\d+")


# --- what is changed --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Changes:
    """What is other in a replay than in the trace that it repeats. Empty values change nothing.

    Attributes:
        model: Name or path of a model.
        version: Number or tag of a dataset version, which is searched anew.
        prompt: "NAME", "NAME@NUMBER" or "NAME@LABEL".
        settings: Pairs of SECTION.KEY and value; one of "retrieval" means another search.
        without: Passages that are left out, by their numbers in the trace's prompt.
        order: The passages that stay, by the same numbers, in their new order.
    """

    model: str = ""
    version: str = ""
    prompt: str = ""
    settings: tuple[tuple[str, Any], ...] = ()
    without: tuple[int, ...] = ()
    order: tuple[int, ...] = ()

    @property
    def searches(self) -> bool:
        """Whether the passages are searched for anew; otherwise those of the trace are used."""
        return bool(self.version) or any(key.startswith("retrieval.") for key, _ in self.settings)

    @property
    def moves_passages(self) -> bool:
        """Whether passages of the trace are left out or put in another order."""
        return bool(self.without or self.order)

    def sentence(self) -> str:
        """Return what is changed, for people: “without [3], temperature 0.7”; nothing is “as it was”."""
        parts = [f"model {self.model}"] if self.model else []
        parts += [f"version {self.version}"] if self.version else []
        parts += [f"prompt {self.prompt}"] if self.prompt else []
        parts += [f"{key.partition('.')[2].replace('_', ' ')} {value}" for key, value in self.settings]
        parts += ["without " + ", ".join(f"[{n}]" for n in self.without)] if self.without else []
        parts += ["order " + " ".join(f"[{n}]" for n in self.order)] if self.order else []
        return ", ".join(parts) or "as it was"

    def as_json(self) -> str:
        """Return what is changed as JSON; what is not changed is left out."""
        values = {key: value for key, value in asdict(self).items() if value}
        if self.settings:
            values["settings"] = dict(self.settings)
        return json.dumps(values, ensure_ascii=False)


def changes_of(text: str) -> Changes:
    """Return what as_json wrote."""
    values = json.loads(text)
    return Changes(
        values.get("model", ""),
        values.get("version", ""),
        values.get("prompt", ""),
        tuple(values.get("settings", {}).items()),
        tuple(values.get("without", ())),
        tuple(values.get("order", ())),
    )


def read_changes(words: Mapping[str, str]) -> Changes:
    """Return changes that a person wrote: model, version, prompt, without, order, temperature, SECTION.KEY.

    Raises RagError for a word that is none of these, and for numbers that are none.
    """
    settings: list[tuple[str, Any]] = []
    for key, value in words.items():
        if key == "temperature":
            settings.append((TEMPERATURE, _value(value)))
        elif key.partition(".")[0] in SECTIONS and "." in key:
            settings.append((key, _value(value)))
        elif key not in ("model", "version", "prompt", "without", "order"):
            raise RagError(
                f"“{key}” cannot be changed. Write model, version, prompt, without, order, temperature, or a "
                "setting such as retrieval.candidates or generation.top_p."
            )
    return Changes(
        words.get("model", ""),
        words.get("version", ""),
        words.get("prompt", ""),
        tuple(settings),
        numbers_in(words.get("without", "")),
        numbers_in(words.get("order", "")),
    )


def numbers_in(text: str) -> tuple[int, ...]:
    """Return the passages that a person wrote, as "3" or "[2] [1], 3". Raises RagError."""
    words = text.replace(",", " ").split()
    if wrong := next((word for word in words if not _NUMBERS.fullmatch(word)), ""):
        raise RagError(f"“{wrong}” is not the number of a passage. Write numbers such as 2,1,3.")
    return tuple(int(word.strip("[]")) for word in words)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# --- what came of it --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RecordedCall:
    """The messages of a model's call in a received trace, as (role, content), and notes about them."""

    messages: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VariantStarted:
    """A variant of a replay begins; number counts from 1."""

    number: int
    total: int
    changes: Changes


@dataclass(frozen=True)
class Variant:
    """A variant of a replay: its trace, or the sentence why there is no answer."""

    changes: Changes
    trace_id: str = ""
    error: str = ""


@dataclass(frozen=True)
class ReplayReport:
    """What came of a replay, a variant each."""

    parent_id: str
    variants: tuple[Variant, ...]

    @property
    def failed(self) -> tuple[Variant, ...]:
        """The variants that could not be answered."""
        return tuple(variant for variant in self.variants if variant.error)

    def sentence(self) -> str:
        """Return what came of all variants, with one sentence for each that was not answered."""
        done = len(self.variants) - len(self.failed)
        said = [f"{counted(done, 'variant')} answered."]
        said += [f"Not answered, {one.changes.sentence()}: {one.error}" for one in self.failed]
        return " ".join(said)


@dataclass(frozen=True)
class ReplayRow:
    """A replay of a trace: what was changed, and the figures of its answer."""

    trace_id: str
    parent_id: str
    group_id: str  # of a leave-one-out: the first of its answers; "" otherwise
    changes: str  # JSON, see changes_of
    created_ms: int
    status: TraceStatus
    error: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    claim_count: int
    flag_count: int
    total_ms: float | None

    @property
    def what(self) -> str:
        """What was changed, for people."""
        return changes_of(self.changes).sentence()


_ROWS = """SELECT r.trace_id, r.parent_id, r.group_id, r.changes, t.created_ms, t.status, t.error, t.model,
    t.prompt_tokens, t.completion_tokens, t.claim_count, t.flag_count, t.total_ms
    FROM replay r JOIN trace t ON t.id = r.trace_id"""


def list_replays(database: Database, trace_id: str, grouped: bool = False) -> list[ReplayRow]:
    """Return the replays of a trace, oldest first; grouped: those of leave-one-outs as well."""
    return database.rows(
        ReplayRow,
        f"{_ROWS} WHERE r.parent_id = ? AND (? OR r.group_id = '') ORDER BY t.created_ms, t.rowid",
        (trace_id, grouped),
    )


def find_replay(database: Database, trace_id: str) -> ReplayRow | None:
    """Return what a trace is a replay of; None: it is none."""
    found = database.rows(ReplayRow, f"{_ROWS} WHERE r.trace_id = ?", (trace_id,))
    return found[0] if found else None


# --- which passage carries a sentence ---------------------------------------------------------------------


class Fate(StrEnum):
    """What became of a sentence of an answer in another answer to the same question."""

    KEPT = "kept"
    UNSUPPORTED = "unsupported"  # it is still said, and no passage supports it any more
    FALLEN = "fallen"  # it is not said any more


@dataclass(frozen=True)
class LeftOut:
    """An answer of a leave-one-out.

    Attributes:
        marker: The passage that was left out; 0: none.
        trace_id: Its trace.
        error: Why there is no answer, "" when there is one.
        fates: By where a sentence of the trace's answer begins, what became of it.
    """

    marker: int
    trace_id: str
    error: str
    fates: Mapping[int, Fate]


@dataclass(frozen=True)
class Attribution:
    """What each passage of a prompt carries: the prompt was answered with all of them, and without each.

    Attributes:
        parent_id: The trace.
        passages: (marker, document, place) of its prompt.
        claims: The sentences of its answer that can be checked.
        answers: What was answered, with all passages first.
    """

    parent_id: str
    passages: tuple[tuple[int, str, str], ...]
    claims: tuple[ClaimResult, ...]
    answers: tuple[LeftOut, ...]

    @property
    def untried(self) -> tuple[int, ...]:
        """The passages without which there is no answer: it was cancelled, or failed."""
        known = {one.marker for one in self.answers if not one.error}
        return tuple(marker for marker, _, _ in self.passages if marker not in known)

    def falling(self, marker: int) -> tuple[ClaimResult, ...]:
        """Return the sentences that fall, or lose their support, without a passage."""
        return tuple(claim for claim in self.claims if marker in self.carriers(claim.start))

    def carriers(self, start: int) -> tuple[int, ...]:
        """Return the passages without which the sentence at start falls or loses its support."""
        before = self._fate(0, start)
        if before in (None, Fate.FALLEN):
            return ()
        worse = (Fate.FALLEN,) if before is Fate.UNSUPPORTED else (Fate.FALLEN, Fate.UNSUPPORTED)
        return tuple(marker for marker, _, _ in self.passages if self._fate(marker, start) in worse)

    def sentence(self, start: int) -> str:
        """Return which passage carries the sentence at start, for people."""
        first = self._fate(0, start)
        if first is None:
            return "The prompt was not answered again with all passages, so nothing can be said."
        if first is Fate.FALLEN:
            return (
                "Answered again at temperature 0 with all passages, the model does not say this, so no "
                "passage can be named that carries it."
            )
        found = self.carriers(start)
        untried = f" Not tried: without {_listed(self.untried, 'or')}." if self.untried else ""
        if not found:
            return f"No single passage carries this: it is still said without any one of them.{untried}"
        verb = "carries" if len(found) == 1 else "each carry"
        lost = [marker for marker in found if self._fate(marker, start) is Fate.UNSUPPORTED]
        unsaid = [marker for marker in found if marker not in lost]
        parts = [f"without {_listed(unsaid, 'or')} it is not said"] if unsaid else []
        parts += [f"without {_listed(lost, 'or')} it is said with no support"] if lost else []
        return f"{_listed(found)} {verb} this: {'; '.join(parts)}.{untried}"

    def _fate(self, marker: int, start: int) -> Fate | None:
        return next(
            (one.fates.get(start) for one in self.answers if one.marker == marker and not one.error), None
        )


def _listed(markers: Sequence[int], last: str = "and") -> str:
    """Return markers as people write them: “[1], [2] and [3]”."""
    named = [f"[{marker}]" for marker in markers]
    return f" {last} ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


@dataclass(frozen=True)
class Expected:
    """What a leave-one-out will take; seconds is None when the trace does not tell how long answers took."""

    answers: int
    seconds: float | None = field(default=None)

    def sentence(self) -> str:
        """Return it for people: “6 answers, about 40 s”."""
        count = counted(self.answers, "answer")
        if self.seconds is None:
            return f"{count}; how long they take is not known"
        minutes = f"{self.seconds / 60:,.0f} min" if self.seconds >= 120 else f"{max(self.seconds, 1):,.0f} s"
        return f"{count}, about {minutes}"


def expected(trace: TraceDetail) -> Expected:
    """Return how many answers a leave-one-out of a trace takes, and how long if they are as this one was."""
    count = trace.passage_count + 1
    known = [part for part in (trace.read_ms, trace.generate_ms) if part is not None]
    if not known:
        return Expected(count)
    return Expected(count, count * (sum(known) + (trace.check_ms or 0.0)) / 1000)


def checkable(claims: Sequence[ClaimResult]) -> tuple[ClaimResult, ...]:
    """Return the sentences of an answer that claim something."""
    return tuple(claim for claim in claims if claim.verdict.is_claim)


def read_attribution(database: Database, trace_id: str) -> Attribution | None:
    """Return the last leave-one-out of a trace, complete or not; None: there was none."""
    groups = database.cells(
        """SELECT r.group_id FROM replay r JOIN trace t ON t.id = r.trace_id
           WHERE r.parent_id = ? AND r.group_id != '' ORDER BY t.created_ms DESC, t.rowid DESC LIMIT 1""",
        (trace_id,),
    )
    if not groups:
        return None
    try:
        parent = get_trace(database, trace_id)
    except NotFoundError:  # deleted, and its replays are kept
        return None
    answers = [
        LeftOut(
            next(iter(changes_of(changes).without), 0),
            key,
            "" if TraceStatus(status).is_complete else (error or status),
            {int(start): Fate(fate) for start, fate in json.loads(fates).items()},
        )
        for key, changes, fates, status, error in database.cells(
            """SELECT r.trace_id, r.changes, r.fates, t.status, t.error FROM replay r
               JOIN trace t ON t.id = r.trace_id WHERE r.group_id = ? ORDER BY t.created_ms, t.rowid""",
            groups[0],
        )
    ]
    packed = sorted((h for h in parent.hits if h.marker is not None), key=lambda h: h.marker or 0)
    passages = tuple((hit.marker or 0, hit.document, hit.place) for hit in packed)
    return Attribution(trace_id, passages, checkable(parent.claims), tuple(answers))
