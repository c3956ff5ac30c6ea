"""What the window starts by itself: watched folders are looked at, regression questions run after a change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import engine_functions as functions
import pytest
from data_folders import insert
from driving import notices
from endpoint_server import EndpointServer, add_endpoint
from fakes import ScriptedModel, drive
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.background_checks import BackgroundChecks
from app.console import Console
from rag.asking.cache.answering import answer_or_recall
from rag.asking.cache.rows import list_hits
from rag.asking.rows import Question
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import get_collection, list_collections
from rag.knowledge.watched_folders import watch_folder
from rag.models.endpoints.rows import list_changes
from rag.monitoring.regression_questions import add_regression_question, regression_state
from rag.workspace import Workspace

NEVER_MS = 3_600_000  # a timer that does not fire during a test
QUESTION = "How long does rye bread rest?"


@pytest.fixture(autouse=True)
def fresh_gates() -> Iterator[None]:
    """Begin each test with closed gates, and open all of them at its end."""
    functions.gates.clear()
    functions.calls.clear()
    yield
    for gate in functions.gates.values():
        gate.set()


@pytest.fixture
def make_checks(console: Console) -> Iterator[Callable[..., BackgroundChecks]]:
    made: list[BackgroundChecks] = []

    def make(folders_ms: int = NEVER_MS, quiet_ms: int = NEVER_MS) -> BackgroundChecks:
        made.append(BackgroundChecks(console, folders_ms, quiet_ms))
        return made[-1]

    yield make
    for checks in made:
        checks.stop()


def titles(console: Console) -> list[str]:
    return [task.title for task in console.engine.tasks]


# --- watched folders --------------------------------------------------------------------------------------


def test_nothing_is_started_without_a_watched_folder(
    console: Console, make_checks: Callable[..., BackgroundChecks]
) -> None:
    make_checks().check_folders()
    assert titles(console) == []


def test_a_change_in_a_watched_folder_is_imported_and_told(
    console: Console, open_workspace: Workspace, documents: Path, settle: Callable[[], None],
    make_checks: Callable[..., BackgroundChecks],
) -> None:  # fmt: skip
    watch_folder(open_workspace, "Kitchen", str(documents), 0)
    checks = make_checks()
    unchanged, changes = QSignalSpy(checks.folders_unchanged), QSignalSpy(console.data_changed)
    checks.check_folders()
    settle()
    checks.check_folders()  # what was seen once and is still the same is complete
    settle()
    assert get_collection(console.database, "Kitchen").document_count == 3
    told = [sentence for sentence, _ in console.notices]  # type: ignore[attr-defined]
    assert len(told) == 1
    assert told[0].startswith("A watched folder changed. Kitchen: 3 added")
    assert changes.count() == 1
    before = unchanged.count()
    checks.check_folders()
    settle()
    assert unchanged.count() == before + 1
    assert len(console.notices) == 1  # type: ignore[attr-defined]


def test_the_folder_timer_looks_by_itself_until_it_is_paused(
    qtbot: QtBot, console: Console, open_workspace: Workspace, documents: Path,
    make_checks: Callable[..., BackgroundChecks], settle: Callable[[], None],
) -> None:  # fmt: skip
    watch_folder(open_workspace, "Kitchen", str(documents), 0)
    checks = make_checks(folders_ms=10)
    qtbot.waitUntil(
        lambda: any(row.document_count == 3 for row in list_collections(console.database)), timeout=30_000
    )
    checks.pause_folders()
    settle()
    (documents / "new.txt").write_text("A new file.", "utf-8")
    started = QSignalSpy(console.engine.tasks_changed)
    qtbot.wait(50)
    assert started.count() == 0


def test_folders_are_left_alone_while_something_is_imported(
    console: Console, open_workspace: Workspace, documents: Path, settle: Callable[[], None],
    make_checks: Callable[..., BackgroundChecks],
) -> None:  # fmt: skip
    watch_folder(open_workspace, "Kitchen", str(documents), 0)
    checks = make_checks()
    console.engine.start(functions.gated, gate="import")
    checks.check_folders()
    assert titles(console) == ["Pass import"]
    functions.gates["import"].set()
    settle()
    console.engine.is_ready = False
    checks.check_folders()
    assert titles(console) == []
    console.engine.is_ready = True


# --- regression questions ---------------------------------------------------------------------------------


@pytest.fixture
def stale(open_workspace: Workspace, console: Console, documents: Path) -> None:
    """A collection whose one regression question was never run, and the wish to run it after a change."""
    drive(ingest_files(open_workspace, "Kitchen", [str(documents)]))
    open_workspace.language_model()
    drive(add_regression_question(open_workspace, "Kitchen", QUESTION))
    values = {"monitors": {"run_regression_after_change": True}}
    console.take_settings(open_workspace.change_settings(values).model_dump(mode="json"))


def test_stale_questions_are_run_once_the_changes_are_over(
    qtbot: QtBot, console: Console, open_workspace: Workspace, stale: None,
    make_checks: Callable[..., BackgroundChecks], settle: Callable[[], None],
) -> None:  # fmt: skip
    make_checks(quiet_ms=20)
    console.data_changed.emit()
    qtbot.waitUntil(lambda: regression_state(open_workspace, "Kitchen").run_ms is not None, timeout=30_000)
    settle()
    assert regression_state(open_workspace, "Kitchen").questions[0].change == ""
    assert console.notices == []  # type: ignore[attr-defined]  # no news is no notice


def test_a_changed_answer_is_told(
    console: Console, model: ScriptedModel, stale: None, make_checks: Callable[..., BackgroundChecks],
    settle: Callable[[], None],
) -> None:  # fmt: skip
    model.answer = "It rests for 99 hours [1]."
    changes = QSignalSpy(console.data_changed)
    make_checks().check_questions()
    settle()
    ((sentence, kind),) = console.notices  # type: ignore[attr-defined]
    assert sentence == "The regression questions were run again. Kitchen: 1 of 1 changed in the last run."
    assert kind == "bad"
    assert changes.count() == 1


def test_nothing_is_run_unless_it_is_wanted(
    console: Console, open_workspace: Workspace, stale: None, make_checks: Callable[..., BackgroundChecks]
) -> None:
    values = {"monitors": {"run_regression_after_change": False}}
    console.take_settings(open_workspace.change_settings(values).model_dump(mode="json"))
    make_checks().check_questions()
    assert titles(console) == []


def test_questions_wait_for_what_is_under_way(
    qtbot: QtBot, console: Console, open_workspace: Workspace, stale: None,
    make_checks: Callable[..., BackgroundChecks], settle: Callable[[], None],
) -> None:  # fmt: skip
    checks = make_checks(quiet_ms=20)
    console.engine.start(functions.gated, gate="import")
    checks.check_questions()
    assert titles(console) == ["Pass import"]
    functions.gates["import"].set()  # and the timer tries again
    qtbot.waitUntil(lambda: regression_state(open_workspace, "Kitchen").run_ms is not None, timeout=30_000)
    settle()


def test_what_failed_is_not_tried_again_until_something_changes(
    console: Console, open_workspace: Workspace, model: ScriptedModel, stale: None, documents: Path,
    make_checks: Callable[..., BackgroundChecks], settle: Callable[[], None],
) -> None:  # fmt: skip
    checks = make_checks()
    model.error = RuntimeError("out of memory")
    checks.check_questions()
    settle()
    failures = len(console.notices)  # type: ignore[attr-defined]
    assert failures == 1
    asked = len(model.prompts)
    checks.check_questions()
    settle()
    assert len(model.prompts) == asked
    assert len(console.notices) == failures  # type: ignore[attr-defined]


def test_a_closing_window_starts_nothing(
    qtbot: QtBot, console: Console, stale: None, make_checks: Callable[..., BackgroundChecks]
) -> None:
    make_checks(folders_ms=5, quiet_ms=5).stop()
    started = QSignalSpy(console.engine.tasks_changed)
    console.data_changed.emit()
    console.settings_changed.emit()
    qtbot.wait(40)
    assert started.count() == 0


def test_an_endpoint_is_asked_once_a_day_and_only_while_it_is_the_active_model(
    console: Console, open_workspace: Workspace, stale: None, make_checks: Callable[..., BackgroundChecks],
    settle: Callable[[], None],
) -> None:  # fmt: skip
    checks = make_checks()
    checks.check_endpoints()
    assert titles(console) == []  # a model file does not change by itself
    with EndpointServer() as server:
        add_endpoint(open_workspace, server.url)
        values: dict[str, dict[str, object]] = {"models": {"active": "endpoint:far"}}
        console.take_settings(open_workspace.change_settings(values).model_dump(mode="json"))
        with open_workspace.store.session() as session:
            session.connection().exec_driver_sql("UPDATE endpoint SET served_model = 'served-0'")
        checks.check_endpoints()
        settle()
        assert len(server.chats()) == 1
        assert list_changes(open_workspace.database)[0].model_before == "served-0"
        checks.check_endpoints()
        settle()
        assert len(server.chats()) == 1  # not again today
        off = {"monitors": {"ask_endpoints_daily": False}}
        console.take_settings(open_workspace.change_settings(off).model_dump(mode="json"))
        make_checks().check_endpoints()
        assert titles(console) == []


# --- the answer cache -------------------------------------------------------------------------------------


def test_a_sampled_answer_from_the_cache_is_compared_while_nothing_else_runs(
    console: Console, open_workspace: Workspace, documents: Path, settle: Callable[[], None],
    make_checks: Callable[..., BackgroundChecks],
) -> None:  # fmt: skip
    drive(ingest_files(open_workspace, "A", [documents]))
    for _ in range(2):
        drive(answer_or_recall(open_workspace, Question(QUESTION, "A")))
    checks = make_checks()
    console.change_settings("cache", "check_share", 0.0)
    settle()
    checks.check_cache()
    assert titles(console) == []
    console.change_settings("cache", "check_share", 1.0)
    settle()
    checks.check_cache()
    assert titles(console) == ["Compare cached answers with fresh ones"]
    settle()
    (hit,) = list_hits(console.database)
    assert hit.is_false is False
    checks.check_cache()
    assert titles(console) == []


def test_the_server_starts_with_the_window_only_if_it_was_on(
    make_checks: Callable[..., BackgroundChecks],
    console: Console,
    open_workspace: Workspace,
    settle: Callable[[], None],
) -> None:
    make_checks()
    console.engine.ready.emit(0, [])
    settle()
    assert open_workspace.server is None
    open_workspace.change_settings({"server": {"on": True, "port": 0}})
    console.take_settings(open_workspace.settings.model_dump(mode="json"))
    console.engine.ready.emit(0, [])
    settle()
    assert open_workspace.server is not None


# --- retention and the audit log --------------------------------------------------------------------------


def test_what_is_too_old_goes_once_a_day(
    console: Console, open_workspace: Workspace, settle: Callable[[], None],
    make_checks: Callable[..., BackgroundChecks],
) -> None:  # fmt: skip
    def put_old_answer() -> None:
        insert(open_workspace, "cachedanswer", question_key="old", trace_id="t", created_ms=1)

    put_old_answer()
    open_workspace.change_settings({"governance": {"cached_answers_days": 1}})
    checks = make_checks()
    checks.keep_up()
    settle()
    assert open_workspace.database.cells("SELECT count(*) FROM cachedanswer") == [(0,)]
    assert notices(console)[-1] == ("Removed what was kept long enough: 1 cached answer.", "info")
    put_old_answer()
    checks.keep_up()
    assert titles(console) == []  # not again today
