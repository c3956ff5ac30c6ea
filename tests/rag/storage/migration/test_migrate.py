"""Files of every older schema open and keep everything."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from old_files import (
    FIRST,
    OLD,
    old_file,
    old_version,
    rows,
    structure,
    upgrade,
    version_of,
)

from rag.grounding.rows import SilentFailure
from rag.storage.data_folder import SCHEMA
from rag.storage.migration.steps import STEPS
from rag.storage.tables.monitoring import DEFAULT_RULES

# What an upgrade changes in rows that were there: the index is filled anew by step 2.
CHANGED = {("collection", "index_version_id")}
# Regression questions had other tables on a branch; a column of that branch is not read by anybody.
RENAMED = {
    f"{old}{part}": f"regression{part}"
    for old in ("canary", "frozen")
    for part in ("question", "run", "result")
}
RENAMED |= {
    "rolloutask": "rolloutanswer",
    "probe": "verificationquery",
    "proberesult": "verificationresult",
    "proof": "verification",
}
RENAMED_COLUMNS = {  # by the name that the table has now
    ("verificationresult", "probe_id"): "query_id",
    ("verification", "probe_count"): "query_count",
    ("verification", "probes_same"): "queries_same",
    ("regressionresult", "change"): "changes",
    ("reviewitem", "why"): "source",
}
# What is stored in another form: by the table and column that it has now.
CONVERTED: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("regressionresult", "changes"): lambda text: json.dumps(text.split(", ") if text else []),
    ("trace", "silent_failures"): lambda text: json.dumps(text.split(", ") if text else []),
    ("trace", "source"): lambda text: text.replace("probe", "regression"),
}
# `pending` is two columns now: see test_a_stored_pending_sentence_becomes_a_kind_and_a_version.
DROPPED = {("trace", "refused"), ("proof", "embedded_count"), ("collection", "pending")}
# Hits of verification queries in a form that was given up within schema 2: they are stored again when needed.
FORGOTTEN = {("schema-2-55d5d4c.sql", "proberesult")}


@pytest.fixture(params=OLD, ids=[path.stem for path in OLD])
def old(request: pytest.FixtureRequest) -> Path:
    """The SQL of a file that an older program made."""
    return Path(request.param)


# --- what an upgrade ends in ------------------------------------------------------------------------------


def test_the_steps_are_numbered_as_the_schema_is() -> None:
    assert [step.number for step in STEPS] == list(range(1, SCHEMA + 1))
    assert {old_version(path) for path in OLD} >= set(range(1, 6)), "a schema has no file"


def test_an_upgraded_file_has_the_schema_of_a_new_one(old: Path, tmp_path: Path) -> None:
    path = old_file(old, tmp_path / "old")
    new = tmp_path / "new.sqlite"
    upgrade(path)
    upgrade(new)
    assert version_of(path) == version_of(new) == SCHEMA
    assert structure(path) == structure(new)


def test_an_upgrade_keeps_every_row(old: Path, tmp_path: Path) -> None:
    path = old_file(old, tmp_path)
    before = rows(path)
    assert all(before.values()), "a table of the fixture is empty, so that nothing is tested of it"
    upgrade(path)
    after = rows(path)
    for table, kept in before.items():
        if (old.name, table) in FORGOTTEN:
            assert after[RENAMED[table]] == []
            continue
        ignored = {
            c for t, c in CHANGED | DROPPED if t == table and (old_version(old) == 1 or (t, c) in DROPPED)
        }
        name = RENAMED.get(table, table)
        wanted = [
            {RENAMED_COLUMNS.get((name, k), k): v for k, v in row.items() if k not in ignored} for row in kept
        ]
        for row in wanted:
            row.update({k: CONVERTED[name, k](v) for k, v in row.items() if (name, k) in CONVERTED})
        now = after[name]
        assert [{k: row[k] for k in wanted[0]} for row in now] == wanted, table


def test_an_upgraded_file_is_searched_by_meaning_and_by_words(old: Path, tmp_path: Path) -> None:
    from fakes import (  # here, because a killed process waits for every import
        FakeEmbedder,
        ScriptedModel,
        drive,
    )

    from rag.asking.retrieval import retrieve
    from rag.knowledge.collections import open_version
    from rag.settings import preset
    from rag.start_up import start_up
    from rag.workspace import Workspace

    path = old_file(old, tmp_path)
    embedder = FakeEmbedder()
    with Workspace(tmp_path, "a test", embedder=embedder, load_model=ScriptedModel().load) as workspace:
        drive(start_up(workspace))
        collection, version = open_version(workspace, "Kitchen", None)
        found = retrieve(workspace, collection, version, "What does rye bread need?", preset("Classic"))
    assert version.number == 2
    assert found.fallbacks == ()
    assert "24 hours of rest" in found.hits[0].text
    assert (found.hits[0].dense_rank, found.hits[0].bm25_rank) == (1, 1)
    assert embedder.embedded_count == 1, "more than the question was embedded"
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT count(*) FROM trace_fts WHERE trace_fts MATCH 'sourdough'"
        assert connection.execute(query).fetchone()[0]


def test_an_upgrade_finds_silent_failures_scores_and_adds_the_rules_once(tmp_path: Path) -> None:
    path = old_file(next(p for p in OLD if p.name == "schema-4-8648bd5.sql"), tmp_path)
    with closing(sqlite3.connect(path)) as raw, raw:
        first = raw.execute("SELECT id FROM trace ORDER BY rowid").fetchone()[0]
        raw.execute("UPDATE trace SET answer = ' ' WHERE id = ?", (first,))
        raw.execute("UPDATE tracehit SET dense_score = 0.7 WHERE trace_id = ?", (first,))
    upgrade(path)
    with closing(sqlite3.connect(path)) as raw, raw:
        found = dict(raw.execute("SELECT question, silent_failures FROM trace WHERE status = 'done'"))
        assert found == {
            "What does rye bread need?": json.dumps([SilentFailure.EMPTY]),
            "When do the boats leave?": json.dumps([SilentFailure.REPEATED]),
        }
        assert raw.execute("SELECT best_score FROM trace WHERE id = ?", (first,)).fetchone()[0] == 0.7
        assert raw.execute("SELECT count(*) FROM alertrule").fetchone()[0] == len(DEFAULT_RULES)
        raw.execute("DELETE FROM alertrule WHERE name = 'More refusals'")
    upgrade(path)  # a rule that a person removed does not come back
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM alertrule").fetchone()[0] == len(DEFAULT_RULES) - 1


@pytest.mark.parametrize(
    ("sentence", "kind", "version_id"),
    [
        ("", "", None),
        ("Activating version 2", "activate", 2),
        ("Activating version 9", "activate", None),
        ("Adding 3 files", "ingest", None),
        ("Added 3, replaced 1", "ingest", None),
        ("Removed 2", "ingest", None),
        ("Removed 4 documents", "remove", None),
        ("Removed “Removed 2”", "remove", None),
        ("Edited metadata of “a.txt”", "metadata", None),
        ("Excluded 1 chunk: outdated", "exclude", None),
        ("Included 1 chunk again", "exclude", None),
        ("Imported “A” from Chroma", "import", None),
        ("Something a later program wrote", "other", None),
        ("MESSAGE", "ingest", 2),
    ],
)
def test_a_stored_pending_sentence_becomes_a_kind_and_a_version(
    tmp_path: Path, sentence: str, kind: str, version_id: int | None
) -> None:
    path = old_file(next(p for p in OLD if p.name.startswith("schema-5-")), tmp_path)
    with closing(sqlite3.connect(path)) as raw, raw:
        (active,) = raw.execute("SELECT active_version_id FROM collection").fetchone()
        (message,) = raw.execute("SELECT message FROM datasetversion WHERE id = ?", (active,)).fetchone()
        assert active == 2
        raw.execute("UPDATE collection SET pending = ?", (message if sentence == "MESSAGE" else sentence,))
    upgrade(path)
    (collection,) = rows(path)["collection"]
    assert (collection["pending_kind"], collection["pending_version_id"]) == (kind, version_id)


@pytest.mark.parametrize(
    ("why", "source", "score"),
    [
        ("flagged", "flagged", None),
        ("thumbs-down", "thumbs-down", None),
        ("low score 0.21", "low score", 0.21),
    ],
)
def test_why_an_item_is_in_a_queue_becomes_a_source_and_a_score(
    tmp_path: Path, why: str, source: str, score: float | None
) -> None:
    path = old_file(next(p for p in OLD if p.name == "schema-5-ce43829.sql"), tmp_path)
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE reviewitem SET why = ?", (why,))
    upgrade(path)
    (item,) = rows(path)["reviewitem"]
    assert (item["source"], item["score"]) == (source, score)


def test_a_trace_of_an_older_file_has_no_prompt_version(tmp_path: Path) -> None:
    path = old_file(next(p for p in OLD if p.name == "schema-3-e1c13da.sql"), tmp_path)
    upgrade(path)
    found = rows(path)
    assert {(row["prompt_version"], row["prompt_version_id"]) for row in found["trace"]} == {(None, None)}
    assert found["trace"][0]["prompt_name"]
    assert found["prompt"] == found["evaluationset"] == found["pipeline"] == []


def test_a_version_of_an_older_file_knows_its_parent_and_its_texts(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    upgrade(path)
    first, second = rows(path)["datasetversion"]
    (collection,) = rows(path)["collection"]
    assert (first["parent_id"], second["parent_id"]) == (None, first["id"])
    assert first["text_count"] > 0 and len(first["index_fingerprint"]) == 64
    assert first["index_fingerprint"] != second["index_fingerprint"]
    assert (collection["last_number"], collection["index_key"]) == (2, collection["key"])


def test_a_new_file_is_not_copied_and_a_second_start_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ragdeck.sqlite"
    upgrade(path)
    before = path.read_bytes()
    upgrade(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["ragdeck.sqlite"]
