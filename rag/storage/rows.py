"""Defines values of the data folder: progress and reports of backups and moves, and the space in use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rag.text.plurals import counted


@dataclass(frozen=True)
class BackupProgress:
    """A point that a backup, a restore or a move has reached, in bytes of this stage."""

    stage: str  # "copying" | "packing" | "checking" | "unpacking"
    bytes_done: int
    bytes_total: int


@dataclass(frozen=True)
class BackupReport:
    """A backup that was written: its path and size, and how many rows each table has."""

    path: str
    size_bytes: int
    rows: tuple[tuple[str, int], ...]  # (table, rows)
    seconds: float


@dataclass(frozen=True)
class BackupInfo:
    """A backup, as its manifest describes it. Members are (name, bytes, sha256)."""

    path: str
    program: str
    schema: int
    created_ms: int
    members: tuple[tuple[str, int, str], ...]
    rows: tuple[tuple[str, int], ...]

    @property
    def size_bytes(self) -> int:
        """The size of its files in bytes, unpacked."""
        return sum(size for _, size, _ in self.members)

    @property
    def content(self) -> str:
        """Its content in words, such as "1 collection, 3 documents, 12 traces"."""
        rows = dict(self.rows)
        counts = [(rows.get(name, 0), name) for name in ("collection", "document", "trace")]
        return ", ".join(counted(count, name) for count, name in counts)


@dataclass(frozen=True)
class MoveReport:
    """A move that was made. followed: the program finds the new place by itself; else --data must name it."""

    source: str
    target: str
    size_bytes: int
    followed: bool


@dataclass(frozen=True)
class SpaceUse:
    """A part of the data folder and the space that it takes."""

    what: str
    bytes: int
    detail: str = ""


@dataclass(frozen=True)
class Check:
    """One thing of the installation or the data folder that `doctor` looked at.

    Attributes:
        name: What was looked at.
        ok: Whether it is well.
        detail: What was found; of what is not well, also how it is repaired.
    """

    name: str
    ok: bool
    detail: str


class AuditAction(StrEnum):
    """What a row of the audit log says was done. Values are stored and hashed: one that is there stays."""

    ALERT_ACKNOWLEDGED = "alert acknowledged"
    ALERT_FIRED = "alert fired"
    ALERT_RULE_ADDED = "alert rule added"
    ALERT_RULE_CHANGED = "alert rule changed"
    ALERT_RULE_REMOVED = "alert rule removed"
    ANSWER_CACHE_CLEARED = "answer cache cleared"
    ANSWER_REVIEWED = "answer reviewed"
    AUDIT_HEAD_WRITTEN = "audit head written"
    AUDIT_LOG_EXPORTED = "audit log exported"
    AUDIT_WORDS_ERASED = "audit words erased"
    BACKUP_MADE = "backup made"
    BLIND_ANSWERS_COMPARED = "blind answers compared"
    BORDER_CHANGED = "border changed"
    BUDGET_NEARLY_USED_UP = "budget nearly used up"
    BUDGET_REMOVED = "budget removed"
    BUDGET_SET = "budget set"
    BUDGET_USED_UP = "budget used up"
    CASES_GENERATED = "cases generated"
    COLLECTION_DELETED = "collection deleted"
    COLLECTION_MADE = "collection made"
    COLLECTION_RENAMED = "collection renamed"
    COMPACTED = "compacted"
    DATA_MOVED = "data moved"
    DATA_RESTORED = "data restored"
    DOCUMENT_ERASED = "document erased"
    DRAFT_ACCEPTED = "draft accepted"
    DRAFT_REJECTED = "draft rejected"
    ENDPOINT_CHANGED = "endpoint changed"
    ENDPOINT_CONNECTED = "endpoint connected"
    ENDPOINT_DISCONNECTED = "endpoint disconnected"
    ERASURE_DONE = "erasure done"
    EVALUATION_BEGUN = "evaluation begun"
    EVALUATION_CANCELLED = "evaluation cancelled"
    EVALUATION_DONE = "evaluation done"
    EVALUATION_FAILED = "evaluation failed"
    EVALUATION_RUN_DELETED = "evaluation run deleted"
    EVALUATION_RUN_RENAMED = "evaluation run renamed"
    EVALUATION_RUN_TAGGED = "evaluation run tagged"
    EVALUATION_RUN_UNTAGGED = "evaluation run untagged"
    EVALUATION_SET_CHANGED = "evaluation set changed"
    EVALUATION_SET_DELETED = "evaluation set deleted"
    EVALUATION_SET_EXPORTED = "evaluation set exported"
    EVALUATION_SET_MADE = "evaluation set made"
    EVALUATION_SET_RENAMED = "evaluation set renamed"
    EVIDENCE_REPORT_MADE = "evidence report made"
    EXPORT_QUEUE_CLEARED = "export queue cleared"
    FEEDBACK = "feedback"
    FEEDBACK_REMOVED = "feedback removed"
    FLAG_CALIBRATION = "flag calibration"
    FLAG_JUDGED = "flag judged"
    FLAG_LIMITS = "flag limits"
    FOLDER_NO_LONGER_WATCHED = "folder no longer watched"
    FOLDER_WATCHED = "folder watched"
    GATE_FAILED = "gate failed"
    GATE_NO_LONGER_REQUIRED = "gate no longer required"
    GATE_OVERRIDDEN = "gate overridden"
    GATE_PASSED = "gate passed"
    GATE_REQUIRED = "gate required"
    GUARDRAIL_RESULT_REVIEWED = "guardrail result reviewed"
    INDEX_MOVED = "index moved"
    INDEX_VERIFICATION_FAILED = "index verification failed"
    INDEX_VERIFIED = "index verified"
    MODEL_ADDED = "model added"
    MODEL_DOWNLOADED = "model downloaded"
    MODEL_REMOVED_FROM_THE_LIST = "model removed from the list"
    NEW_ANSWER_ACCEPTED = "new answer accepted"
    PIPELINE_DELETED = "pipeline deleted"
    PIPELINE_EXPORTED = "pipeline exported"
    PIPELINE_LABEL_MOVED = "pipeline label moved"
    PIPELINE_VERSION_MADE = "pipeline version made"
    POLICY_BOUND = "policy bound"
    POLICY_DELETED = "policy deleted"
    POLICY_LABEL_MOVED = "policy label moved"
    POLICY_MEASURED = "policy measured"
    POLICY_UNBOUND = "policy unbound"
    POLICY_VERSION_MADE = "policy version made"
    PRODUCTION_PIPELINE_REMOVED = "production pipeline removed"
    PROMPTS_EXPORTED = "prompts exported"
    PROMPTS_IMPORTED = "prompts imported"
    PROMPT_DELETED = "prompt deleted"
    PROMPT_LABEL_MOVED = "prompt label moved"
    PROMPT_VERSION_MADE = "prompt version made"
    RECEIVER_STARTED = "receiver started"
    RECEIVER_STOPPED = "receiver stopped"
    REFERENCE_PERIOD_REMOVED = "reference period removed"
    REFERENCE_PERIOD_SET = "reference period set"
    REGRESSION_QUESTIONS_RUN = "regression questions run"
    REGRESSION_QUESTION_ADDED = "regression question added"
    REGRESSION_QUESTION_REMOVED = "regression question removed"
    RETENTION_RUN = "retention run"
    REVIEWS_EXPORTED = "reviews exported"
    REVIEW_QUEUE_DELETED = "review queue deleted"
    REVIEW_QUEUE_FILLED = "review queue filled"
    ROLL_OUT_PROMOTED = "roll-out promoted"
    ROLL_OUT_STARTED = "roll-out started"
    ROLL_OUT_STOPPED = "roll-out stopped"
    SEARCH_CHANGED = "search changed"
    SERVER_CALLED = "server called"
    SERVER_STARTED = "server started"
    SERVER_STOPPED = "server stopped"
    SERVER_TOKEN_MADE = "server token made"
    SERVER_TOKEN_REVOKED = "server token revoked"
    SESSION_DELETED = "session deleted"
    SESSION_RESTORED = "session restored"
    SETTINGS_CHANGED = "settings changed"
    SUBJECT_EXPORTED = "subject exported"
    SUBJECT_SEARCHED = "subject searched"
    TABLE_EXPORTED = "table exported"
    TAG_REMOVED = "tag removed"
    TRACES_IMPORTED = "traces imported"
    TRACES_RECEIVED = "traces received"
    TRIAL_BUILT = "trial built"
    VERIFICATION_QUERY_ADDED = "verification query added"
    VERSION_ACTIVATED = "version activated"
    VERSION_DELETED = "version deleted"
    VERSION_EXPORTED = "version exported"
    VERSION_MADE = "version made"
    VERSION_TAGGED = "version tagged"
    WATCHING_PAUSED = "watching paused"
    WATCHING_RESUMED = "watching resumed"
