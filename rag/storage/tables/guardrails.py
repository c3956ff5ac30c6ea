"""Tables of guardrails: policies in versions that never change, where they apply, and what they found."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class GuardPolicy(SQLModel, table=True):
    """A guardrail policy, whose rules are its versions."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    description: str = ""
    created_ms: int
    last_number: int = 0  # of a version; numbers are not given again


class GuardPolicyVersion(SQLModel, table=True):
    """An immutable list of rules of a policy."""

    __table_args__ = (UniqueConstraint("policy_id", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    policy_id: int = Field(index=True)
    number: int
    created_ms: int
    message: str
    author: str
    content: str  # JSON of the rules
    fingerprint: str = Field(index=True)  # of the content


class GuardPolicyLabel(SQLModel, table=True):
    """A name that points to one version of a policy and can be moved; `production` is what acts."""

    policy_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True)
    version_id: int
    moved_ms: int


class GuardPolicyLabelMove(SQLModel, table=True):
    """The log of a label. from_number None: it was made; to_number None: it was removed."""

    id: int | None = Field(default=None, primary_key=True)
    policy_id: int = Field(index=True)
    label: str
    from_number: int | None = None
    to_number: int | None = None
    moved_ms: int
    author: str
    note: str = ""


class GuardPolicyBinding(SQLModel, table=True):
    """A collection to which a policy applies; collection_id 0: all of them, and what belongs to none."""

    policy_id: int = Field(primary_key=True)
    collection_id: int = Field(primary_key=True)
    bound_ms: int


class GuardrailResult(SQLModel, table=True):
    """What one rule of a policy found and did. The text is not kept here: it may be what was masked."""

    id: int | None = Field(default=None, primary_key=True)
    trace_id: str = Field(default="", index=True)  # "" of a document that was added
    document: str = ""  # name of the document or passage that it was found in
    collection: str = ""  # its name
    created_ms: int = Field(index=True)
    policy: str
    number: int  # of the policy's version
    fingerprint: str
    rule: str
    check_name: str
    place: str  # a rag.guardrails.policies.rows.Place
    action: str  # a rag.guardrails.policies.rows.Action
    kind: str
    start: int
    end: int
    score: float
    reason: str
    is_right: bool | None = None  # what a person says of it; None: nobody has
    review_note: str = ""
    reviewed_ms: int | None = None


class GuardMask(SQLModel, table=True):
    """What a placeholder of a trace stands for, where the policy lets that be kept."""

    trace_id: str = Field(primary_key=True)
    placeholder: str = Field(primary_key=True)
    original: str


class GuardMeasurement(SQLModel, table=True):
    """How often a rule of a policy's version acts on what is here already, by kind of text."""

    id: int | None = Field(default=None, primary_key=True)
    version_id: int = Field(index=True)
    measured_ms: int
    collection: str
    rule: str
    check_name: str
    texts: str  # chunks | questions
    total: int
    alarms: int  # texts in which the rule found something
    wrong: int = 0  # of them, what a person called wrong


mark(GuardPolicy, name="name", written="description")
mark(GuardPolicyVersion, written="message content", name="author", technical="fingerprint")
mark(GuardPolicyLabel, name="name")
mark(GuardPolicyLabelMove, written="note", name="label author")
mark(GuardPolicyBinding)
mark(GuardrailResult, name="document collection policy rule", derived="reason", written="review_note",
     technical="trace_id fingerprint check_name place action kind")  # fmt: skip
mark(GuardMask, copy="original", technical="trace_id placeholder")
mark(GuardMeasurement, name="collection rule", technical="check_name texts")
