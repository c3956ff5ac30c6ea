"""Applies policies to texts: what each rule finds is recorded, and done what the rule says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rag.errors import RagError
from rag.grounding.sentences import is_refusal
from rag.guardrails import forms, injection, personal_data, topics
from rag.guardrails.policies.rows import Action, CheckName, Place, Result
from rag.guardrails.policies.rules import Rule, Rules
from rag.guardrails.rows import Finding

WITHHELD = "[withheld]"
_NO_THRESHOLD = frozenset({CheckName.TOPICS})  # it compares with the threshold itself


class Encoder(Protocol):
    """An embedder as checks use it: texts to vectors of length 1, and what names it."""

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the embedder."""

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return a vector for each text."""


class PolicyRefusedError(RagError):
    """A refusal by a policy. needs_yes: a person may say yes and ask again."""

    def __init__(self, sentence: str, needs_yes: bool = False) -> None:
        super().__init__(sentence)
        self.needs_yes = needs_yes


@dataclass(frozen=True)
class InForce:
    """A version of a policy that acts."""

    name: str
    number: int
    fingerprint: str
    rules: Rules


@dataclass(frozen=True)
class Edit:
    """A part of a text that was replaced by so many characters."""

    start: int
    end: int
    length: int


@dataclass(frozen=True)
class Checked:
    """A text after the policies: what is left of it, and what they found."""

    text: str
    results: tuple[Result, ...]
    refusal: str = ""  # what is said instead, "" when nothing refuses it
    question: str = ""  # what a person is asked first, "" when nothing is
    passes: tuple[tuple[Edit, ...], ...] = ()  # what each masking rule replaced

    def moved(self, offset: int) -> int:
        """Return where a place of the text is after it was masked; one inside a mask is behind it."""
        for edits in self.passes:
            shift = 0
            for edit in edits:
                if edit.start >= offset:
                    break
                inside = offset < edit.end
                shift += edit.length - (edit.end - edit.start) + (edit.end - offset if inside else 0)
            offset += shift
        return offset

    @property
    def is_left_out(self) -> bool:
        """Whether the passage or document is left out."""
        return bool(self.refusal) or any(result.action is Action.LEAVE_OUT for result in self.results)

    @property
    def reason(self) -> str:
        """Why it is left out or refused, as a short phrase."""
        hard = [r for r in self.results if r.action.strength >= Action.LEAVE_OUT.strength]
        return "; ".join(dict.fromkeys(f"the policy “{r.policy}” found {r.kind} ({r.reason})" for r in hard))


class Guard:
    """Policies that act on the texts of one question, document or trace: a value is masked alike in all."""

    def __init__(self, policies: Sequence[InForce], encode: Encoder | None = None) -> None:
        """Take policies.

        Args:
            policies: In the order in which they act.
            encode: The embedder by which topics are compared; None: rules on topics are refused.
        """
        self.policies = tuple(policies)
        self.results: list[Result] = []
        self.kept: dict[
            str, str
        ] = {}  # placeholder -> what it stands for, where the policy lets that be kept
        self._encode = encode
        self._masker = personal_data.Masker()

    @property
    def fingerprint(self) -> str:
        """What acts, in 16 hex digits; "" when nothing does."""
        return fingerprint_of(self.policies)

    def acts_at(self, *places: Place, actions: Iterable[Action] = tuple(Action)) -> bool:
        """Return whether some rule with one of these actions looks at one of these places."""
        wanted = frozenset(actions)
        return any(
            rule.action in wanted and not set(places).isdisjoint(rule.where)
            for policy in self.policies
            for rule in policy.rules.rules
        )

    def check(self, place: Place, text: str, *, document: str = "", leaves: bool = False) -> Checked:
        """Apply the rules for a place to a text, one after the other; what one masks the next does not see.

        Args:
            place: Where the text is.
            text: The text.
            document: The name of the document or passage.
            leaves: Whether the text is sent to another computer.
        """
        found: list[Result] = []
        refusals: list[str] = []
        questions: list[str] = []
        passes: list[tuple[Edit, ...]] = []
        for policy in self.policies:
            for rule in policy.rules.rules:
                if place not in rule.where or (rule.only_leaving and not leaves):
                    continue
                findings = self._find(policy.rules, rule, text)
                if not findings:
                    continue
                # What concerns the text as a whole is one result: results count texts then.
                whole = rule.action in (Action.LEAVE_OUT, Action.ASK, Action.REFUSE)
                counted = [max(findings, key=lambda one: one.score)] if whole else findings
                found += [_result(policy, rule, place, one, document) for one in counted]
                if rule.action is Action.MASK:
                    text, edits = self._masked(rule, text, findings)
                    passes.append(edits)
                elif rule.action is Action.REFUSE:
                    refusals.append(rule.refusal or _refusal(policy, findings, place))
                elif rule.action is Action.ASK:
                    questions.append(_question(policy, findings, place))
        self.results += found
        refusal, question = next(iter(refusals), ""), next(iter(questions), "")
        return Checked(text, tuple(found), refusal, question, tuple(passes))

    def mask_only(self, place: Place, text: str, *, leaves: bool = False) -> str:
        """Return a text with what the masking rules of a place hide; nothing else is done or recorded."""
        for policy in self.policies:
            for rule in policy.rules.rules:
                if rule.action is Action.MASK and place in rule.where and (leaves or not rule.only_leaving):
                    text, _ = self._masked(rule, text, self._find(policy.rules, rule, text))
        return text

    def _find(self, rules: Rules, rule: Rule, text: str) -> list[Finding]:
        """Return what a rule finds, without its exceptions."""
        found = [
            one
            for one in self._findings(rule, text)
            if one.score >= rule.threshold or rule.check in _NO_THRESHOLD or one.kind == forms.NOT_CHECKED
        ]
        if not found or not rule.exceptions:
            return found
        others = {one.title: one for one in rules.rules}
        silenced = {
            one.rule: bool(self._find(rules, others[one.rule], text)) for one in rule.exceptions if one.rule
        }

        def is_excepted(finding: Finding) -> bool:
            value = text[finding.start : finding.end].strip().casefold()
            return any(
                (not one.text or value == one.text.strip().casefold())
                and (not one.kind or finding.kind == one.kind)
                and (not one.rule or silenced[one.rule])
                for one in rule.exceptions
            )

        return [one for one in found if not is_excepted(one)]

    def _findings(self, rule: Rule, text: str) -> list[Finding]:
        if rule.check is CheckName.PERSONAL_DATA:
            return personal_data.find(text, rule.kinds or None)
        if rule.check is CheckName.INJECTION:
            return [one for one in injection.find(text) if not rule.kinds or one.kind in rule.kinds]
        if rule.check is CheckName.PHRASES:
            return list(forms.phrases_in(text, rule.phrases, rule.patterns))
        if rule.check is CheckName.LENGTH:
            return forms.too_long(text, rule.most or 0)
        if rule.check is CheckName.LANGUAGE:
            return forms.other_language(text, rule.languages)
        if rule.check is CheckName.CITATION:
            return [] if is_refusal(text) else forms.without_citation(text)
        if self._encode is None:
            raise RagError("Topics are compared by the embedder of a collection. Choose a collection.")
        return topics.find(text, _learn(rule, self._encode), rule.threshold, self._encode)

    def _masked(self, rule: Rule, text: str, findings: Sequence[Finding]) -> tuple[str, tuple[Edit, ...]]:
        """Return the text with its findings replaced, and what was replaced."""
        chosen = personal_data.without_overlaps(findings)
        if rule.check is CheckName.PERSONAL_DATA:
            self._masker.mask(text, chosen)  # gives placeholders that the whole text does not have itself
        parts: list[str] = []
        edits: list[Edit] = []
        end = 0
        for one in chosen:
            value = text[one.start : one.end]
            name = self._placeholder(rule, one, value)
            if rule.keeps_original and name != WITHHELD:
                self.kept[name] = value
            parts += [text[end : one.start], name]
            edits.append(Edit(one.start, one.end, len(name)))
            end = one.end
        return "".join([*parts, text[end:]]), tuple(edits)

    def _placeholder(self, rule: Rule, found: Finding, value: str) -> str:
        if rule.check is not CheckName.PERSONAL_DATA:
            return WITHHELD
        alone = Finding(found.check, found.kind, 0, len(value), found.score, found.reason)
        return self._masker.mask(value, [alone])


def fingerprint_of(policies: Iterable[InForce]) -> str:
    """Return what acts, in 16 hex digits; "" for nothing."""
    named = " ".join(f"{one.name}\0{one.number}\0{one.fingerprint}" for one in policies)
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:16] if named else ""


def _result(policy: InForce, rule: Rule, place: Place, found: Finding, document: str) -> Result:
    return Result(
        policy.name, policy.number, policy.fingerprint, rule.title, str(rule.check), place, rule.action,
        str(found.kind), found.start, found.end, found.score, found.reason, document,
    )  # fmt: skip


def _kinds(findings: Sequence[Finding]) -> str:
    return ", ".join(dict.fromkeys(str(one.kind) for one in findings))


def _refusal(policy: InForce, findings: Sequence[Finding], place: Place) -> str:
    return f"This was not answered: the policy “{policy.name}” found {_kinds(findings)} in the {place}."


def _question(policy: InForce, findings: Sequence[Finding], place: Place) -> str:
    return (
        f"The policy “{policy.name}” found {_kinds(findings)} in the {place} and asks before it is used. Ask "
        "again and confirm, on the command line with --yes."
    )


_learned: dict[tuple[str, str], topics.Topics] = {}  # by embedder and examples: vectors are made once
_MOST_LEARNED = 64


def _learn(rule: Rule, encode: Encoder) -> topics.Topics:
    key = (encode.fingerprint, f"{rule.blocked!r} {rule.allowed!r}")
    if key not in _learned:
        if len(_learned) >= _MOST_LEARNED:
            _learned.clear()
        _learned[key] = topics.learn(rule.blocked, rule.allowed, encode)
    return _learned[key]
