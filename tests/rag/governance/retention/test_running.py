"""What was kept long enough goes from rows, files and bytes; what is needed or newer stays."""

import os
from pathlib import Path

import pytest
from data_folders import insert
from fakes import drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceFilter, list_traces
from rag.governance.audit.rows import list_audit
from rag.governance.retention.rows import RetentionKind, RetentionPart
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
