"""Flags in the real window: the evidence with one's own verdict, asking again, limits of a collection."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.collections.limits_dialog import LimitsDialog
from rag.asking.rows import read_flag_opinion, read_flag_state
from rag.knowledge.rows import list_collections

pytestmark = pytest.mark.models
SLOW_MS = 300_000


@pytest.fixture(scope="module")
def window(
    make_real_window: Callable[[Path], MainWindow], tmp_path_factory: pytest.TempPathFactory
) -> MainWindow:
    made = make_real_window(tmp_path_factory.mktemp("trust") / "data")
    made.checks.pause_folders()
    return made


def settle(qtbot: QtBot, window: MainWindow) -> None:
    def idle() -> bool:
        return (
            window._console.engine.is_ready
            and not window._console.engine.tasks
            and not window.ingests.is_busy
        )

    qtbot.waitUntil(idle, timeout=SLOW_MS)
    qtbot.wait(60)
    qtbot.waitUntil(idle, timeout=SLOW_MS)


def shots(window: MainWindow, name: str) -> None:
    folder = Path("screenshots")
    folder.mkdir(exist_ok=True)
    for theme in ("light", "dark"):
        window._console.theme.apply(theme)
        for width, height in ((1280, 800), (1920, 1080)):
            window.resize(width, height)
            window.grab().save(str(folder / f"{name}-{theme}-{width}.png"))


def test_a_verdict_is_judged_beside_its_evidence_and_taken_back(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: bool(list_collections(window._console.database)), timeout=SLOW_MS)
    settle(qtbot, window)
    window.show_page("ask")
    ask = window.pages.ask
    ask.ask("How long does a charged battery last without sunlight?")
    settle(qtbot, window)
    card = ask.conversation.cards[-1]
    claims = [n for n, claim in enumerate(card._claims) if claim.verdict != "not checkable"]
    assert claims, "the demo model answered nothing that can be checked"
    card._open_claim(claims[0])
    panel = ask.sources.claim_panel
    assert panel.isVisible()
    start = card._claims[claims[0]].start
    database = window._console.database
    qtbot.mouseClick(panel.right, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert read_flag_opinion(database, card.trace_id, start) is True
    assert panel.right.isChecked() and panel.said.text()
    qtbot.mouseClick(panel.wrong, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert read_flag_opinion(database, card.trace_id, start) is False
    shots(window, "evidence")
    qtbot.mouseClick(panel.wrong, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert read_flag_opinion(database, card.trace_id, start) is None


def test_a_prompt_is_answered_again_in_its_trace(qtbot: QtBot, window: MainWindow) -> None:
    trace_id = window.pages.ask.conversation.cards[-1].trace_id
    window.show_page("traces")
    view = window.pages.traces.view
    window.pages.traces.open_trace(trace_id)
    settle(qtbot, window)
    view.tabs.setCurrentWidget(view.consistency)
    view.consistency.count.setValue(2)
    qtbot.mouseClick(view.consistency.start, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert view.consistency.table.records_model.rowCount() == 2
    assert "Semantic entropy" in view.consistency.verdict.text()
    shots(window, "agreement")


def test_limits_preview_past_answers_and_are_kept(qtbot: QtBot, window: MainWindow) -> None:
    collection = list_collections(window._console.database)[0]
    dialog = LimitsDialog(window._console, collection.id, collection.name)
    qtbot.addWidget(dialog)
    dialog.show()
    settle(qtbot, window)
    dialog.unsupported.setValue(1)  # the lowest there is: everything is unsupported
    assert dialog.check.value() == 1
    answers = len(read_flag_state(window._console.database, collection.id).answers)
    assert dialog.preview.text().startswith(f"{answers} of the last {answers}")
    dialog.grab().save("screenshots/limits-light.png")
    qtbot.mouseClick(dialog.save_button, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert read_flag_state(window._console.database, collection.id).unsupported_from == 0.001
