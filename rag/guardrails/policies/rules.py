"""The rules of a policy as a person writes them: checked, with a sentence for what is wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rag.errors import RagError
from rag.guardrails.forms import refuse_pattern
from rag.guardrails.policies.rows import Action, CheckName, Place
from rag.guardrails.rows import Injection, PersonalData

MOST_RULES = 100
_ENDS = frozenset({Action.NOTE, Action.WARN, Action.REFUSE})
# Where a check makes sense, and what it can do: only what has a place in the text can be masked.
_WITH_A_PLACE = frozenset({CheckName.PERSONAL_DATA, CheckName.INJECTION, CheckName.PHRASES})
_CHECKS_AT: Mapping[CheckName, frozenset[Place]] = {
    CheckName.CITATION: frozenset({Place.ANSWER}),
    # A rendered prompt has the chat template's own tokens and instructions.
    CheckName.INJECTION: frozenset(Place) - {Place.PROMPT},
    CheckName.TOPICS: frozenset({Place.QUESTION, Place.ANSWER, Place.PASSAGES, Place.SERVER, Place.MCP}),
}
_ACTIONS_AT: Mapping[Place, frozenset[Action]] = {
    Place.DOCUMENT: frozenset(Action) - {Action.ASK},
    Place.QUESTION: frozenset(Action) - {Action.LEAVE_OUT},
    Place.PASSAGES: frozenset(Action),
    Place.PROMPT: frozenset(Action) - {Action.LEAVE_OUT},
    Place.ANSWER: _ENDS | {Action.MASK},
    Place.RECEIVED: frozenset({Action.NOTE, Action.WARN, Action.MASK}),
    Place.SERVER: _ENDS | {Action.MASK},
    Place.MCP: _ENDS | {Action.MASK},
}
_KINDS: Mapping[CheckName, frozenset[str]] = {
    CheckName.PERSONAL_DATA: frozenset(PersonalData),
    CheckName.INJECTION: frozenset(Injection),
}

Text = Annotated[str, Field(min_length=1, max_length=2_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleException(_Strict):
    """What a rule does not act on, and why. Of text, kind and rule at least one is given; all must fit.

    Attributes:
        text: The text that was found, whatever its case.
        kind: The kind of finding.
        rule: Another rule of the policy: where that one finds something in the text, this one does not act.
        reason: Why, for whoever reads the policy later.
    """

    text: str = ""
    kind: str = ""
    rule: str = ""
    reason: Text

    @model_validator(mode="after")
    def _of_something(self) -> RuleException:
        if not (self.text or self.kind or self.rule):
            raise ValueError("an exception needs a text, a kind or a rule")
        return self


class Rule(_Strict):
    """One rule: which check, where, and what happens.

    Attributes:
        name: What results call it; made of check and places when it is left out.
        check: The check.
        where: The places at which it looks.
        action: What it does.
        threshold: The lowest score of a finding that counts; of topics a cosine.
        kinds: Of personal data or injections; none: all.
        most: The longest length, in characters.
        languages: Those that are allowed, as ISO 639-1 codes.
        phrases: Forbidden words, whatever their case.
        patterns: Forbidden regular expressions.
        blocked: Examples of blocked topics, by topic.
        allowed: Examples of allowed topics, by topic.
        refusal: What is said instead of an answer.
        only_leaving: It acts only on what is sent to another computer.
        keeps_original: What was masked is kept beside the trace, so that the window can show it.
        exceptions: What it does not act on.
    """

    name: str = ""
    check: CheckName
    where: Annotated[tuple[Place, ...], Field(min_length=1)]
    action: Action
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    kinds: tuple[str, ...] = ()
    most: Annotated[int | None, Field(ge=1)] = None
    languages: tuple[str, ...] = ()
    phrases: tuple[Text, ...] = ()
    patterns: tuple[Text, ...] = ()
    blocked: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    allowed: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    refusal: str = ""
    only_leaving: bool = False
    keeps_original: bool = False
    exceptions: tuple[RuleException, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _one_place(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("where"), str):
            return {**values, "where": (values["where"],)}
        return values

    @model_validator(mode="after")
    def _fits(self) -> Rule:
        if self.action is Action.MASK and self.check not in _WITH_A_PLACE:
            raise ValueError(f"{self.check} concerns the whole text, so there is nothing to mask")
        for place in self.where:
            if place not in _CHECKS_AT.get(self.check, frozenset(Place)):
                raise ValueError(f"{self.check} cannot be checked at the place {place}")
            if self.action not in _ACTIONS_AT[place]:
                raise ValueError(f"the action {self.action} is not possible at the place {place}")
        if self.only_leaving and self.where != (Place.PROMPT,):
            raise ValueError("only_leaving goes with the place prompt alone: only the prompt is sent")
        self._has_what_it_needs()
        known = _KINDS.get(self.check, frozenset())
        if unknown := [kind for kind in self.kinds if kind not in known]:
            raise ValueError(
                f"{self.check} knows no {unknown[0]}; it knows {', '.join(sorted(known)) or 'none'}"
            )
        return self

    def _has_what_it_needs(self) -> None:
        needs = {
            CheckName.LENGTH: (self.most, "most: the longest length in characters"),
            CheckName.LANGUAGE: (self.languages, "languages, such as [en]"),
            CheckName.PHRASES: (self.phrases or self.patterns, "phrases or patterns"),
            CheckName.TOPICS: (
                any((*self.blocked.values(), *self.allowed.values())),
                "examples of blocked or allowed topics",
            ),
        }  # fmt: skip
        value, what = needs.get(self.check, (True, ""))
        if not value:
            raise ValueError(f"the check {self.check} needs {what}")

    @property
    def title(self) -> str:
        """Its name, or what it is."""
        return self.name or f"{self.check}: {self.action} ({', '.join(self.where)})"


class Rules(_Strict):
    """The rules of a version of a policy, in the order in which they act."""

    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=MOST_RULES)]

    @property
    def content(self) -> str:
        """The rules as JSON, the same for the same rules."""
        values = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(values, sort_keys=True, ensure_ascii=False)

    @property
    def fingerprint(self) -> str:
        """16 hex digits of the sha256 of the rules."""
        return hashlib.sha256(self.content.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def make_rules(rules: Sequence[Mapping[str, Any]]) -> Rules:
    """Return checked rules. Raises RagError with the rule, its key and what is wrong with it."""
    try:
        made = Rules.model_validate({"rules": list(rules)})
    except ValidationError as error:
        raise RagError(_sentence(error)) from error
    names = [rule.title for rule in made.rules]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise RagError(f"Two rules are called “{twice}”. Give each a name of its own.")
    _refuse_circles(made)
    for rule in made.rules:
        for pattern in rule.patterns:
            refuse_pattern(pattern)
    return made


@lru_cache(maxsize=256)
def read_stored(content: str) -> Rules:
    """Return the rules of a stored version, which were checked when they were saved."""
    return Rules.model_validate_json(content)


def read_yaml(text: str, name: str = "The policy") -> list[dict[str, Any]]:
    """Return the rules of a YAML text with the key `rules`. Raises RagError when it is none."""
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where else ""
        raise RagError(f"{name} is not YAML{line}: {getattr(error, 'problem', None) or error}.") from error
    rules = values.get("rules") if isinstance(values, dict) else values
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise RagError(f"{name} needs a list of rules under the key “rules”.")
    return rules


def write_yaml(content: str) -> str:
    """Return stored rules as YAML that a person can read and change."""
    return yaml.safe_dump(json.loads(content), sort_keys=False, allow_unicode=True, width=100)


def _refuse_circles(made: Rules) -> None:
    names = {rule.title for rule in made.rules}
    graph: dict[str, set[str]] = {}
    for rule in made.rules:
        graph[rule.title] = {one.rule for one in rule.exceptions if one.rule}
        if unknown := graph[rule.title] - names:
            raise RagError(
                f"The rule “{rule.title}” has an exception for “{min(unknown)}”, which is no rule."
            )
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " → ".join(f"“{name}”" for name in error.args[1])
        raise RagError(f"The exceptions of these rules lead in a circle: {circle}. Take one away.") from error


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    place = list(first["loc"])
    number = next((part for part in place if isinstance(part, int)), None)
    keys = ".".join(str(part) for part in place[2:])
    where = f"Rule {number + 1}" if number is not None else "The policy"
    where += f", {keys}" if keys else ""
    if first["type"] == "enum":
        wanted = str(first["ctx"]["expected"]).replace("'", "")
        return f"{where}: “{first['input']}” is not known. Choose {wanted}."
    if first["type"] == "extra_forbidden":
        return f"{where}: there is no such key."
    if first["type"] == "missing":
        return f"{where}: it is missing."
    if first["type"] == "too_short" and number is None:
        return "The policy has no rules."
    return f"{where}: {str(first['msg']).removeprefix('Value error, ')}."
