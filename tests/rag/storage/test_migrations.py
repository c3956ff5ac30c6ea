"""Files of every older schema open and keep everything, whatever interrupts the upgrade and wherever.

Run as a script it upgrades a file and kills itself after a given statement: see `killed`.
"""

# ruff: noqa: E402

import ast
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

TESTS = next(parent for parent in Path(__file__).resolve().parents if parent.name == "tests")
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

from rag.errors import RagError
from rag.grounding.rows import SilentFailure
from rag.grounding.silent_failures import silent_failures
from rag.storage import migration_silent_failures, migration_states, migration_steps
from rag.storage.data_folder import SCHEMA
from rag.storage.migration_steps import STEPS, run_actions, statements
from rag.storage.migrations import connect, migrate
from rag.storage.store import Store, fill_new_file
from rag.storage.tables.monitoring import DEFAULT_RULES

OLD = sorted((TESTS / "schemas").glob("schema-*.sql"))
FIRST = next(path for path in OLD if path.name.startswith("schema-1-"))
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


def floats(text: str) -> bytes:
    """Return the bytes of a vector of 1,024 numbers; text names those that are not 0: "index:hex ..."."""
    vector = bytearray(4096)
    for part in text.split():
        index, _, value = part.partition(":")
        vector[int(index) * 4 : int(index) * 4 + 4] = bytes.fromhex(value)
    return bytes(vector)


def old_file(source: Path, folder: Path) -> Path:
    """Make the file that a fixture describes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "ragdeck.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.create_function("floats", 1, floats)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript("BEGIN;" + source.read_text("utf-8") + "COMMIT;")
    return path


def old_version(source: Path) -> int:
    return int(source.name.split("-")[1])


def upgrade(path: Path) -> None:
    migrate(path, fill_new_file)


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def objects(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Return kind, name and SQL of what the schema has, without full-text tables' own tables."""
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
    return [row for row in rows if not re.match(r"sqlite_|(chunk|trace)_fts_", row[1])]


def structure(path: Path) -> dict[tuple[str, str], Any]:
    """Return what must be the same in every file of a schema.

    Left out is what may differ: the order of columns, and defaults, which a new file leaves to the program.
    """
    found: dict[tuple[str, str], Any] = {}
    with closing(sqlite3.connect(path)) as connection:
        for kind, name, sql in objects(connection):
            plain = re.sub(r"\s*([(),])\s*", r"\1", re.sub(r"\s+", " ", sql)).replace(" IF NOT EXISTS", "")
            if kind == "table" and not plain.startswith("CREATE VIRTUAL"):
                columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
                indexes = connection.execute(f"PRAGMA index_list({name})").fetchall()
                found[kind, name] = (
                    {row[1]: (row[2], row[3], row[5]) for row in columns},
                    sorted(
                        (
                            row[2],
                            row[3],
                            row[4],
                            tuple(c[2] for c in connection.execute(f"PRAGMA index_info({row[1]})")),
                        )
                        for row in indexes
                    ),
                    connection.execute(f"PRAGMA foreign_key_list({name})").fetchall(),
                )
            else:
                found[kind, name] = plain
    return found


def rows(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table that holds rows of its own."""
    with closing(sqlite3.connect(path)) as connection:
        return rows_of(connection)


def rows_of(connection: sqlite3.Connection) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for kind, name, sql in objects(connection):
        if kind == "table" and not sql.startswith("CREATE VIRTUAL"):
            cursor = connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid')
            names = [column[0] for column in cursor.description]
            found[name] = [dict(zip(names, row, strict=True)) for row in cursor]
    return found


Content = tuple[int, list[tuple[str, str, str]], dict[str, list[dict[str, Any]]]]


def content(path: Path) -> Content:
    """Return the schema number, the schema and all rows."""
    with closing(sqlite3.connect(path)) as connection:
        number = connection.execute("PRAGMA user_version").fetchone()[0]
        return number, sorted(objects(connection)), rows_of(connection)


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
    from rag.settings import RetrievalSettings
    from rag.start_up import start_up
    from rag.workspace import Workspace

    path = old_file(old, tmp_path)
    embedder = FakeEmbedder()
    with Workspace(tmp_path, "a test", embedder=embedder, load_model=ScriptedModel().load) as workspace:
        drive(start_up(workspace))
        collection, version = open_version(workspace, "Kitchen", None)
        found = retrieve(workspace, collection, version, "What does rye bread need?", RetrievalSettings())
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


# --- steps are frozen -------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [migration_steps, migration_states, migration_silent_failures])
def test_a_step_imports_nothing_that_may_change(module: Any) -> None:
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    names = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    living = {n for n in names if n.split(".")[0] not in sys.stdlib_module_names and "migration_" not in n}
    assert living == set()


@pytest.mark.parametrize(
    ("answer", "finish_reason", "passages"),
    [
        ("", "length", 0),
        (" [1] ...", "stop", 1),
        ("The boat leaves at noon. " * 6, "stop", 1),
        ("Das Boot fährt mit der Flut und dem Wind nach Bremen, und es ist nicht weit von hier.", "stop", 1),
        ("It leaves at noon [3].", "length", 2),
        ("`x[7]` is code, and [2] is a passage.", "stop", 2),
        ("船は正午に出ます。" * 5, "stop", 1),
    ],
)
def test_the_frozen_detector_says_what_the_detector_of_its_day_said(
    answer: str, finish_reason: str, passages: int
) -> None:
    question = "When does the boat leave from the harbour of the town?"
    expected = silent_failures(question, answer, finish_reason, passages)
    found = migration_silent_failures.silent_failures_of_step_5(question, answer, finish_reason, passages)
    assert found == expected


def test_statements_are_split_where_sqlite_says_they_end() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\nDELETE FROM a;\nEND;"
    sql = f"CREATE TABLE a (b);\n{trigger}\nINSERT INTO a VALUES ('x;\ny');"
    assert [s.split()[0] for s in statements(sql)] == ["CREATE", "CREATE", "INSERT"]
    with pytest.raises(ValueError, match="semicolon"):
        statements("DELETE FROM a")


# --- interruptions ----------------------------------------------------------------------------------------


class Cut(Exception):
    """What a test raises after a statement."""


def cutting(after: int, cut: Callable[[], None]) -> tuple[Callable[[Path], sqlite3.Connection], list[str]]:
    """Return a way to open files that calls `cut` after so many statements in transactions, and what ran."""
    done: list[str] = []

    class Cutting(sqlite3.Connection):
        def _count(self, sql: str) -> None:
            if sql.startswith("PRAGMA journal_mode"):
                super().execute("PRAGMA synchronous = OFF")  # what matters here is order, and this is quicker
            if sql == "COMMIT" or (self.in_transaction and sql != "ROLLBACK"):
                done.append(sql)
                if len(done) == after:
                    cut()

        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            cursor = super().execute(sql, *values)
            self._count(sql)
            return cursor

        def executemany(self, sql: str, values: Any) -> sqlite3.Cursor:  # type: ignore[override]
            cursor = super().executemany(sql, values)
            self._count(sql)
            return cursor

    return lambda path: sqlite3.connect(path, isolation_level=None, factory=Cutting), done


def raise_cut() -> None:
    raise Cut


def kill_myself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def copied(path: Path, folder: Path) -> Path:
    """Return a copy of a database that nobody has open."""
    folder.mkdir()
    copy = folder / path.name
    copy.write_bytes(path.read_bytes())
    return copy


def after_each_step(path: Path, folder: Path) -> dict[int, Content]:
    """Return the content of a file at its own schema and after every step that follows."""
    copy = copied(path, folder)
    found = {version_of(copy): content(copy)}
    for step in STEPS[version_of(copy) :]:
        with closing(connect(copy)) as connection:
            connection.execute("BEGIN")
            run_actions(connection, step.actions)
            connection.execute(f"PRAGMA user_version = {step.number}")
            connection.execute("COMMIT")
        found[step.number] = content(copy)
    return found


def upgraded(path: Path, folder: Path) -> list[str]:
    """Upgrade a copy of a file without an interruption; return the statements of its transactions."""
    opening, done = cutting(0, raise_cut)
    migrate(copied(path, folder), fill_new_file, opening)
    return done


def cut_and_start_again(path: Path, after: int, done: list[str], steps: dict[int, Content]) -> int:
    """Interrupt an upgrade after a statement and start again; return the schema that was left in between."""
    cut = copied(path, path.parent / f"cut-{after}")
    with pytest.raises(Cut):
        migrate(cut, fill_new_file, cutting(after, raise_cut)[0])
    left = version_of(cut)
    assert left == version_of(path) + done[:after].count("COMMIT")
    assert content(cut) == steps[left], f"after {after}: {done[after - 1]}"
    upgrade(cut)
    assert content(cut) == steps[SCHEMA], f"after {after}: {done[after - 1]}"
    return left


def test_an_error_after_any_statement_leaves_a_whole_schema_that_the_next_start_upgrades(
    tmp_path: Path,
) -> None:
    path = old_file(FIRST, tmp_path)
    steps = after_each_step(path, tmp_path / "steps")
    done = upgraded(path, tmp_path / "whole")
    left = [cut_and_start_again(path, after, done, steps) for after in range(1, len(done) + 1)]
    assert set(left) == set(steps)
    assert len(left) > 100


@pytest.mark.parametrize("name", ["schema-3-e988215", "schema-5-27c8c2f"])
def test_an_error_after_a_statement_that_only_some_files_need_is_made_good(name: str, tmp_path: Path) -> None:
    usual = set(upgraded(old_file(FIRST, tmp_path / "first"), tmp_path / "usual"))
    path = old_file(TESTS / "schemas" / f"{name}.sql", tmp_path)
    steps = after_each_step(path, tmp_path / "steps")
    done = upgraded(path, tmp_path / "whole")
    special = [after for after, sql in enumerate(done, start=1) if sql not in usual]
    for after in special:
        cut_and_start_again(path, after, done, steps)
    assert special


def test_an_error_while_a_new_file_is_made_leaves_none_of_it(tmp_path: Path) -> None:
    opening, done = cutting(0, raise_cut)
    whole = tmp_path / "whole.sqlite"
    migrate(whole, fill_new_file, opening)
    for after in (1, 2, len(done) // 2, len(done) - 1):
        path = tmp_path / f"cut-{after}.sqlite"
        with pytest.raises(Cut):
            migrate(path, fill_new_file, cutting(after, raise_cut)[0])
        assert content(path) == (0, [], {})
        upgrade(path)
        assert content(path) == content(whole)


def killed(path: Path, after: int) -> None:
    """Upgrade a file in another process, which kills itself after so many statements."""
    done = subprocess.run([sys.executable, __file__, str(path), str(after)], capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_a_kill_leaves_a_whole_schema_that_the_next_start_upgrades(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path / "old")
    steps = after_each_step(path, tmp_path / "steps")
    done = upgraded(path, tmp_path / "whole")
    commits = [number for number, sql in enumerate(done, start=1) if sql == "COMMIT"]
    for after in (2, commits[0] - 1, commits[0], commits[1] - 2, commits[3] + 5, len(done) - 1):
        cut = copied(path, tmp_path / f"kill-{after}")
        killed(cut, after)
        left = version_of(cut)
        assert left == 1 + done[:after].count("COMMIT")
        assert content(cut) == steps[left], done[after - 1]
        copy = (cut.parent / "ragdeck.before-2.sqlite").read_bytes()
        upgrade(cut)
        assert content(cut) == steps[SCHEMA], done[after - 1]
        assert (cut.parent / "ragdeck.before-2.sqlite").read_bytes() == copy
        assert content(cut.parent / "ragdeck.before-2.sqlite") == steps[1]


def test_a_file_that_the_earlier_program_left_between_two_steps_is_upgraded(tmp_path: Path) -> None:
    """It committed statement by statement and wrote the number last: a step may be there in part."""
    path = old_file(FIRST, tmp_path / "old")
    whole = after_each_step(path, tmp_path / "steps")[SCHEMA]
    half = copied(path, tmp_path / "half")
    with closing(connect(half)) as raw:
        run_actions(raw, STEPS[1].actions)
        raw.execute("ALTER TABLE trace ADD COLUMN outcome TEXT NOT NULL DEFAULT ''")
    assert version_of(half) == 1
    good = half.with_name("ragdeck.before-2.sqlite")
    good.write_bytes(path.read_bytes())  # the copy that the earlier program had made
    upgrade(half)
    assert rows(half) == whole[2]
    assert good.read_bytes() == path.read_bytes()


# --- the safety copy --------------------------------------------------------------------------------------


def test_the_copy_holds_the_file_as_it_was(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    before = content(path)
    upgrade(path)
    assert content(tmp_path / "ragdeck.before-2.sqlite") == before
    assert not list(tmp_path.glob("*.part*"))


def test_a_start_after_an_interruption_makes_no_second_copy(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    with pytest.raises(Cut):
        migrate(path, fill_new_file, cutting(5, raise_cut)[0])
    made = (tmp_path / "ragdeck.before-2.sqlite").stat().st_mtime_ns
    upgrade(path)
    assert [p.name for p in tmp_path.glob("ragdeck.before-*")] == ["ragdeck.before-2.sqlite"]
    assert (tmp_path / "ragdeck.before-2.sqlite").stat().st_mtime_ns == made


def test_a_copy_made_before_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    before = content(path)
    for name in ("ragdeck.before-2.sqlite", "ragdeck.before-2-2.sqlite"):
        (tmp_path / name).write_text(f"an earlier {name}")
    upgrade(path)
    for name in ("ragdeck.before-2.sqlite", "ragdeck.before-2-2.sqlite"):
        assert (tmp_path / name).read_text() == f"an earlier {name}"
    assert content(tmp_path / "ragdeck.before-2-3.sqlite") == before


def test_a_half_written_copy_is_replaced(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    before = content(path)
    for name in ("ragdeck.before-2.sqlite.part", "ragdeck.before-2.sqlite.part-journal"):
        (tmp_path / name).write_text("half of a copy")
    upgrade(path)
    assert content(tmp_path / "ragdeck.before-2.sqlite") == before
    assert not list(tmp_path.glob("*.part*"))


def test_a_half_written_copy_goes_at_the_next_start_of_any_kind(tmp_path: Path) -> None:
    """It holds the texts of documents, so it must not outlive the reason for which it was made."""
    path = tmp_path / "ragdeck.sqlite"
    upgrade(path)
    (tmp_path / "ragdeck.before-2.sqlite.part").write_text("half of a copy")
    upgrade(path)
    assert not list(tmp_path.glob("*.part*"))


def test_a_full_disk_while_copying_is_one_sentence_and_nothing_is_lost(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    before = content(path)

    def small(name: Path) -> sqlite3.Connection:
        connection = connect(name)
        if name.suffix == ".part":
            connection.execute("PRAGMA max_page_count = 5")  # SQLite then says that the disk is full
        return connection

    with pytest.raises(RagError, match=r"The disk is full.*needs 1 MB.*Nothing was changed") as raised:
        migrate(path, fill_new_file, small)
    assert "damaged" not in str(raised.value)
    assert content(path) == before
    assert not list(tmp_path.glob("ragdeck.before-*"))
    upgrade(path)
    assert version_of(path) == SCHEMA


# --- one sentence each ------------------------------------------------------------------------------------


def test_a_full_disk_in_a_step_is_not_called_damage(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    before = content(path)

    def small(name: Path) -> sqlite3.Connection:
        connection = connect(name)
        if name == path:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 3}")
        return connection

    with pytest.raises(RagError, match=r"The disk is full.*Free some space.*nothing is lost") as raised:
        migrate(path, fill_new_file, small)
    assert "move" not in str(raised.value)
    assert content(path) == before
    upgrade(path)
    assert version_of(path) == SCHEMA


@pytest.mark.parametrize(
    ("journal", "lock"), [("WAL", "IMMEDIATE"), ("DELETE", "IMMEDIATE"), ("DELETE", "EXCLUSIVE")]
)
def test_a_locked_file_is_not_called_damaged(journal: str, lock: str, tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    with closing(connect(path)) as other:
        other.execute(f"PRAGMA journal_mode = {journal}")
        other.execute(f"BEGIN {lock}")
        with pytest.raises(RagError, match=r"in use by another program.*start again") as raised:
            migrate(path, fill_new_file, lambda name: sqlite3.connect(name, timeout=0, isolation_level=None))
        other.execute("ROLLBACK")
    assert "move it away" not in str(raised.value)
    assert version_of(path) == 1


def test_a_newer_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    before = path.read_bytes()
    with pytest.raises(RagError, match=f"newer Ragdeck .schema {SCHEMA + 1}, this program knows {SCHEMA}"):
        Store(path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("ragdeck.before-*"))


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ragdeck.sqlite"
    path.write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(RagError, match=r"is not an SQLite file.*backup"):
        Store(path)
    assert path.read_bytes() == b"this is not a database at all" * 100


@pytest.mark.parametrize("current", [False, True])
def test_a_damaged_file_is_refused_and_left_as_it_is(current: bool, tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    if current:
        upgrade(path)
    broken = bytearray(path.read_bytes())
    broken[100:4096] = b"\xff" * 3996  # the page of the schema, behind the file's header
    path.write_bytes(broken)
    with pytest.raises(RagError, match=r"is damaged .*backup"):
        Store(path)
    assert path.read_bytes() == broken


def test_a_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ragdeck.sqlite"
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("CREATE TABLE bookmarks (url)")
    before = path.read_bytes()
    with pytest.raises(RagError, match="not a Ragdeck file"):
        Store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("old_schema", [True, False])
def test_a_new_file_that_the_earlier_program_left_half_made_is_begun_again(
    old_schema: bool, tmp_path: Path
) -> None:
    path = old_file(FIRST, tmp_path) if old_schema else tmp_path / "ragdeck.sqlite"
    upgrade(tmp_path / "new.sqlite")
    if not old_schema:
        upgrade(path)
    with closing(connect(path)) as raw:
        for table in rows(path):
            if table != "alertrule":
                raw.execute(f'DELETE FROM "{table}"')
        raw.execute("DROP INDEX trace_flagged")
        raw.execute("PRAGMA user_version = 0")
    upgrade(path)
    assert content(path) == content(tmp_path / "new.sqlite")


def test_rows_without_a_schema_number_are_never_dropped(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    before = rows(path)
    with closing(connect(path)) as raw:
        raw.execute("PRAGMA user_version = 0")
    with pytest.raises(RagError, match="no schema number"):
        Store(path)
    assert rows(path) == before


def test_a_step_that_fails_is_named_and_the_copy_too(tmp_path: Path) -> None:
    path = old_file(FIRST, tmp_path)
    with closing(connect(path)) as raw:
        raw.execute("DROP TABLE tracehit")
    before = content(path)
    with pytest.raises(RagError, match=r"step 2 \(dataset versions.*no such table.*before-2\.sqlite"):
        Store(path)
    assert content(path) == before


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    path = old_file(FIRST, tmp_path / "data")
    with closing(connect(path)) as raw:
        raw.execute("PRAGMA journal_mode = DELETE")
    path.chmod(0o400)
    path.parent.chmod(0o500)
    yield path
    path.parent.chmod(0o700)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_not_called_damaged(read_only: Path) -> None:
    with pytest.raises(RagError, match=r"cannot be (written|opened).*permissions"):
        upgrade(read_only)


if __name__ == "__main__":
    migrate(Path(sys.argv[1]), fill_new_file, cutting(int(sys.argv[2]), kill_myself)[0])
