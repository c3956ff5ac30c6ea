"""What was kept long enough goes from rows, files and bytes; what is needed or newer stays."""

import os
from pathlib import Path

import pytest
from data_folders import insert
from fakes import drive
from stored_traces import add_traces

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceFilter, list_traces
from rag.governance.audit.rows import list_audit
from rag.governance.retention.rows import RetentionKind, RetentionPart, setting_of
from rag.governance.retention.running import EXPIRED, is_due, preview_retention, run_retention
from rag.governance.sentence_search import search_files
from rag.knowledge.ingest import ingest_files
from rag.storage.backup import back_up
from rag.storage.store import add_trace_text, now_ms
from rag.workspace import Workspace

DAY = 86_400_000
TEXT = "Ms Quill keeps the seventh key in the blue drawer."


def keep(workspace: Workspace, **days: object) -> None:
    workspace.change_settings({"governance": days})


def trace(workspace: Workspace, name: str, age_days: float, source: str = "person", **more: object) -> None:
    values = {"question": f"{TEXT} {name}", "answer": TEXT, "prompt": TEXT, "settings": "{}"} | more
    insert(
        workspace, "trace", id=name, status="done", source=source,
        created_ms=now_ms() - round(age_days * DAY), fallbacks="[]", silent_failures="[]", **values,
    )  # fmt: skip
    with workspace.store.session() as session:
        add_trace_text(session, name, f"{values['question']}\n{values['answer']}")


def names(workspace: Workspace) -> set[str]:
    return {name for (name,) in workspace.database.cells("SELECT id FROM trace")}


def part(workspace: Workspace, kind: RetentionKind) -> RetentionPart:
    return next(one for one in preview_retention(workspace).parts if one.kind is kind)


def test_nothing_goes_unless_a_setting_says_so(workspace: Workspace) -> None:
    trace(workspace, "old", 4000)
    assert not is_due(workspace)
    report = drive(run_retention(workspace))
    assert report.count == 0
    assert names(workspace) == {"old"}
    assert "retention run" not in {row.action for row in list_audit(workspace.database)}


def test_old_traces_go_with_their_bytes_and_needed_ones_stay(workspace: Workspace) -> None:
    for name, age in (("old", 31), ("new", 29), ("reviewed", 31), ("kept", 31), ("received", 31)):
        trace(workspace, name, age, "received" if name == "received" else "person")
    insert(workspace, "reviewitem", queue_id=1, trace_id="reviewed")
    insert(workspace, "feedback", trace_id="kept", author="a", tags="[]")
    insert(workspace, "claim", trace_id="old", text=f"The claim of old: {TEXT}")
    keep(workspace, traces_days=30)
    found = part(workspace, RetentionKind.TRACES)
    assert (found.count, found.kept) == (1, 2)
    assert found.oldest_ms is not None
    assert is_due(workspace)
    report = drive(run_retention(workspace))
    assert report.sentence() == "1 trace"
    assert names(workspace) == {"new", "reviewed", "kept", "received"}
    assert workspace.database.cells("SELECT count(*) FROM claim") == [(0,)]
    assert drive(search_files(workspace.folder, [f"{TEXT} old", "The claim of old"]))[0] == []
    assert not is_due(workspace)
    (row, *_) = list_audit(workspace.database)
    assert (row.action, row.detail) == (
        "retention run",
        "traces: 1 older than 30 days, 2 more stay because they are needed",
    )


def test_texts_go_and_figures_stay(workspace: Workspace) -> None:
    trace(workspace, "old", 10, total_ms=12.5, worst_verdict="supported")
    trace(workspace, "new", 1)
    insert(workspace, "tracehit", trace_id="old", text=TEXT, lists="[]", moves="[]", rank=3)
    insert(workspace, "claim", trace_id="old", text=TEXT, verdict="supported", evidence_text=TEXT)
    insert(workspace, "reviewitem", queue_id=1, trace_id="old")
    insert(workspace, "review", item_id=1, reviewer="a", correction=TEXT, relevant="[]")
    keep(workspace, trace_texts_days=7)
    assert part(workspace, RetentionKind.TRACE_TEXTS).count == 1
    drive(run_retention(workspace))
    row = workspace.database.cells("SELECT question, answer, prompt, total_ms FROM trace WHERE id = 'old'")
    assert row == [(EXPIRED, EXPIRED, "", 12.5)]
    assert workspace.database.cells("SELECT text, rank FROM tracehit") == [("", 3)]
    assert workspace.database.cells("SELECT text, verdict FROM claim") == [("", "supported")]
    assert workspace.database.cells("SELECT correction FROM review") == [("",)]
    assert [one.id for one in list_traces(workspace.database, TraceFilter(text="Quill"))] == ["new"]
    assert part(workspace, RetentionKind.TRACE_TEXTS).count == 0


def test_a_real_answer_is_still_listed_without_its_texts(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    drive(answer_question(workspace, Question("How long does rye bread rest?", "A")))
    keep(workspace, trace_texts_days=1)
    drive(run_retention(workspace, now_ms() + 2 * DAY))
    (left,) = list_traces(workspace.database, TraceFilter())
    assert left.question == EXPIRED


def test_cached_answers_and_received_traces_have_their_own_days(workspace: Workspace) -> None:
    trace(workspace, "theirs", 3, "received")
    trace(workspace, "ours", 3)
    trace(workspace, "rated", 3, "received")
    insert(workspace, "feedback", trace_id="rated", author="a", tags="[]")
    insert(workspace, "receivedspan", trace_id="theirs", span_id="s", body=TEXT)
    insert(workspace, "cachedanswer", question_key="old", trace_id="ours", created_ms=now_ms() - 3 * DAY)
    insert(workspace, "cachedanswer", question_key="new", trace_id="ours", created_ms=now_ms())
    keep(workspace, cached_answers_days=2, received_traces_days=2)
    report = drive(run_retention(workspace))
    assert report.sentence() == "1 cached answer, 1 received trace"
    assert names(workspace) == {"ours", "rated"}
    assert workspace.database.cells("SELECT count(*) FROM receivedspan") == [(0,)]
    assert workspace.database.cells("SELECT question_key FROM cachedanswer") == [("new",)]


def test_old_copies_and_backups_go_and_other_files_never(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    drive(back_up(workspace.folder, folder / "mine.zip"))
    (folder / "holiday.zip").write_bytes(b"not a backup")
    (workspace.folder / "ragdeck.before-7.sqlite").write_text("old")
    (workspace.folder / "before-restore-2020").mkdir()
    (workspace.folder / "before-restore-2020" / "ragdeck.sqlite").write_text("old")
    drive(back_up(workspace.folder, folder / "new.zip"))
    for path in (*folder.iterdir(), *workspace.folder.glob("*before-*")):
        if path.name != "new.zip":
            os.utime(path, (1, 1))
    keep(workspace, backups_days=30, backup_folder=str(folder))
    found = part(workspace, RetentionKind.BACKUPS)
    assert found.count == 3
    assert found.bytes > 1000
    assert {Path(name).name for name in found.names} == {
        "mine.zip", "ragdeck.before-7.sqlite", "before-restore-2020",
    }  # fmt: skip
    drive(run_retention(workspace))
    assert {path.name for path in folder.iterdir()} == {"new.zip", "holiday.zip"}
    assert not list(workspace.folder.glob("*before-*"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may delete everywhere")
def test_a_backup_that_cannot_be_deleted_is_told_of(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    drive(back_up(workspace.folder, folder / "mine.zip"))
    os.utime(folder / "mine.zip", (1, 1))
    keep(workspace, backups_days=30, backup_folder=str(folder))
    folder.chmod(0o500)
    report = drive(run_retention(workspace))
    folder.chmod(0o700)
    assert "mine.zip could not be deleted" in report.problems[0]


NEEDED_BY = [
    ("evaluationresult", {"trace_id": "old", "metrics": "{}"}),
    ("evaluationresult", {"reused_trace": "old", "metrics": "{}"}),
    ("feedback", {"trace_id": "old", "author": "a", "tags": "[]"}),
    ("reviewitem", {"trace_id": "old", "queue_id": 1}),
    ("rolloutanswer", {"trace_id": "old", "rollout_id": 1}),
    ("regressionquestion", {"reference_trace_id": "old"}),
    ("regressionresult", {"trace_id": "old"}),
    ("flagopinion", {"trace_id": "old"}),
]


@pytest.mark.parametrize(("table", "values"), NEEDED_BY)
def test_what_another_table_needs_stays_until_it_no_longer_does(
    workspace: Workspace, table: str, values: dict[str, object]
) -> None:
    trace(workspace, "old", 31)
    insert(workspace, table, **values)
    keep(workspace, traces_days=30)
    found = part(workspace, RetentionKind.TRACES)
    assert (found.count, found.kept, found.oldest_ms) == (0, 1, None)
    assert not is_due(workspace)
    drive(run_retention(workspace))
    assert names(workspace) == {"old"}
    with workspace.store.session() as session:
        session.connection().exec_driver_sql(f"DELETE FROM {table}")
    assert part(workspace, RetentionKind.TRACES).count == 1


@pytest.mark.parametrize(
    ("source", "status", "kind", "goes"),
    [
        ("person", "done", RetentionKind.TRACES, True),
        ("person", "failed", RetentionKind.TRACES, True),
        ("person", "running", RetentionKind.TRACES, False),
        ("evaluation", "done", RetentionKind.TRACES, True),
        ("step", "done", RetentionKind.TRACES, False),  # it goes with its answer
        ("received", "done", RetentionKind.TRACES, False),
        ("received", "done", RetentionKind.RECEIVED_TRACES, True),
        ("person", "done", RetentionKind.RECEIVED_TRACES, False),
        ("person", "done", RetentionKind.TRACE_TEXTS, True),
        ("received", "done", RetentionKind.TRACE_TEXTS, True),
        ("step", "done", RetentionKind.TRACE_TEXTS, True),
        ("person", "running", RetentionKind.TRACE_TEXTS, False),
    ],
)
def test_which_traces_belong_to_a_kind(
    workspace: Workspace, source: str, status: str, kind: RetentionKind, goes: bool
) -> None:
    trace(workspace, "old", 31, source)
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE trace SET status = ?", (status,))
    keep(workspace, **{setting_of(kind): 30})
    assert part(workspace, kind).count == goes


@pytest.mark.parametrize(("after_ms", "goes"), [(-1, False), (0, False), (1, True), (DAY, True)])
def test_a_trace_may_be_as_old_as_the_setting_says_and_no_older(
    workspace: Workspace, after_ms: int, goes: bool
) -> None:
    trace(workspace, "one", 0)
    ((created,),) = workspace.database.cells("SELECT created_ms FROM trace")
    keep(workspace, traces_days=30)
    report = preview_retention(workspace, created + 30 * DAY + after_ms)
    assert report.count == goes
    found = next(one for one in report.parts if one.kind is RetentionKind.TRACES)
    assert found.oldest_ms == (created if goes else None)


@pytest.mark.parametrize("kind", list(RetentionKind))
def test_a_preview_removes_nothing_and_has_every_kind(workspace: Workspace, kind: RetentionKind) -> None:
    for source in ("person", "received"):
        trace(workspace, source, 40, source)
    insert(workspace, "cachedanswer", question_key="old", trace_id="person", created_ms=1)
    keep(workspace, **{setting_of(kind): 30})
    before = preview_retention(workspace)
    assert [one.kind for one in before.parts] == list(RetentionKind)
    assert [one.kind for one in before.parts if one.days] == [kind]
    assert preview_retention(workspace) == before
    assert names(workspace) == {"person", "received"}
    assert workspace.database.cells("SELECT count(*) FROM cachedanswer") == [(1,)]


def test_more_than_one_batch_goes_in_one_run(workspace: Workspace) -> None:
    add_traces(workspace, 503, now_ms() - 40 * DAY, 1, id=lambda n: f"old {n}")
    with workspace.store.session() as session:
        for number in range(503):
            add_trace_text(session, f"old {number}", "What is it?\nIt is bread.")
    trace(workspace, "new", 1)
    keep(workspace, traces_days=30)
    assert drive(run_retention(workspace)).sentence() == "503 traces"
    assert names(workspace) == {"new"}


def test_a_run_says_what_it_is_at_and_can_be_stopped_between_kinds(workspace: Workspace) -> None:
    trace(workspace, "old", 40)
    keep(workspace, traces_days=30)
    run = run_retention(workspace)
    first = next(run)
    assert (first.stage, first.done, first.total) == ("removing old traces", 0, len(RetentionKind))
    run.close()
    assert names(workspace) == {"old"}
    assert "retention run" not in {row.action for row in list_audit(workspace.database)}


def test_a_trace_whose_texts_went_still_goes_itself_later(workspace: Workspace) -> None:
    trace(workspace, "old", 10)
    keep(workspace, traces_days=30, trace_texts_days=7)
    assert drive(run_retention(workspace)).sentence() == "1 trace text"
    assert drive(run_retention(workspace)).count == 0
    assert drive(run_retention(workspace, now_ms() + 30 * DAY)).sentence() == "1 trace"
    assert names(workspace) == set()


@pytest.mark.parametrize(
    "name", ["ragdeck.before-7.sqlite", "ragdeck.before-12.sqlite", "before-restore-2020-01-01"]
)
def test_copies_of_before_an_upgrade_are_known_by_their_names(workspace: Workspace, name: str) -> None:
    keep(workspace, backups_days=30)
    copy = workspace.folder / name
    copy.write_text("old")
    assert part(workspace, RetentionKind.BACKUPS).count == 0  # it is new
    os.utime(copy, (1, 1))
    found = part(workspace, RetentionKind.BACKUPS)
    assert (found.names, found.bytes, found.oldest_ms) == ((str(copy),), 3, 1000)


@pytest.mark.parametrize(
    "name", ["ragdeck.sqlite", "settings.toml", "ragdeck.after-7.sqlite", "my.before-7.sqlite", "x.zip", "restore-1"]
)  # fmt: skip
def test_no_other_file_of_the_folder_is_ever_removed(workspace: Workspace, name: str) -> None:
    keep(workspace, backups_days=1)
    file = workspace.folder / name
    if not file.exists():
        file.write_text("mine")
    os.utime(file, (1, 1))
    assert part(workspace, RetentionKind.BACKUPS).count == 0
    drive(run_retention(workspace))
    assert file.exists()


def test_a_backup_folder_that_is_not_there_has_no_old_backups(workspace: Workspace, tmp_path: Path) -> None:
    keep(workspace, backups_days=30, backup_folder=str(tmp_path / "missing"))
    assert part(workspace, RetentionKind.BACKUPS) == RetentionPart(RetentionKind.BACKUPS, 30)


@pytest.mark.parametrize("kind", [RetentionKind.TRACES, RetentionKind.TRACE_TEXTS])
def test_a_question_whose_process_died_goes_as_well(workspace: Workspace, kind: RetentionKind) -> None:
    """Its text is not in the full-text index, which would be damaged by being told to forget it."""
    insert(
        workspace, "trace", id="died", status="interrupted", source="person", created_ms=1, question=TEXT,
        settings="{}", fallbacks="[]", silent_failures="[]",
    )  # fmt: skip
    trace(workspace, "answered", 40)
    keep(workspace, **{setting_of(kind): 30})
    assert drive(run_retention(workspace)).count == 2
    assert workspace.database.problem() == ""
    assert list_traces(workspace.database, TraceFilter(text="Quill")) == []
    assert names(workspace) == (set() if kind is RetentionKind.TRACES else {"died", "answered"})
