"""Changes and accesses that matter are rows of the log, with fingerprints of what was there before and after."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import drive

from rag.evaluation import sets
from rag.evaluation.cases import Case
from rag.governance.audit.checking import check_audit
from rag.governance.audit.rows import AuditRow, list_audit
from rag.interchange.receiving import receive
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import look_up_version
from rag.knowledge.versions import activate_version
from rag.prompts.files import export_prompts, import_prompts
from rag.review.feedback import remove_feedback
from rag.serving.otlp_receiver import OtlpReceiver
from rag.settings import Settings
from rag.storage.backup import back_up, finish_restore, prepare_restore
from rag.storage.tables.review import Feedback
from rag.workspace import Workspace


def logged(workspace: Workspace, action: str) -> AuditRow:
    """Return the latest row of an action; there must be one."""
    return next(row for row in list_audit(workspace.database) if row.action == action)


@pytest.fixture(autouse=True)
def whole(workspace: Workspace) -> Iterator[None]:
    """Whatever was logged, by whatever process, is one whole chain afterwards."""
    yield
    assert check_audit(workspace.folder).ok


def test_a_change_of_settings(workspace: Workspace) -> None:
    before = workspace.settings.fingerprint()
    workspace.change_settings({"generation": {"seed": 7}, "costs": {"currency": "USD"}})
    row = logged(workspace, "settings changed")
    assert (row.detail, row.before, row.after) == (
        "generation.seed, costs.currency", before, workspace.settings.fingerprint(),
    )  # fmt: skip
    assert row.before == Settings().fingerprint()


def test_versions_that_are_made_and_activated(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    first = look_up_version(workspace.database, "A", "active").fingerprint
    made = logged(workspace, "version made")
    assert (made.subject, made.before, made.after) == ("A", "", first)
    (documents / "more.txt").write_text("Storms come in winter.", "utf-8")
    drive(ingest_files(workspace, "A", [documents]))
    second = look_up_version(workspace.database, "A", "active").fingerprint
    assert (logged(workspace, "version made").before, logged(workspace, "version made").after) == (
        first,
        second,
    )
    drive(activate_version(workspace, "A", 1))
    row = logged(workspace, "version activated")
    assert (row.before, row.after) == (second, first)


def test_a_change_and_an_export_of_an_evaluation_set(workspace: Workspace, tmp_path: Path) -> None:
    sets.create_set(workspace, "gold")
    sets.add_case(workspace, "gold", Case(question="One?"), "first")
    sets.add_case(workspace, "gold", Case(question="Two?"), "second")
    changed = logged(workspace, "evaluation set changed")
    assert changed.detail == "version 2: second"
    assert len(changed.before) == len(changed.after) == 64
    sets.export_set(workspace.database, "gold", tmp_path / "gold.jsonl", "ragdeck")
    row = logged(workspace, "evaluation set exported")
    assert (row.detail, row.after) == (str(tmp_path / "gold.jsonl"), changed.after)


def test_prompts_that_leave_and_come(workspace: Workspace, tmp_path: Path) -> None:
    export_prompts(workspace.database, tmp_path / "prompts")
    assert logged(workspace, "prompts exported").detail == "1 prompt"
    import_prompts(workspace.store, tmp_path / "prompts")
    assert logged(workspace, "prompts imported").detail == "0 versions added, 0 labels moved"
    assert logged(workspace, "prompt label moved").after == logged(workspace, "prompt version made").after


def test_a_backup_and_what_is_restored(workspace: Workspace, tmp_path: Path) -> None:
    drive(back_up(workspace.folder, tmp_path / "b.zip"))
    row = logged(workspace, "backup made")
    assert (row.detail, len(row.after)) == (str(tmp_path / "b.zip"), 64)
    other = tmp_path / "other"
    other.mkdir()
    drive(prepare_restore(other, tmp_path / "b.zip"))
    with Workspace(other, "a test") as restored:
        assert restored.notices
        assert logged(restored, "data restored").detail == restored.notices[0]
        assert check_audit(other).ok
    assert finish_restore(other) == []


def test_a_receiver_that_starts_and_stops(workspace: Workspace) -> None:
    receiver = OtlpReceiver(workspace.store, token="secret")
    receiver.start()
    receiver.stop()
    assert logged(workspace, "receiver started").detail == "with a token"
    assert logged(workspace, "receiver stopped").detail == "0 spans in 0 requests"
    assert "secret" not in "".join(row.detail for row in list_audit(workspace.database))
    assert receive(workspace.store, []).added == ()


def test_feedback_that_is_removed(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        session.add(Feedback(trace_id="a" * 32, author="alice", created_ms=1, is_up=True, tags="[]"))
    remove_feedback(workspace, "a" * 32, "alice")
    assert logged(workspace, "feedback removed").detail == "of alice"
