"""Conditions of cascades: which questions a step is asked, and which of its answers are given.

They are pure functions of a question and of what its trace says. Each returns why something is refused, as
the end of a sentence, or "" when it is not: a person reads that reason on the answer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rag.asking.cascades.rows import QuestionClass, Signal
from rag.asking.query import points_back, wants_all
from rag.asking.rows import Question, TraceStatus
from rag.grounding.rows import ClaimResult, Outcome, SilentFailure, Verdict
from rag.storage.tables.traces import Trace
from rag.text.languages import language_name, language_of
from rag.text.plurals import counted
from rag.text.search_terms import folded, identifiers

Budget = Callable[[Question], float | None]  # what is left for such a question; None: there is no limit


class _Condition(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class QuestionRule(_Condition):
    """A rule on the question: everything that is given must fit, and an empty rule fits every question.

    Attributes:
        languages: Codes such as "en"; one whose language is unclear fits none.
        min_words: The shortest question, in words.
        max_words: The longest one.
        collections: Names of collections.
        tags: Tags of the question, such as those of its case; one of them is enough.
        classes: Kinds of questions; one of them is enough.
        budget_left: What a budget must still have, in its currency; a question without a budget fits.
    """

    languages: tuple[str, ...] = ()
    min_words: Annotated[int | None, Field(ge=1)] = None
    max_words: Annotated[int | None, Field(ge=1)] = None
    collections: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    classes: tuple[QuestionClass, ...] = ()
    budget_left: Annotated[float | None, Field(gt=0, allow_inf_nan=False)] = None

    @property
    def is_empty(self) -> bool:
        """Whether it fits every question."""
        return self == QuestionRule()

    def refusal(self, question: Question, budget: Budget | None = None) -> str:
        """Return why a question does not fit, as the end of a sentence; "" when it does."""
        words = len(question.text.split())
        language = language_of(question.text)
        if self.languages and language not in self.languages:
            return (
                f"the question is in {language_name(language)}" if language else "its language is not clear"
            )
        if self.min_words is not None and words < self.min_words:
            return f"the question has {counted(words, 'word')}, fewer than {self.min_words}"
        if self.max_words is not None and words > self.max_words:
            return f"the question has {counted(words, 'word')}, more than {self.max_words}"
        if self.collections and question.collection not in self.collections:
            return f"the question is about “{question.collection}”"
        if self.tags and not set(self.tags) & set(question.tags):
            return f"the question does not have the tag {' or '.join(self.tags)}"
        if self.classes and not set(self.classes) & set(classes_of(question.text)):
            return f"the question is of the class {' and '.join(classes_of(question.text))}"
        left = budget(question) if self.budget_left is not None and budget is not None else None
        if left is not None and self.budget_left is not None and left < self.budget_left:
            return f"only {max(left, 0.0):.2f} of the budget is left"
        return ""


def classes_of(text: str) -> tuple[QuestionClass, ...]:
    """Return the kinds that a question is of."""
    found = []
    if points_back(text):
        found.append(QuestionClass.FOLLOW_UP)
    if wants_all(text):
        found.append(QuestionClass.LIST)
    if identifiers(folded(text)):
        found.append(QuestionClass.IDENTIFIER)
    return tuple(found) or (QuestionClass.PLAIN,)


class Accept(_Condition):
    """What must be true of an answer to be given: everything that is named here. Empty: any answer is.

    Attributes:
        supported: The check finds support for every sentence, and nothing silent failed.
        at_least: The least of each signal.
        question: What the question must be.
    """

    supported: bool = False
    at_least: dict[Signal, Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]] = {}
    question: QuestionRule = QuestionRule()

    def refusal(
        self, question: Question, trace: Trace, claims: Sequence[ClaimResult], budget: Budget | None = None
    ) -> str:
        """Return why an answer is not given, as the end of a sentence; "" when it is."""
        if reason := self.question.refusal(question, budget):
            return reason
        if self.supported and (reason := why_unsupported(trace, claims)):
            return reason
        for signal, least in self.at_least.items():
            value = signal_of(signal, trace, claims)
            if value is None:
                return f"its {signal} is not known"
            if value < least:
                return f"{signal} {value:.2f}, below {least:.2f}"
        return ""


class Step(_Condition):
    """A step of a cascade, as a pipeline stores it.

    Attributes:
        model: Answers with this model, and as the cascade is set otherwise; empty: the cascade's own model.
        pipeline: Answers as this pipeline: "NAME", "NAME@NUMBER" or "NAME@LABEL".
        when: Which questions the step is asked.
        accept: Which of its answers are given. That of the last step always is.
        config: The whole configuration of the step, where nothing may move: in runs and roll-outs.
    """

    model: str = ""
    pipeline: str = ""
    when: QuestionRule = QuestionRule()
    accept: Accept = Accept()
    config: dict[str, Any] = {}

    @model_validator(mode="after")
    def _one(self) -> Step:
        if self.model and self.pipeline:
            raise ValueError("a step has either a model or a pipeline")
        return self

    @property
    def name(self) -> str:
        """What people call it."""
        bare = self.model.replace("\\", "/").rpartition("/")[2].removesuffix(".gguf")
        return self.pipeline or bare or "the active model"


def why_unsupported(trace: Trace, claims: Sequence[ClaimResult]) -> str:
    """Return why an answer is not known to be supported, as the end of a sentence; "" when it is."""
    if trace.status == TraceStatus.NOTHING_FOUND:
        return "nothing was found"
    failures = [SilentFailure(name) for name in json.loads(trace.silent_failures)]
    if failures:
        return f"{failures[0]}: {failures[0].description}"
    if trace.check_error:
        return f"its sentences could not be checked: {trace.check_error}"
    if trace.outcome == Outcome.REFUSED:
        return "the model declined to answer"
    contradicted = sum(claim.verdict is Verdict.CONTRADICTED for claim in claims)
    doubtful = sum(claim.verdict.is_doubt for claim in claims) - contradicted
    if contradicted:
        return f"{counted(contradicted, 'sentence')} contradicted"
    if doubtful:
        return f"{counted(doubtful, 'sentence')} unsupported"
    if not any(claim.verdict is Verdict.SUPPORTED for claim in claims):
        return "it has no sentence that could be checked"
    return ""


def signal_of(signal: Signal, trace: Trace, claims: Sequence[ClaimResult]) -> float | None:
    """Return a figure of an answer between 0 and 1; None when it is not known."""
    if signal is Signal.RETRIEVAL:
        return None if trace.best_score is None else min(max(trace.best_score, 0.0), 1.0)
    if signal is Signal.CONFIDENCE:
        return None if trace.mean_logprob is None else math.exp(min(trace.mean_logprob, 0.0))
    scored = [1 - claim.score for claim in claims if claim.score is not None]
    return min(scored, default=None)
