"""The numbered steps that bring an older SQLite file up to this program: data that never changes again.

Everything here is a frozen copy of what a step needs. A step that was released is not edited, and it imports
nothing of the program that may change. To change the tables, add a step at the end of STEPS and count it in
data_folder.SCHEMA. A new file is made by the store from the tables as they are now; a test compares both.

Statements say IF NOT EXISTS, and columns are added only where they are missing: the program up to schema 5
committed statement by statement, so a file that was killed on its way has some of a step already.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from rag.storage.migration.actions import (
    answer_cache,
    cascades,
    costs,
    document_list,
    documents,
    endpoints,
    received,
    results,
    search,
    sessions,
    states,
    thinking,
)
from rag.storage.migration.actions.from_19 import (
    agent_steps,
    audit_chain,
    cost_days,
    guardrails,
    replays,
    trace_exports,
)
from rag.storage.migration.actions.silent_failures import silent_failures_of_step_5

Action = str | Callable[[sqlite3.Connection], None]


@dataclass(frozen=True)
class Step:
    """A step that raises the schema to its number. Its actions run in order, inside one transaction.

    An action is SQL of any number of statements, or a function that is given the connection while that
    transaction is open; it must not commit, and must not call executescript, which commits by itself.
    """

    number: int
    name: str
    actions: tuple[Action, ...] = ()


def _add_columns(table: str, *columns: str) -> Callable[[sqlite3.Connection], None]:
    """Return an action that adds the columns that the table lacks; a column is SQL with its name first."""

    def add(connection: sqlite3.Connection) -> None:
        present = _columns(connection, table)
        for column in columns:
            if column.split()[0] not in present:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")

    return add


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of a table's columns; none when there is no such table."""
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


# --- step 2: dataset versions that can be compared, verified and rolled back ------------------------------

_VERSION_TABLES = """
CREATE TABLE IF NOT EXISTS versionexclusion (version_id INTEGER NOT NULL, chunk_id INTEGER NOT NULL, reason
    VARCHAR NOT NULL, PRIMARY KEY (version_id, chunk_id));
CREATE TABLE IF NOT EXISTS versiontag (id INTEGER NOT NULL, collection_id INTEGER NOT NULL, version_id
    INTEGER NOT NULL, name VARCHAR NOT NULL, created_ms INTEGER NOT NULL, PRIMARY KEY (id), UNIQUE
    (collection_id, name));
CREATE INDEX IF NOT EXISTS ix_versiontag_version_id ON versiontag (version_id);
CREATE TABLE IF NOT EXISTS probe (id INTEGER NOT NULL, collection_id INTEGER NOT NULL, embedder VARCHAR NOT
    NULL, text VARCHAR NOT NULL, vector BLOB NOT NULL, by_person BOOLEAN NOT NULL, created_ms INTEGER NOT
    NULL, PRIMARY KEY (id));
CREATE INDEX IF NOT EXISTS ix_probe_collection_id ON probe (collection_id);
CREATE TABLE IF NOT EXISTS proberesult (version_id INTEGER NOT NULL, probe_id INTEGER NOT NULL, hits VARCHAR
    NOT NULL, PRIMARY KEY (version_id, probe_id));
CREATE TABLE IF NOT EXISTS proof (id INTEGER NOT NULL, collection_id INTEGER NOT NULL, version_id INTEGER NOT
    NULL, created_ms INTEGER NOT NULL, ok BOOLEAN NOT NULL, fingerprint_same BOOLEAN NOT NULL,
    vectors_checked INTEGER NOT NULL, vectors_same INTEGER NOT NULL, probe_count INTEGER NOT NULL,
    probes_same INTEGER NOT NULL, embedded_count INTEGER NOT NULL, milliseconds FLOAT NOT NULL, detail
    VARCHAR NOT NULL, PRIMARY KEY (id));
CREATE INDEX IF NOT EXISTS ix_proof_collection_id ON proof (collection_id);
CREATE INDEX IF NOT EXISTS ix_proof_version_id ON proof (version_id);
CREATE TABLE IF NOT EXISTS embedderfolder (fingerprint VARCHAR NOT NULL, name VARCHAR NOT NULL, path VARCHAR
    NOT NULL, added_ms INTEGER NOT NULL, PRIMARY KEY (fingerprint));
CREATE TABLE IF NOT EXISTS watchedfolder (id INTEGER NOT NULL, collection_id INTEGER NOT NULL, path VARCHAR
    NOT NULL, enabled BOOLEAN NOT NULL, quiet_s INTEGER NOT NULL, created_ms INTEGER NOT NULL, last_check_ms
    INTEGER, last_change_ms INTEGER, seen_signature VARCHAR NOT NULL, seen_since_ms INTEGER NOT NULL,
    done_signature VARCHAR NOT NULL, outcome VARCHAR NOT NULL, PRIMARY KEY (id), UNIQUE (collection_id,
    path));
CREATE VIRTUAL TABLE IF NOT EXISTS chunk_terms USING fts5vocab(chunk_fts, instance);
"""

_COLLECTION_COLUMNS = _add_columns(
    "collection",
    "index_key VARCHAR NOT NULL DEFAULT ''",
    "index_server VARCHAR NOT NULL DEFAULT ''",
    "last_number INTEGER NOT NULL DEFAULT 0",
    "pending VARCHAR NOT NULL DEFAULT ''",
)
_DATASET_VERSION_COLUMNS = _add_columns(
    "datasetversion",
    "kind VARCHAR NOT NULL DEFAULT 'ingest'",
    "parent_id INTEGER",
    "chunks_added INTEGER NOT NULL DEFAULT 0",
    "chunks_removed INTEGER NOT NULL DEFAULT 0",
    "tokens_added INTEGER NOT NULL DEFAULT 0",
    "tokens_removed INTEGER NOT NULL DEFAULT 0",
    "excluded_count INTEGER NOT NULL DEFAULT 0",
    "text_count INTEGER NOT NULL DEFAULT 0",
    "index_fingerprint VARCHAR NOT NULL DEFAULT ''",
    "trial_key VARCHAR NOT NULL DEFAULT ''",
)
_VERSION_DOCUMENT_COLUMNS = _add_columns("versiondocument", "attributes VARCHAR NOT NULL DEFAULT ''")

# The index is filled anew: its entries are named by the hash of their text from here on.
_VERSION_ROWS = """
CREATE INDEX IF NOT EXISTS ix_tracehit_chunk_id ON tracehit (chunk_id);
CREATE INDEX IF NOT EXISTS ix_tracehit_document_id ON tracehit (document_id);
UPDATE collection SET index_key = key, index_version_id = NULL,
    last_number = coalesce(
        (SELECT max(number) FROM datasetversion v WHERE v.collection_id = collection.id), 0);
UPDATE datasetversion SET kind = 'remove' WHERE removed_count > 0 AND added_count + replaced_count = 0;
UPDATE datasetversion SET parent_id = (SELECT p.id FROM datasetversion p
    WHERE p.collection_id = datasetversion.collection_id AND p.number = datasetversion.number - 1);
"""


def _fingerprint_versions(connection: sqlite3.Connection) -> None:
    """Count and fingerprint the texts of every version: sha256 over the embedder and their sorted hashes."""
    for version_id, embedder in connection.execute("SELECT id, embedder FROM datasetversion").fetchall():
        rows = connection.execute(
            """SELECT DISTINCT c.text_hash FROM versiondocument vd
               JOIN chunk c ON c.document_id = vd.document_id WHERE vd.version_id = ?""",
            (version_id,),
        )
        hashes = sorted(row[0] for row in rows)
        digest = hashlib.sha256("".join((embedder, *hashes)).encode())
        connection.execute(
            "UPDATE datasetversion SET text_count = ?, index_fingerprint = ? WHERE id = ?",
            (len(hashes), digest.hexdigest(), version_id),
        )


# --- step 3: what became of an answer, and what a calibration changes -------------------------------------

_FLAG_TABLES = """
CREATE TABLE IF NOT EXISTS flagopinion (trace_id VARCHAR NOT NULL, start INTEGER NOT NULL, collection_id
    INTEGER, verdict VARCHAR NOT NULL, score FLOAT, is_right BOOLEAN NOT NULL, note VARCHAR NOT NULL,
    created_ms INTEGER NOT NULL, PRIMARY KEY (trace_id, start));
CREATE INDEX IF NOT EXISTS ix_flagopinion_collection_id ON flagopinion (collection_id);
CREATE TABLE IF NOT EXISTS flaglimits (collection_id INTEGER NOT NULL, check_from FLOAT, unsupported_from
    FLOAT, slope FLOAT NOT NULL, intercept FLOAT NOT NULL, fitted_on INTEGER NOT NULL, second_detector
    VARCHAR NOT NULL, second_slope FLOAT NOT NULL, second_intercept FLOAT NOT NULL, updated_ms INTEGER NOT
    NULL, PRIMARY KEY (collection_id));
CREATE TABLE IF NOT EXISTS consistencycheck (id INTEGER NOT NULL, trace_id VARCHAR NOT NULL, created_ms
    INTEGER NOT NULL, temperature FLOAT NOT NULL, samples VARCHAR NOT NULL, clusters INTEGER NOT NULL,
    agreement FLOAT NOT NULL, semantic_entropy FLOAT NOT NULL, PRIMARY KEY (id));
CREATE INDEX IF NOT EXISTS ix_consistencycheck_trace_id ON consistencycheck (trace_id);
"""

_TRACE_FLAG_COLUMNS = _add_columns(
    "trace",
    "outcome VARCHAR NOT NULL DEFAULT ''",
    "support_rate FLOAT",
    "contradicted_count INTEGER NOT NULL DEFAULT 0",
    "check_error VARCHAR NOT NULL DEFAULT ''",
)
_CLAIM_COLUMNS = _add_columns("claim", "raw_score FLOAT", "doubtful VARCHAR NOT NULL DEFAULT ''")

_FLAG_ROWS = """
UPDATE claim SET raw_score = score;
UPDATE trace SET contradicted_count =
    (SELECT count(*) FROM claim WHERE trace_id = trace.id AND verdict = 'contradicted');
UPDATE trace SET support_rate = (SELECT avg(verdict = 'supported') FROM claim
    WHERE trace_id = trace.id AND verdict != 'not checkable') WHERE status = 'done';
UPDATE trace SET outcome = CASE WHEN trim(answer) = '' THEN 'empty'
    WHEN support_rate IS NOT NULL THEN 'answered' WHEN fallbacks LIKE '%declined to answer%' THEN 'refused'
    ELSE 'not checkable' END WHERE status = 'done';
"""

_FLAG_ACTIONS: tuple[Action, ...] = (_FLAG_TABLES, _TRACE_FLAG_COLUMNS, _CLAIM_COLUMNS, _FLAG_ROWS)

# --- step 4: prompts and evaluation sets; traces name the version of the prompt that made them ------------

_PROMPT_TABLES = """
CREATE TABLE IF NOT EXISTS prompt (id INTEGER NOT NULL, name VARCHAR NOT NULL, description VARCHAR NOT NULL,
    created_ms INTEGER NOT NULL, last_number INTEGER NOT NULL, PRIMARY KEY (id), UNIQUE (name));
CREATE TABLE IF NOT EXISTS promptversion (id INTEGER NOT NULL, prompt_id INTEGER NOT NULL, number INTEGER NOT
    NULL, created_ms INTEGER NOT NULL, message VARCHAR NOT NULL, author VARCHAR NOT NULL, system VARCHAR NOT
    NULL, user VARCHAR NOT NULL, variables VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, notes VARCHAR NOT
    NULL, PRIMARY KEY (id), UNIQUE (prompt_id, number));
CREATE INDEX IF NOT EXISTS ix_promptversion_fingerprint ON promptversion (fingerprint);
CREATE INDEX IF NOT EXISTS ix_promptversion_prompt_id ON promptversion (prompt_id);
CREATE TABLE IF NOT EXISTS promptlabel (prompt_id INTEGER NOT NULL, name VARCHAR NOT NULL, version_id INTEGER
    NOT NULL, moved_ms INTEGER NOT NULL, PRIMARY KEY (prompt_id, name));
CREATE TABLE IF NOT EXISTS promptlabelmove (id INTEGER NOT NULL, prompt_id INTEGER NOT NULL, label VARCHAR
    NOT NULL, from_number INTEGER, to_number INTEGER, moved_ms INTEGER NOT NULL, author VARCHAR NOT NULL,
    note VARCHAR NOT NULL, PRIMARY KEY (id));
CREATE INDEX IF NOT EXISTS ix_promptlabelmove_prompt_id ON promptlabelmove (prompt_id);
CREATE TABLE IF NOT EXISTS evaluationset (id INTEGER NOT NULL, name VARCHAR NOT NULL, description VARCHAR NOT
    NULL, created_ms INTEGER NOT NULL, last_number INTEGER NOT NULL, PRIMARY KEY (id), UNIQUE (name));
CREATE TABLE IF NOT EXISTS evaluationsetversion (id INTEGER NOT NULL, set_id INTEGER NOT NULL, number INTEGER
    NOT NULL, created_ms INTEGER NOT NULL, message VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, case_count
    INTEGER NOT NULL, PRIMARY KEY (id), UNIQUE (set_id, number));
CREATE INDEX IF NOT EXISTS ix_evaluationsetversion_set_id ON evaluationsetversion (set_id);
CREATE TABLE IF NOT EXISTS evaluationcase (id INTEGER NOT NULL, set_id INTEGER NOT NULL, "key" VARCHAR NOT
    NULL, fingerprint VARCHAR NOT NULL, question VARCHAR NOT NULL, content VARCHAR NOT NULL, created_ms
    INTEGER NOT NULL, PRIMARY KEY (id), UNIQUE (set_id, fingerprint));
CREATE INDEX IF NOT EXISTS ix_evaluationcase_key ON evaluationcase ("key");
CREATE TABLE IF NOT EXISTS evaluationsetcase (version_id INTEGER NOT NULL, case_id INTEGER NOT NULL, position
    INTEGER NOT NULL, PRIMARY KEY (version_id, case_id));
CREATE INDEX IF NOT EXISTS ix_evaluationsetcase_case_id ON evaluationsetcase (case_id);
CREATE TABLE IF NOT EXISTS pipeline (id INTEGER NOT NULL, name VARCHAR NOT NULL, created_ms INTEGER NOT NULL,
    last_number INTEGER NOT NULL, PRIMARY KEY (id), UNIQUE (name));
CREATE TABLE IF NOT EXISTS pipelineversion (id INTEGER NOT NULL, pipeline_id INTEGER NOT NULL, number INTEGER
    NOT NULL, created_ms INTEGER NOT NULL, message VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, content
    VARCHAR NOT NULL, PRIMARY KEY (id), UNIQUE (pipeline_id, number));
CREATE INDEX IF NOT EXISTS ix_pipelineversion_pipeline_id ON pipelineversion (pipeline_id);
"""

_TRACE_PROMPT_COLUMNS = _add_columns("trace", "prompt_version_id INTEGER", "prompt_version INTEGER")
_TRACE_PROMPT_INDEX = "CREATE INDEX IF NOT EXISTS ix_trace_prompt_version_id ON trace (prompt_version_id);"

# --- step 5: monitors -------------------------------------------------------------------------------------

_MONITOR_TABLES = """
CREATE TABLE IF NOT EXISTS referenceperiod (collection VARCHAR NOT NULL, start_ms INTEGER NOT NULL, end_ms
    INTEGER NOT NULL, note VARCHAR NOT NULL, PRIMARY KEY (collection));
CREATE TABLE IF NOT EXISTS alertrule (id INTEGER NOT NULL, name VARCHAR NOT NULL, measure VARCHAR NOT NULL,
    collection VARCHAR NOT NULL, model VARCHAR NOT NULL, prompt VARCHAR NOT NULL, comparison VARCHAR NOT
    NULL, threshold FLOAT, window INTEGER NOT NULL, minimum INTEGER NOT NULL, enabled BOOLEAN NOT NULL, note
    VARCHAR NOT NULL, state VARCHAR NOT NULL, since_ms INTEGER NOT NULL, checked_ms INTEGER NOT NULL, value
    FLOAT, count INTEGER NOT NULL, "limit" FLOAT, sentence VARCHAR NOT NULL, acknowledged VARCHAR NOT NULL,
    PRIMARY KEY (id), UNIQUE (name));
CREATE TABLE IF NOT EXISTS questionvector (text_hash VARCHAR NOT NULL, embedder VARCHAR NOT NULL, vector BLOB
    NOT NULL, PRIMARY KEY (text_hash, embedder));
CREATE TABLE IF NOT EXISTS frozenquestion (id INTEGER NOT NULL, collection_id INTEGER NOT NULL, question
    VARCHAR NOT NULL, reference_trace_id VARCHAR NOT NULL, created_ms INTEGER NOT NULL, PRIMARY KEY (id),
    UNIQUE (collection_id, question));
CREATE TABLE IF NOT EXISTS frozenrun (id INTEGER NOT NULL, collection_id INTEGER NOT NULL, created_ms INTEGER
    NOT NULL, version_number INTEGER NOT NULL, version_fingerprint VARCHAR NOT NULL, model VARCHAR NOT NULL,
    prompt_fingerprint VARCHAR NOT NULL, settings VARCHAR NOT NULL, question_count INTEGER NOT NULL,
    changed_count INTEGER NOT NULL, PRIMARY KEY (id));
CREATE INDEX IF NOT EXISTS ix_frozenrun_collection_id ON frozenrun (collection_id);
CREATE TABLE IF NOT EXISTS frozenresult (run_id INTEGER NOT NULL, question_id INTEGER NOT NULL, trace_id
    VARCHAR NOT NULL, reference_trace_id VARCHAR NOT NULL, passage_overlap FLOAT NOT NULL, answer_similarity
    FLOAT, change VARCHAR NOT NULL, PRIMARY KEY (run_id, question_id));
"""

_TRACE_MONITOR_COLUMNS = _add_columns(
    "trace", "best_score FLOAT", "silent_failures VARCHAR NOT NULL DEFAULT ''"
)
_BEST_SCORES = """
UPDATE trace SET best_score = (SELECT max(h.dense_score) FROM tracehit h WHERE h.trace_id = trace.id);
"""


def _find_silent_failures(connection: sqlite3.Connection) -> None:
    """Look through the stored answers for silent failures once."""
    rows = connection.execute(
        "SELECT id, question, answer, finish_reason, passage_count FROM trace WHERE status = 'done'"
    ).fetchall()
    found = [(", ".join(silent_failures_of_step_5(*row[1:])), row[0]) for row in rows]
    connection.executemany("UPDATE trace SET silent_failures = ? WHERE id = ?", found)


_RULES: tuple[tuple[str, str, str, float | None, int, int, str], ...] = (
    (
        "More flagged answers", "flag_rate", "above", None, 50, 20,
        "Beyond the control limit of the reference period; with no change at most 1 of 670 windows are. "
        "Windows overlap, so a false alarm lasts for some asks.",
    ),
    (
        "More contradictions", "contradiction_rate", "above", None, 50, 20,
        "Beyond the control limit of the reference period; with no change at most 1 of 670 windows are. "
        "Windows overlap, so a false alarm lasts for some asks.",
    ),
    (
        "More refusals", "refusal_rate", "above", None, 50, 20,
        "Beyond the control limit of the reference period; with no change at most 1 of 670 windows are. "
        "Windows overlap, so a false alarm lasts for some asks.",
    ),
    (
        "More empty retrievals", "empty_retrieval_rate", "above", None, 50, 20,
        "Beyond the control limit of the reference period; with no change at most 1 of 670 windows are. "
        "Windows overlap, so a false alarm lasts for some asks.",
    ),
    (
        "Lower retrieval scores", "best_score", "below", None, 50, 20,
        "Beyond the control limit of the reference period; with no change at most 1 of 740 windows are. "
        "Windows overlap, so a false alarm lasts for some asks.",
    ),
    (
        "Slower answers", "latency", "above", None, 50, 20,
        "Beyond the control limit of the reference period; with no change at most 1 of 740 windows are. "
        "Windows overlap, so a false alarm lasts for some asks.",
    ),
    (
        "Silent failures", "silent_failure_rate", "above", 0.05, 50, 20,
        "On 422 real answers of six models (RAGTruth) the checks raised one alarm; at that rate 3 in 50 "
        "by chance is one window in 4,000.",
    ),
    (
        "Other questions than before", "question_drift", "below", 0.01, 100, 20,
        "Energy test against the reference period: 1 % of tests alarm with no drift. When a fifth of the "
        "questions is on a new topic, 72 % of tests find it at 100 asks, 36 % at 50 (XQuAD and Cranfield, "
        "reference of 100).",
    ),
    (
        "Other scores than before", "score_drift", "below", 0.01, 100, 20,
        "Kolmogorov-Smirnov test against the reference period: exact, so 1 % of tests alarm with no "
        "drift.",
    ),
)  # fmt: skip


def _add_rules(connection: sqlite3.Connection) -> None:
    """Write the alert rules that every file starts with, unless it has some already."""
    if connection.execute("SELECT count(*) FROM alertrule").fetchone()[0] == 0:
        connection.executemany(
            """INSERT INTO alertrule (name, measure, comparison, threshold, window, minimum, note, collection,
                model, prompt, enabled, state, since_ms, checked_ms, count, sentence, acknowledged)
                VALUES (?, ?, ?, ?, ?, ?, ?, '', '', '', 1, 'not enough data', 0, 0, 0, '', '')""",
            _RULES,
        )


# --- step 6: what came without a number of its own --------------------------------------------------------

_RUN_TABLES = """
CREATE TABLE IF NOT EXISTS pipelinelabel (pipeline_id INTEGER NOT NULL, name VARCHAR NOT NULL, version_id
    INTEGER NOT NULL, moved_ms INTEGER NOT NULL, PRIMARY KEY (pipeline_id, name));
CREATE TABLE IF NOT EXISTS pipelinelabelmove (id INTEGER NOT NULL, pipeline_id INTEGER NOT NULL, label
    VARCHAR NOT NULL, from_number INTEGER, to_number INTEGER, moved_ms INTEGER NOT NULL, author VARCHAR NOT
    NULL, note VARCHAR NOT NULL, PRIMARY KEY (id));
CREATE INDEX IF NOT EXISTS ix_pipelinelabelmove_pipeline_id ON pipelinelabelmove (pipeline_id);
CREATE TABLE IF NOT EXISTS evaluationrun (id INTEGER NOT NULL, name VARCHAR NOT NULL, status VARCHAR NOT
    NULL, error VARCHAR NOT NULL, note VARCHAR NOT NULL, set_name VARCHAR NOT NULL, set_version_id INTEGER
    NOT NULL, set_number INTEGER NOT NULL, set_fingerprint VARCHAR NOT NULL, pipeline VARCHAR NOT NULL,
    pipeline_version_id INTEGER NOT NULL, pipeline_number INTEGER NOT NULL, pipeline_fingerprint VARCHAR NOT
    NULL, kind VARCHAR NOT NULL, config VARCHAR NOT NULL, case_count INTEGER NOT NULL, repeats INTEGER NOT
    NULL, seed INTEGER NOT NULL, parallel INTEGER NOT NULL, timeout_s FLOAT NOT NULL, collection VARCHAR NOT
    NULL, version_id INTEGER NOT NULL, version_number INTEGER NOT NULL, version_fingerprint VARCHAR NOT NULL,
    index_fingerprint VARCHAR NOT NULL, embedder VARCHAR NOT NULL, prompt_name VARCHAR NOT NULL,
    prompt_version_id INTEGER, prompt_version INTEGER, prompt_fingerprint VARCHAR NOT NULL, model_file
    VARCHAR NOT NULL, model_sha256 VARCHAR NOT NULL, quantisation VARCHAR NOT NULL, sampling VARCHAR NOT
    NULL, libraries VARCHAR NOT NULL, judge VARCHAR NOT NULL, created_ms INTEGER NOT NULL, started_ms
    INTEGER, finished_ms INTEGER, busy_s FLOAT NOT NULL, PRIMARY KEY (id));
CREATE INDEX IF NOT EXISTS ix_evaluationrun_pipeline ON evaluationrun (pipeline);
CREATE INDEX IF NOT EXISTS ix_evaluationrun_set_name ON evaluationrun (set_name);
CREATE INDEX IF NOT EXISTS ix_evaluationrun_prompt_version_id ON evaluationrun (prompt_version_id);
CREATE INDEX IF NOT EXISTS ix_evaluationrun_created_ms ON evaluationrun (created_ms);
CREATE INDEX IF NOT EXISTS ix_evaluationrun_pipeline_version_id ON evaluationrun (pipeline_version_id);
CREATE TABLE IF NOT EXISTS evaluationruntag (run_id INTEGER NOT NULL, name VARCHAR NOT NULL, PRIMARY KEY
    (run_id, name));
CREATE INDEX IF NOT EXISTS ix_evaluationruntag_name ON evaluationruntag (name);
CREATE TABLE IF NOT EXISTS evaluationresult (id INTEGER NOT NULL, run_id INTEGER NOT NULL, case_key VARCHAR
    NOT NULL, repeat INTEGER NOT NULL, outcome VARCHAR NOT NULL, trace_id VARCHAR NOT NULL, metrics VARCHAR
    NOT NULL, checks VARCHAR NOT NULL, judge VARCHAR NOT NULL, latency_ms FLOAT, prompt_tokens INTEGER NOT
    NULL, completion_tokens INTEGER NOT NULL, reused_trace VARCHAR NOT NULL, error VARCHAR NOT NULL,
    created_ms INTEGER NOT NULL, PRIMARY KEY (id), UNIQUE (run_id, case_key, repeat));
CREATE INDEX IF NOT EXISTS ix_evaluationresult_trace_id ON evaluationresult (trace_id);
CREATE TABLE IF NOT EXISTS resultverdict (result_id INTEGER NOT NULL, is_right BOOLEAN NOT NULL, note VARCHAR
    NOT NULL, author VARCHAR NOT NULL, created_ms INTEGER NOT NULL, PRIMARY KEY (result_id));
CREATE TABLE IF NOT EXISTS evaluationgate (id INTEGER NOT NULL, run_id INTEGER NOT NULL, baseline_run_id
    INTEGER, gate_sha256 VARCHAR NOT NULL, passed BOOLEAN NOT NULL, sentence VARCHAR NOT NULL, rows VARCHAR
    NOT NULL, created_ms INTEGER NOT NULL, PRIMARY KEY (id));
CREATE INDEX IF NOT EXISTS ix_evaluationgate_run_id ON evaluationgate (run_id);
CREATE TABLE IF NOT EXISTS gaterequirement (kind VARCHAR NOT NULL, subject_id INTEGER NOT NULL, set_name
    VARCHAR NOT NULL, gate VARCHAR NOT NULL, gate_sha256 VARCHAR NOT NULL, author VARCHAR NOT NULL,
    created_ms INTEGER NOT NULL, PRIMARY KEY (kind, subject_id));
"""

_REVIEW_TABLES = """
CREATE TABLE IF NOT EXISTS feedback (trace_id VARCHAR NOT NULL, author VARCHAR NOT NULL, created_ms INTEGER
    NOT NULL, is_up BOOLEAN NOT NULL, reason VARCHAR NOT NULL, note VARCHAR NOT NULL, correction VARCHAR NOT
    NULL, tags VARCHAR NOT NULL, set_name VARCHAR NOT NULL, case_key VARCHAR NOT NULL, PRIMARY KEY (trace_id,
    author));
CREATE TABLE IF NOT EXISTS reviewqueue (id INTEGER NOT NULL, name VARCHAR NOT NULL, created_ms INTEGER NOT
    NULL, PRIMARY KEY (id), UNIQUE (name));
CREATE TABLE IF NOT EXISTS reviewitem (id INTEGER NOT NULL, queue_id INTEGER NOT NULL, trace_id VARCHAR NOT
    NULL, why VARCHAR NOT NULL, PRIMARY KEY (id), UNIQUE (queue_id, trace_id));
CREATE INDEX IF NOT EXISTS ix_reviewitem_trace_id ON reviewitem (trace_id);
CREATE TABLE IF NOT EXISTS review (item_id INTEGER NOT NULL, reviewer VARCHAR NOT NULL, created_ms INTEGER
    NOT NULL, verdict VARCHAR NOT NULL, reason VARCHAR NOT NULL, correction VARCHAR NOT NULL, relevant
    VARCHAR NOT NULL, set_name VARCHAR NOT NULL, case_key VARCHAR NOT NULL, PRIMARY KEY (item_id, reviewer));
CREATE TABLE IF NOT EXISTS draft (id INTEGER NOT NULL, set_id INTEGER NOT NULL, collection_id INTEGER NOT
    NULL, version_id INTEGER NOT NULL, document_id INTEGER NOT NULL, document VARCHAR NOT NULL, place VARCHAR
    NOT NULL, chunk_id INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, passage VARCHAR NOT
    NULL, question VARCHAR NOT NULL, answer VARCHAR NOT NULL, marks VARCHAR NOT NULL, model VARCHAR NOT NULL,
    state VARCHAR NOT NULL, created_ms INTEGER NOT NULL, decided_ms INTEGER, decided_by VARCHAR NOT NULL,
    case_key VARCHAR NOT NULL, PRIMARY KEY (id));
CREATE INDEX IF NOT EXISTS ix_draft_document_id ON draft (document_id);
CREATE INDEX IF NOT EXISTS ix_draft_collection_id ON draft (collection_id);
CREATE INDEX IF NOT EXISTS ix_draft_set_id ON draft (set_id);
CREATE TABLE IF NOT EXISTS rollout (id INTEGER NOT NULL, collection_id INTEGER, collection VARCHAR NOT NULL,
    kind VARCHAR NOT NULL, share FLOAT NOT NULL, production VARCHAR NOT NULL, production_config VARCHAR NOT
    NULL, staging VARCHAR NOT NULL, staging_config VARCHAR NOT NULL, state VARCHAR NOT NULL, created_ms
    INTEGER NOT NULL, ended_ms INTEGER, note VARCHAR NOT NULL, outcome VARCHAR NOT NULL, PRIMARY KEY (id));
CREATE TABLE IF NOT EXISTS rolloutask (trace_id VARCHAR NOT NULL, rollout_id INTEGER NOT NULL, arm VARCHAR
    NOT NULL, pair VARCHAR NOT NULL, position INTEGER NOT NULL, picked VARCHAR NOT NULL, PRIMARY KEY
    (trace_id));
CREATE INDEX IF NOT EXISTS ix_rolloutask_rollout_id ON rolloutask (rollout_id);
CREATE TABLE IF NOT EXISTS productionpipeline (collection_id INTEGER NOT NULL, name VARCHAR NOT NULL, config
    VARCHAR NOT NULL, moved_ms INTEGER NOT NULL, rollout_id INTEGER NOT NULL, PRIMARY KEY (collection_id));
"""

# Up to schema 5 every start made the tables and indexes that were missing, so they came under a number that
# stayed the same, and so did collection.last_number, which no start could add. The hits of a verification
# query were one list at first, and nobody can tell any more which of them were found by words: the next
# verification stores them again.
_LATE_ROWS = """
CREATE INDEX IF NOT EXISTS document_facts ON document (id, collection_id, name, source, title, media_type,
    sha256, size_bytes, chunking, chunk_count, token_count, created_ms);
CREATE INDEX IF NOT EXISTS trace_source ON trace (source, created_ms DESC);
DELETE FROM proberesult WHERE hits LIKE '[%';
UPDATE collection SET last_number = max(last_number,
    coalesce((SELECT max(number) FROM datasetversion v WHERE v.collection_id = collection.id), 0));
"""


def _rename_canaries(connection: sqlite3.Connection) -> None:
    """Move regression questions out of their first tables, and drop a column of that time."""
    for part in ("question", "run", "result"):
        if _columns(connection, f"canary{part}"):
            connection.execute(f"INSERT OR IGNORE INTO frozen{part} SELECT * FROM canary{part}")
            connection.execute(f"DROP TABLE canary{part}")
    if "refused" in _columns(connection, "trace"):  # NOT NULL without a default: no trace could be written
        connection.execute("ALTER TABLE trace DROP COLUMN refused")


def _catch_up_with_flags(connection: sqlite3.Connection) -> None:
    """Run step 3 in a file whose number 3 meant something else, on the branches that became steps 4 and 5."""
    if "outcome" not in _columns(connection, "trace"):
        run_actions(connection, _FLAG_ACTIONS)


STEPS: tuple[Step, ...] = (
    Step(1, "the first schema"),
    Step(
        2,
        "dataset versions that can be compared and rolled back",
        (
            _VERSION_TABLES,
            _COLLECTION_COLUMNS,
            _DATASET_VERSION_COLUMNS,
            _VERSION_DOCUMENT_COLUMNS,
            _VERSION_ROWS,
            _fingerprint_versions,
        ),
    ),
    Step(3, "flags and their calibration", _FLAG_ACTIONS),
    Step(4, "prompts and evaluation sets", (_PROMPT_TABLES, _TRACE_PROMPT_COLUMNS, _TRACE_PROMPT_INDEX)),
    Step(
        5,
        "monitors",
        (_MONITOR_TABLES, _TRACE_MONITOR_COLUMNS, _BEST_SCORES, _find_silent_failures, _add_rules),
    ),
    Step(
        6,
        "evaluation runs, review, and what came without a number",
        (
            _COLLECTION_COLUMNS,
            _catch_up_with_flags,
            _PROMPT_TABLES,
            _TRACE_PROMPT_COLUMNS,
            _TRACE_PROMPT_INDEX,
            _MONITOR_TABLES,
            _RUN_TABLES,
            _REVIEW_TABLES,
            _rename_canaries,
            _LATE_ROWS,
        ),
    ),
    Step(7, "states as columns, lists as JSON, and the field's names", states.ACTIONS),
    Step(8, "pieces of chunks, the search of each collection, folded full text", search.ACTIONS),
    Step(9, "the account of each document", documents.ACTIONS),
    Step(10, "costs of every layer of an answer", costs.ACTIONS),
    Step(11, "the thinking of models", thinking.ACTIONS),
    Step(12, "judgements that were not found, and questions that no model was asked", results.ACTIONS),
    Step(13, "what was left out, in lists of documents", document_list.ACTIONS),
    Step(14, "sessions", sessions.ACTIONS),
    Step(15, "traces of other applications", received.ACTIONS),
    Step(16, "endpoints, and what may leave this computer", endpoints.ACTIONS),
    Step(17, "the answer cache and budgets", answer_cache.ACTIONS),
    Step(18, "the steps of cascades", cascades.ACTIONS),
    Step(19, "costs summed up by day", cost_days.ACTIONS),
    Step(20, "the steps of received traces", agent_steps.ACTIONS),
    Step(21, "replays of traces", replays.ACTIONS),
    Step(22, "guardrail policies", guardrails.ACTIONS),
    Step(23, "the audit log as a chain of hashes", audit_chain.ACTIONS),
    Step(24, "traces that are sent to other tools", trace_exports.ACTIONS),
)


def run_actions(connection: sqlite3.Connection, actions: tuple[Action, ...]) -> None:
    """Run the actions one after the other; the caller has opened the transaction."""
    for action in actions:
        if isinstance(action, str):
            for statement in statements(action):
                connection.execute(statement)
        else:
            action(connection)


def statements(sql: str) -> list[str]:
    """Return the statements of a text one by one. executescript would commit before the first of them."""
    found, begun = [], ""
    for line in sql.splitlines(keepends=True):
        begun += line
        if sqlite3.complete_statement(begun):
            found.append(begun.strip())
            begun = ""
    if begun.strip():
        raise ValueError(f"This SQL does not end with a semicolon: {begun.strip()}")
    return found
