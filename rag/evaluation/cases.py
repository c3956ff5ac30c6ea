"""The cases of an evaluation set: checked values, the same in the database, in files and in a run."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

Text = Annotated[str, Field(max_length=100_000)]
Short = Annotated[str, Field(max_length=1000)]

CheckType = Literal[
    "contains", "not-contains", "equals", "regex", "not-regex", "is-json", "length", "language"
]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Judgement(_Value):
    """A grade that says how relevant a document, or the characters [start, end) of it, is to a question.

    Attributes:
        document: Its source path or name.
        start: The first character; None: the whole document.
        end: The character after the last one.
        grade: 0 is judged and not relevant, 1 and more is relevant (TREC).
        quote: The text of the passage. It finds the passage again where the document has no such place, or is
            not named at all.
    """

    document: Short = ""
    start: Annotated[int, Field(ge=0)] | None = None
    end: Annotated[int, Field(ge=1)] | None = None
    grade: Annotated[int, Field(ge=-10, le=100)] = 1
    quote: Text = ""

    @property
    def label(self) -> str:
        """What people read: the document with the place, and the beginning of the quote."""
        place = "" if self.start is None else f"#{self.start}-{self.end}"
        words = " ".join(self.quote.split())
        quote = "" if not words else f"“{words if len(words) <= 80 else words[:79] + '…'}”"
        return " ".join(part for part in (f"{self.document}{place}", quote) if part)

    @model_validator(mode="after")
    def _whole(self) -> Judgement:
        if not self.document and not self.quote:
            raise ValueError("a judgement must name a document or quote a passage")
        if (self.start is None) != (self.end is None):
            raise ValueError("a judgement must have both start and end, or neither")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("the end of a judgement must come after its start")
        if self.start is not None and not self.document:
            raise ValueError("a judgement with start and end must name its document")
        return self


class Check(_Value):
    """A rule that the form of an answer must satisfy; types are named like promptfoo's assertions.

    Attributes:
        type: The rule.
        value: A text (contains, not-contains, equals, regex, not-regex), a JSON schema or None (is-json),
            {"min": …, "max": …} in characters (length), or an ISO 639-1 code (language).
    """

    type: CheckType
    value: JsonValue = None

    @model_validator(mode="after")
    def _right_value(self) -> Check:
        if self.type == "is-json":
            right = self.value is None or isinstance(self.value, dict | bool)
        elif self.type == "length":
            values = self.value if isinstance(self.value, dict) else {}
            right = bool(values) and set(values) <= {"min", "max"}
            right = right and all(type(v) is int and v >= 0 for v in values.values())
        else:
            right = isinstance(self.value, str) and 0 < len(self.value) <= 10_000
        if not right:
            raise ValueError(f"the check {self.type} cannot have the value {json.dumps(self.value)[:80]}")
        return self


class Case(_Value):
    """A question with what is known about its right answer.

    Attributes:
        key: What identifies the case in every version of its set, and pairs the runs of two pipelines.
        question: What is asked.
        references: Right answers; any of them will do.
        judgements: The passages that are relevant, or are known not to be.
        should_refuse: Whether the documents do not answer it, so that declining is right.
        tags: Words that cases are grouped by.
        weight: Stored with the case for tools that weight cases.
        checks: What the form of the answer must satisfy.
        origin: "hand", "trace:ID", "file:NAME" or "generated".
        cluster: The source document. Cases of one document are not independent.
    """

    key: Annotated[str, Field(max_length=200)] = ""
    question: Annotated[str, Field(min_length=1, max_length=100_000)]
    references: Annotated[tuple[Text, ...], Field(max_length=100)] = ()
    judgements: Annotated[tuple[Judgement, ...], Field(max_length=10_000)] = ()
    should_refuse: bool = False
    tags: Annotated[tuple[Short, ...], Field(max_length=100)] = ()
    weight: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 1.0
    checks: Annotated[tuple[Check, ...], Field(max_length=100)] = ()
    origin: Short = "hand"
    cluster: Short = ""

    @model_validator(mode="after")
    def _asks(self) -> Case:
        if not self.question.strip():
            raise ValueError("the question is empty")
        return self

    @property
    def content(self) -> str:
        """Canonical JSON of all but the origin: equal for equal cases."""
        return json.dumps(
            self.model_dump(mode="json", exclude={"origin"}),
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        )

    @property
    def fingerprint(self) -> str:
        """The sha256 of the content, 64 hex digits."""
        return hashlib.sha256(self.content.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def right_answers(self) -> tuple[str, ...]:
        """The references that say something: a blank one, or one of punctuation alone, is none."""
        return tuple(text for text in self.references if says_something(text))

    @property
    def asked(self) -> str:
        """The sha256 of what metrics depend on: question, references, judgements, refusal and checks.

        Cases of two runs are paired where it is equal; a tag or a weight may differ.
        """
        parts = self.model_dump(
            mode="json", include={"question", "references", "judgements", "should_refuse", "checks"}
        )
        text = json.dumps(parts, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def source_cluster(self) -> str:
        """What the case is resampled with: its source document, else its own key."""
        named = self.cluster or next((j.document for j in self.judgements if j.grade > 0 and j.document), "")
        return named or self.key


def says_something(text: str) -> bool:
    """Return whether a text has more than white space and punctuation; a symbol such as + is something."""
    return any(not c.isspace() and not unicodedata.category(c).startswith("P") for c in text)


def free_key(case: Case, taken: Collection[str]) -> str:
    """Return a key made from the question, 12 hex digits, with a number when it is taken."""
    key = base = hashlib.sha256(case.question.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    number = 1
    while key in taken:
        number += 1
        key = f"{base}-{number}"
    return key


def make_case(values: dict[str, Any]) -> Case:
    """Return a checked case. Raises ValueError with the field and what is wrong with it."""
    try:
        return Case.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = str(first["msg"]).removeprefix("Value error, ")
        raise ValueError(f"{place}: {message}" if place else message) from error


def case_seed(run_seed: int, key: str, repeat: int) -> int:
    """Return the sampler's seed for a case in a repeat: the same in every pipeline and order, 31 bits."""
    digest = hashlib.sha256(f"{run_seed}\0{key}\0{repeat}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF
