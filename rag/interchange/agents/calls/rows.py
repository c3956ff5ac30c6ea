"""Calls in a trace: which agent calls which agent and tool, what each adds up to, and loops with their waste.

Pure functions over the rows of steps, which the window and the command line call alike.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from rag.interchange.agents.rows import StepRow
from rag.interchange.rows import StepKind

N = TypeVar("N", int, float)

LOOP = 3  # times that a tool is called with the same arguments


class PartyKind(StrEnum):
    """What takes part in the calls of a trace."""

    APPLICATION = "application"  # whatever calls the first agent
    AGENT = "agent"
    TOOL = "tool"
    RETRIEVER = "retriever"
    GUARDRAIL = "guardrail"


_CALLED = {
    StepKind.AGENT: PartyKind.AGENT,
    StepKind.TOOL: PartyKind.TOOL,
    StepKind.RETRIEVER: PartyKind.RETRIEVER,
    StepKind.GUARDRAIL: PartyKind.GUARDRAIL,
}


@dataclass(frozen=True)
class Party:
    """An agent, tool, retriever or guardrail by its name; the application has none."""

    kind: PartyKind
    name: str

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or f"({self.kind})"


APPLICATION = Party(PartyKind.APPLICATION, "")


@dataclass(frozen=True)
class Call:
    """The calls of one party by another, with those that failed and their time."""

    caller: Party
    callee: Party
    count: int
    errors: int
    took_ms: float


@dataclass(frozen=True)
class PartySum:
    """What the calls of one party add up to.

    Tokens and cost are those of the models that it called itself; of a tool, of models inside it. None: not
    told.
    """

    party: Party
    calls: int
    errors: int
    took_ms: float
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    model_calls: int = 0
    untold: int = 0  # calls of models that did not tell their tokens


@dataclass(frozen=True)
class Loop:
    """A tool that was called with the same arguments again and again.

    Wasted is what the calls after the first cost: their time, and the tokens of the calls of models that
    asked for them or that they made; None when no such call told its tokens.
    """

    tool: str
    count: int
    span_ids: tuple[str, ...]
    wasted_tokens: int | None
    wasted_ms: float

    @property
    def sentence(self) -> str:
        """What happened, as a part of a sentence."""
        said = f"{self.tool} was called {self.count} times with the same arguments"
        return said if self.wasted_tokens is None else f"{said}, which spent {self.wasted_tokens:,} tokens"


@dataclass(frozen=True)
class Calls:
    """The calls of a trace, what each party adds up to, and the loops in them."""

    calls: tuple[Call, ...]
    sums: tuple[PartySum, ...]
    loops: tuple[Loop, ...]


def calls_of(steps: Sequence[StepRow]) -> Calls:
    """Return who calls whom in the steps of a trace, which come parents before children."""
    places = _places(steps)
    calls: dict[tuple[Party, Party], _Tally] = defaultdict(_Tally)
    sums: dict[Party, _Tally] = defaultdict(_Tally)
    for step in steps:
        if not step.is_counted:
            continue
        place = places[step.span_id]
        if place.is_call:
            calls[place.caller, place.party].add_call(step)
            sums[place.party].add_call(step)
        if step.kind is StepKind.LLM:
            sums[place.party].add_model(step)
            if place.agent != place.party:
                sums[place.agent].add_model(step)
    order = list(PartyKind)
    return Calls(
        tuple(Call(*key, one.calls, one.errors, one.took_ms) for key, one in calls.items()),
        tuple(
            sorted(
                (PartySum(party, **vars(one)) for party, one in sums.items()),
                key=lambda one: (order.index(one.party.kind), -one.took_ms),
            )
        ),
        loops_of(steps),
    )


def loops_of(steps: Sequence[StepRow]) -> tuple[Loop, ...]:
    """Return the tools that were called with the same arguments three times and more, the longest first.

    A tool whose arguments are not recorded is left out: nothing says that they were the same.
    """
    same: dict[tuple[str, str], list[StepRow]] = defaultdict(list)
    for step in steps:
        if step.kind is StepKind.TOOL and step.call and step.is_counted:
            same[step.tool or step.name, step.call].append(step)
    found = {key: called for key, called in same.items() if len(called) >= LOOP}
    if not found:
        return ()
    waste = _Waste(steps)
    loops = []
    for (tool, _), called in found.items():
        again = sorted(called, key=lambda step: (step.start_ms, step.position))[1:]
        loops.append(
            Loop(
                tool,
                len(called),
                tuple(step.span_id for step in called),
                waste.tokens(again),
                sum(step.took_ms for step in again),
            )
        )
    return tuple(sorted(loops, key=lambda loop: -loop.count))


@dataclass
class _Tally:
    """What is added up of one party, or of the calls between two."""

    calls: int = 0
    errors: int = 0
    took_ms: float = 0.0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    model_calls: int = 0
    untold: int = 0

    def add_call(self, step: StepRow) -> None:
        """Add a call."""
        self.calls += 1
        self.errors += bool(step.error)
        self.took_ms += step.took_ms

    def add_model(self, step: StepRow) -> None:
        """Add what a call of a model tells."""
        self.model_calls += 1
        self.untold += step.tokens is None
        self.prompt_tokens = _added(self.prompt_tokens, step.prompt_tokens)
        self.completion_tokens = _added(self.completion_tokens, step.completion_tokens)
        self.cost_usd = _added(self.cost_usd, step.cost_usd)


@dataclass(frozen=True)
class _Place:
    """Where a step stands: what it is a part of, the agent around it, who called it, if it is a call."""

    party: Party
    agent: Party
    caller: Party
    is_call: bool


def _places(steps: Sequence[StepRow]) -> dict[str, _Place]:
    places: dict[str, _Place] = {}
    outside = _Place(APPLICATION, APPLICATION, APPLICATION, False)
    for step in steps:
        above = places.get(step.parent_id, outside)
        kind = _CALLED.get(step.kind)
        if kind is None:  # a chain or the call of a model: an agent of its own only where the sender says so
            named = Party(PartyKind.AGENT, step.agent) if step.agent else above.agent
            party = named if named != above.agent else above.party
        else:
            name = step.agent or step.name if kind is PartyKind.AGENT else step.tool or step.name
            party = Party(kind, name)
        agent = party if party.kind is PartyKind.AGENT else above.agent
        caller = _caller(step, party, above)
        places[step.span_id] = _Place(party, agent, caller, party != above.party and party != caller)
    return places


def _caller(step: StepRow, party: Party, above: _Place) -> Party:
    if step.called_from:
        return Party(PartyKind.AGENT, step.called_from)
    if step.agent and party.kind is not PartyKind.AGENT and above.party.kind is not PartyKind.TOOL:
        return Party(PartyKind.AGENT, step.agent)  # the span of a tool that names the agent that called it
    return above.party


def _added(total: N | None, more: N | None) -> N | None:
    return total if more is None else more if total is None else total + more


class _Waste:
    """The tokens of the calls of models that asked for some calls of tools, or that these made."""

    def __init__(self, steps: Sequence[StepRow]) -> None:
        self._steps = steps
        self._places = _places(steps)
        self._number = {step.span_id: number for number, step in enumerate(steps)}
        self._asked: dict[Party, list[StepRow]] = defaultdict(list)  # by agent, in the order of their start
        for step in sorted(steps, key=lambda step: step.start_ms):
            place = self._places[step.span_id]
            if step.kind is StepKind.LLM and step.is_counted and place.party == place.agent:
                self._asked[place.agent].append(step)

    def tokens(self, calls: Sequence[StepRow]) -> int | None:
        """Return the tokens; None when none of these calls of models told them."""
        models: dict[str, StepRow] = {}
        for call in calls:
            before = self._asked[self._places[call.span_id].agent]
            number = bisect_right(before, call.start_ms, key=lambda step: step.start_ms)
            for step in (*before[max(number - 1, 0) : number], *self._below(call)):
                if step.kind is StepKind.LLM and step.is_counted:
                    models[step.span_id] = step
        told = [step.tokens for step in models.values() if step.tokens is not None]
        return sum(told) if told else None

    def _below(self, call: StepRow) -> list[StepRow]:
        first = self._number[call.span_id] + 1
        found = []
        for step in self._steps[first:]:
            if step.depth <= call.depth:
                break
            found.append(step)
        return found
