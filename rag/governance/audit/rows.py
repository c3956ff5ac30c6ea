"""Rows of the audit log, what their actions mean in plain words, and what a check of the chain found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rag.errors import NotFoundError
from rag.storage.database import Database
from rag.storage.rows import AuditAction as A
from rag.text.plurals import counted

PROVES = (
    "The log shows that somebody else changed, removed, added or reordered rows. Against the owner of this "
    "data folder it shows something only together with a head kept elsewhere: whoever owns the file can "
    "rewrite all of it, or cut rows off its end, and compute every hash again. It cannot show what never was "
    "in it, and not whether a row was true. Rows from before the log was a chain count as they were found."
)

# Each group with what its actions say after the name of who acted; {} is the subject.
GROUPS: dict[str, dict[A, str]] = {
    "Knowledge": {
        A.COLLECTION_MADE: "made the collection “{}”",
        A.COLLECTION_RENAMED: "renamed the collection “{}”",
        A.COLLECTION_DELETED: "deleted the collection “{}”",
        A.VERSION_MADE: "made a dataset version of “{}”",
        A.VERSION_ACTIVATED: "activated a dataset version of “{}”",
        A.VERSION_TAGGED: "tagged a dataset version of “{}”",
        A.TAG_REMOVED: "removed a tag from “{}”",
        A.VERSION_DELETED: "deleted a dataset version of “{}”",
        A.TRIAL_BUILT: "built a trial version of “{}”",
        A.INDEX_MOVED: "moved the index of “{}”",
        A.INDEX_VERIFIED: "verified the index of “{}”",
        A.INDEX_VERIFICATION_FAILED: "verified the index of “{}”, which failed",
        A.VERIFICATION_QUERY_ADDED: "added a verification query to “{}”",
        A.FOLDER_WATCHED: "began to watch a folder for “{}”",
        A.FOLDER_NO_LONGER_WATCHED: "stopped watching the folder {}",
        A.WATCHING_PAUSED: "paused watching the folder {}",
        A.WATCHING_RESUMED: "resumed watching the folder {}",
        A.SEARCH_CHANGED: "changed how “{}” is searched",
    },
    "Prompts and pipelines": {
        A.PROMPT_VERSION_MADE: "made the prompt version {}",
        A.PROMPT_LABEL_MOVED: "moved the prompt label {}",
        A.PROMPT_DELETED: "deleted the prompt “{}”",
        A.PROMPTS_IMPORTED: "imported prompts from {}",
        A.PIPELINE_VERSION_MADE: "made the pipeline version {}",
        A.PIPELINE_LABEL_MOVED: "moved the pipeline label {}",
        A.PIPELINE_DELETED: "deleted the pipeline “{}”",
        A.PRODUCTION_PIPELINE_REMOVED: "took the production pipeline away from “{}”",
    },
    "Gates and roll-outs": {
        A.GATE_REQUIRED: "made a gate required for {}",
        A.GATE_NO_LONGER_REQUIRED: "ended the gate that {} required",
        A.GATE_PASSED: "checked the run “{}” against a gate, which it passed",
        A.GATE_FAILED: "checked the run “{}” against a gate, which it failed",
        A.GATE_OVERRIDDEN: "let {} through although its gate was not passed",
        A.ROLL_OUT_STARTED: "started a roll-out of “{}”",
        A.ROLL_OUT_STOPPED: "stopped the roll-out of “{}”",
        A.ROLL_OUT_PROMOTED: "promoted the roll-out of “{}”",
        A.BLIND_ANSWERS_COMPARED: "chose between two blind answers ({})",
    },
    "Evaluation and review": {
        A.EVALUATION_SET_MADE: "made the evaluation set “{}”",
        A.EVALUATION_SET_RENAMED: "renamed the evaluation set “{}”",
        A.EVALUATION_SET_CHANGED: "changed the cases of the evaluation set “{}”",
        A.EVALUATION_SET_DELETED: "deleted the evaluation set “{}”",
        A.CASES_GENERATED: "had drafts of cases written for “{}”",
        A.DRAFT_ACCEPTED: "accepted draft {}",
        A.DRAFT_REJECTED: "rejected draft {}",
        A.EVALUATION_BEGUN: "began the evaluation run “{}”",
        A.EVALUATION_DONE: "finished the evaluation run “{}”",
        A.EVALUATION_CANCELLED: "cancelled the evaluation run “{}”",
        A.EVALUATION_FAILED: "had the evaluation run “{}” fail",
        A.EVALUATION_RUN_RENAMED: "renamed the evaluation run “{}”",
        A.EVALUATION_RUN_TAGGED: "tagged the evaluation run “{}”",
        A.EVALUATION_RUN_UNTAGGED: "removed a tag from the evaluation run “{}”",
        A.EVALUATION_RUN_DELETED: "deleted the evaluation run “{}”",
        A.FEEDBACK: "gave feedback on the answer {}",
        A.FEEDBACK_REMOVED: "removed feedback on the answer {}",
        A.REVIEW_QUEUE_FILLED: "filled the review queue “{}”",
        A.ANSWER_REVIEWED: "reviewed answer {}",
        A.REVIEW_QUEUE_DELETED: "deleted the review queue “{}”",
        A.FLAG_JUDGED: "judged a flag in {}",
        A.FLAG_LIMITS: "changed from which score on sentences of “{}” are flagged",
        A.FLAG_CALIBRATION: "changed how the flags of “{}” are calibrated",
    },
    "Guardrails": {
        A.GUARDRAIL_RESULT_REVIEWED: "judged the guardrail {}",
        A.POLICY_BOUND: "let the policy “{}” act",
        A.POLICY_DELETED: "deleted the policy “{}”",
        A.POLICY_LABEL_MOVED: "moved the policy label {}",
        A.POLICY_MEASURED: "measured the policy version {}",
        A.POLICY_UNBOUND: "took the policy “{}” away",
        A.POLICY_VERSION_MADE: "made the policy version {}",
    },
    "Monitoring and costs": {
        A.ALERT_RULE_ADDED: "added the alert rule “{}”",
        A.ALERT_RULE_CHANGED: "changed the alert rule “{}”",
        A.ALERT_RULE_REMOVED: "removed the alert rule “{}”",
        A.ALERT_FIRED: "was told of the alert “{}”",
        A.ALERT_ACKNOWLEDGED: "acknowledged the alert “{}”",
        A.REFERENCE_PERIOD_SET: "set the reference period of {}",
        A.REFERENCE_PERIOD_REMOVED: "removed the reference period of {}",
        A.REGRESSION_QUESTION_ADDED: "added a regression question to “{}”",
        A.REGRESSION_QUESTION_REMOVED: "removed a regression question from “{}”",
        A.REGRESSION_QUESTIONS_RUN: "ran the regression questions of “{}”",
        A.NEW_ANSWER_ACCEPTED: "accepted a new answer to a regression question of “{}”",
        A.BUDGET_SET: "set the budget “{}”",
        A.BUDGET_REMOVED: "removed the budget “{}”",
        A.BUDGET_NEARLY_USED_UP: "had nearly used up the budget “{}”",
        A.BUDGET_USED_UP: "had used up the budget “{}”",
        A.ANSWER_CACHE_CLEARED: "cleared the answer cache of {}",
    },
    "Models and settings": {
        A.MODEL_ADDED: "added the model {}",
        A.MODEL_DOWNLOADED: "downloaded the model {}",
        A.MODEL_REMOVED_FROM_THE_LIST: "removed the model {} from the list",
        A.ENDPOINT_CONNECTED: "connected the endpoint “{}”",
        A.ENDPOINT_CHANGED: "changed the endpoint “{}”",
        A.ENDPOINT_DISCONNECTED: "disconnected the endpoint “{}”",
        A.BORDER_CHANGED: "changed what of “{}” may leave this computer",
        A.SETTINGS_CHANGED: "changed {}",
        A.SERVER_STARTED: "started the server {}",
        A.SERVER_STOPPED: "stopped the server {}",
        A.SERVER_CALLED: "called the server: {}",
        A.RECEIVER_STARTED: "started to receive traces of other applications ({})",
        A.RECEIVER_STOPPED: "stopped to receive traces of other applications ({})",
        A.SERVER_TOKEN_MADE: "made the server token “{}”",
        A.SERVER_TOKEN_REVOKED: "revoked the server token “{}”",
    },
    "Data and access": {
        A.TRACES_RECEIVED: "sent traces of {}",
        A.TRACES_IMPORTED: "imported traces from {}",
        A.SESSION_DELETED: "deleted the session {}",
        A.SESSION_RESTORED: "restored the session {}",
        A.VERSION_EXPORTED: "exported a dataset version of “{}”",
        A.PROMPTS_EXPORTED: "exported prompts to {}",
        A.PIPELINE_EXPORTED: "exported the pipeline version {}",
        A.EVALUATION_SET_EXPORTED: "exported the evaluation set “{}”",
        A.REVIEWS_EXPORTED: "exported the reviews of “{}”",
        A.TABLE_EXPORTED: "exported a table: {}",
        A.BACKUP_MADE: "made a backup of {}",
        A.DATA_RESTORED: "restored {} from a backup",
        A.DATA_MOVED: "moved {} to another place",
        A.COMPACTED: "compacted the {}",
        A.DOCUMENT_ERASED: "erased a document for good ({})",
        A.ERASURE_DONE: "finished an erasure ({})",
        A.RETENTION_RUN: "had data removed that were kept long enough: {}",
        A.SUBJECT_SEARCHED: "searched everything for a person or identifier ({})",
        A.SUBJECT_EXPORTED: "exported what was found of a person or identifier ({})",
        A.EVIDENCE_REPORT_MADE: "made an evidence report on {}",
        A.EXPORT_QUEUE_CLEARED: "cleared the queue of traces for other tools ({})",
    },
    "Audit log": {
        A.AUDIT_LOG_EXPORTED: "exported the audit log ({})",
        A.AUDIT_HEAD_WRITTEN: "wrote the head of the audit log to a file ({})",
        A.AUDIT_WORDS_ERASED: "had the words of {} of this log erased with a document",
    },
}
_SAYS = {action: says for actions in GROUPS.values() for action, says in actions.items()}


@dataclass(frozen=True)
class AuditRow:
    """A row of the log. before and after are fingerprints, previous and hash those of the chain."""

    id: int
    created_ms: int
    action: str
    who: str
    subject: str
    detail: str
    before: str
    after: str
    words: str
    previous: str
    hash: str

    @property
    def group(self) -> str:
        """The group that its action belongs to, "Other" for one that this program does not know."""
        return next((name for name, actions in GROUPS.items() if self.action in actions), "Other")

    def sentence(self) -> str:
        """Return what happened in plain words, as one sentence with the time."""
        who = self.who or "Somebody"  # rows of before the chain do not say who
        says = _SAYS.get(A(self.action), "") if self.action in set(A) else ""
        done = says.replace("{}", self.subject) if says else f"did this: {self.action}, {self.subject}"
        when = datetime.fromtimestamp(self.created_ms / 1000).strftime("%Y-%m-%d at %H:%M:%S")
        detail = self.detail.removesuffix(".")
        return f"{who} {done} on {when}{f': {detail}' if detail else ''}."

    def more(self) -> list[str]:
        """Return sentences on its fingerprints."""
        found = []
        if self.before and self.after:
            same = "the same as" if self.before == self.after else "another than"
            found.append(f"What was there afterwards is {same} before, by its fingerprint.")
        if not self.who:
            found.append("It is from before the log said who acted.")
        found.append("Its hash covers time, action, who, the fingerprints and the row before it.")
        return found


@dataclass(frozen=True)
class AuditFilter:
    """Which rows of the log are wanted; what is empty or None does not matter.

    Attributes:
        text: Words in the action, the subject, the detail or who.
        group: A key of GROUPS.
        who: Who acted.
        since_ms: From this moment on.
        until_ms: Before this moment.
    """

    text: str = ""
    group: str = ""
    who: str = ""
    since_ms: int | None = None
    until_ms: int | None = None


def list_audit(database: Database, wanted: AuditFilter | None = None, limit: int = 1000) -> list[AuditRow]:
    """Return rows of the log, the latest first."""
    where, values = _where(wanted or AuditFilter())
    return database.rows(
        AuditRow, f"SELECT * FROM auditevent WHERE {where} ORDER BY id DESC LIMIT ?", (*values, limit)
    )


def count_audit(database: Database, wanted: AuditFilter | None = None) -> int:
    """Return how many rows there are."""
    where, values = _where(wanted or AuditFilter())
    found = database.cells(f"SELECT count(*) FROM auditevent WHERE {where}", values)
    return int(found[0][0]) if found else 0


def get_audit_row(database: Database, row_id: int) -> AuditRow:
    """Return one row. Raises NotFoundError when there is none with this number."""
    found = database.rows(AuditRow, "SELECT * FROM auditevent WHERE id = ?", (row_id,))
    if not found:
        raise NotFoundError(f"The audit log has no row {row_id}. Run `ragdeck audit list` to see them.")
    return found[0]


def list_actors(database: Database) -> list[str]:
    """Return everybody who is named in the log, by name."""
    return [
        who for (who,) in database.cells("SELECT DISTINCT who FROM auditevent WHERE who != '' ORDER BY 1")
    ]


def _where(wanted: AuditFilter) -> tuple[str, tuple[object, ...]]:
    conditions, values = ["1"], []  # type: tuple[list[str], list[object]]
    for word in wanted.text.split():
        conditions.append("instr(lower(action || ' ' || subject || ' ' || detail || ' ' || who), lower(?))")
        values.append(word)
    if wanted.group:
        actions = GROUPS.get(wanted.group, {})
        conditions.append(f"action IN ({', '.join('?' * len(actions))})")
        values += [str(action) for action in actions]
    for condition, value in (
        ("who = ?", wanted.who or None),
        ("created_ms >= ?", wanted.since_ms),
        ("created_ms < ?", wanted.until_ms),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    return " AND ".join(conditions), tuple(values)


# --- the check of the chain -------------------------------------------------------------------------------


@dataclass(frozen=True)
class AuditHead:
    """The end of the chain at a moment: how many rows it had, and number and hash of the last one."""

    rows: int
    id: int
    hash: str
    written_ms: int


@dataclass(frozen=True)
class Break:
    """The first row at which the log is not what it was, and why, as the end of a sentence."""

    row: int
    reason: str


@dataclass(frozen=True)
class AuditCheck:
    """What a check of the log found.

    Attributes:
        rows: How many rows were checked.
        erased: How many of them lost their words to an erasure.
        old: How many are from before the log was a chain.
        first_break: Where the log is broken, if it is.
        head: The head file that it was compared with, "" for none.
        head_ms: When that was written.
        signature: What is known of the signature of that file.
    """

    rows: int
    erased: int
    old: int
    first_break: Break | None
    head: str = ""
    head_ms: int = 0
    signature: str = ""

    @property
    def ok(self) -> bool:
        """Whether the log is whole."""
        return self.first_break is None

    def sentence(self) -> str:
        """Return the result as one sentence."""
        if self.first_break is not None:
            found = self.first_break
            return f"The log was tampered with: row {found.row} {found.reason}."
        against = ""
        if self.head:
            when = datetime.fromtimestamp(self.head_ms / 1000).strftime("%Y-%m-%d %H:%M")
            against = f", and they continue the head of {when}"
        erased = f" The words of {counted(self.erased, 'row')} were erased." if self.erased else ""
        old = f" {counted(self.old, 'row')} from before the chain count as found." if self.old else ""
        return f"All {counted(self.rows, 'row')} of the log are as they were written{against}.{erased}{old}"
