"""The pictures of the guide, made of the real pages on the sample. RAGDECK_GUIDE_PICTURES=1 writes them anew."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driving import ask_once
from fakes import ScriptedModel, drive
from PySide6.QtCore import QSettings
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QScrollBar, QWidget
from pytestqt.qtbot import QtBot
from stored_traces import DAY, add_traces

from app.console import Console
from app.help.sections import GUIDE
from app.main_window import MainWindow
from app.routes import TITLES
from app.widgets.answer_view import AnswerView
from rag.evaluation.runs import start_runs
from rag.governance.policies.registry import bind_policy, save_policy, set_policy_label
from rag.knowledge.edits import remove_documents
from rag.knowledge.rows import get_collection, list_documents
from rag.knowledge.versions import undo
from rag.review.queues import fill_queue
from rag.sample.making import ingest_sample
from rag.sample.rows import (
    FLAGGED_QUESTION,
    SAMPLE_COLLECTION,
    SAMPLE_PIPELINES,
    SAMPLE_SET,
    sample_questions,
)
from rag.workspace import Workspace

SIZE = (1120, 700)
MOST_BYTES = 70_000
WRONG = "The battery lasts 40 days in winter [1]. It is charged by the sun."


@pytest.fixture
def sample(open_workspace: Workspace, model: ScriptedModel) -> None:
    """The sample as a person has it after an hour: answers, two runs, a queue, three versions."""
    drive(ingest_sample(open_workspace))
    open_workspace.change_settings({"retrieval": {"max_passages": 4}})
    documents = list_documents(
        open_workspace.database,
        get_collection(open_workspace.database, SAMPLE_COLLECTION).active_version_id or 0,
    )
    drive(remove_documents(open_workspace, SAMPLE_COLLECTION, [documents[-1].id]))
    drive(undo(open_workspace, SAMPLE_COLLECTION))
    ask_once(
        open_workspace,
        sample_questions()[0],
        "The battery lasts 21 days without sunlight [1].",
        SAMPLE_COLLECTION,
    )
    ask_once(open_workspace, FLAGGED_QUESTION, WRONG, SAMPLE_COLLECTION)
    add_traces(
        open_workspace, 40, int(time.time() * 1000) - 9 * DAY, DAY // 5, collection=SAMPLE_COLLECTION,
        question=lambda n: sample_questions()[n % 3], answer="21 days [1].", model="SmolLM2-135M-Instruct-Q4_1",
        prompt_tokens=lambda n: 640 + 17 * (n % 7), completion_tokens=lambda n: 20 + n % 9,
        total_ms=lambda n: 2_400.0 + 130 * (n % 5),
    )  # fmt: skip
    model.answer = "It is 21 days [1]."
    for name in SAMPLE_PIPELINES:
        drive(start_runs(open_workspace, SAMPLE_SET, [name]))
    fill_queue(open_workspace, "Answers of this week", {"random": 9})
    add_policy(open_workspace)


def add_policy(workspace: Workspace) -> None:
    """Save a policy that is live for the sample."""
    rules = [
        {
            "name": "Personal data",
            "check": "personal data",
            "where": ["question", "answer"],
            "action": "mask",
        },
        {"name": "Attacks", "check": "prompt injection", "where": ["passages"], "action": "leave out"},
        {"name": "Cited", "check": "citation", "where": ["answer"], "action": "warn"},
    ]
    save_policy(workspace.store, workspace.database, "House rules", rules, message="The first rules")
    set_policy_label(workspace.store, "House rules", "production", 1)
    bind_policy(workspace.store, "House rules", SAMPLE_COLLECTION)


@pytest.fixture
def window(qtbot: QtBot, console: Console, sample: None, settle: Callable[[], None]) -> Iterator[MainWindow]:
    QSettings().setValue("rail/collapsed", "no")
    made = MainWindow(console)
    qtbot.addWidget(made)
    made.checks.pause_folders()
    made.resize(*SIZE)
    made.show()
    qtbot.waitUntil(lambda: made.current_page != "")
    console.data_changed.emit()
    settle()
    yield made


def prepare(window: MainWindow, key: str) -> None:
    """Show on a page what its section is about."""
    pages = window.pages
    if key == "traces":
        pages.traces.show_only(verdict="flagged")
        pages.traces.table.selectRow(0)
    elif key == "ask":
        pages.ask.choose_collection(SAMPLE_COLLECTION)
        pages.ask.ask(FLAGGED_QUESTION)
    elif key == "monitors":
        pages.monitors.refresh()
    elif key == "collections":
        pages.collections.choose(SAMPLE_COLLECTION)
    elif key == "evaluation":
        pages.evaluation.tabs.setCurrentIndex(0)
        pages.evaluation.runs.table.selectAll()
    elif key == "costs":
        pages.costs.refresh()
    elif key == "versions":
        pages.versions.history.table.selectRow(0)
    elif key == "chroma":
        pages.chroma.source_box.setEditText(str(window._console.engine.folder / "index"))
        pages.chroma.open()


def test_every_page_is_pictured_small_and_in_light_colours(
    window: MainWindow, model: ScriptedModel, settle: Callable[[], None], tmp_path: Path
) -> None:
    model.answer = WRONG
    folder = GUIDE / "pictures" if os.environ.get("RAGDECK_GUIDE_PICTURES") else tmp_path
    for key in TITLES:
        window.show_page(key)
        prepare(window, key)
        settle()
        window.toasts.clear()
        window.pages.chroma.source_box.setEditText("index")  # no picture names a folder of this machine
        if key == "ask":  # the flag of the first sentence, and the answer from its beginning
            answer = window.pages.ask.findChildren(AnswerView)[-1]
            answer.claim_clicked.emit(0)
            settle()
        for _ in range(3):
            QApplication.processEvents()
        if key == "ask":
            for bar in window.pages.ask.findChildren(QScrollBar):
                bar.setValue(0)
        settle()
        page: QWidget = window.centralWidget()
        image = page.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        shades = {
            image.pixel(x, y) for x in range(0, image.width(), 17) for y in range(0, image.height(), 13)
        }
        assert len(shades) > 12, f"{key} is empty"
        assert image.pixelColor(image.width() - 3, 3).lightness() > 200, key
        path = folder / f"{key}.webp"
        assert image.save(str(path), "WEBP", 60)
        assert path.stat().st_size < MOST_BYTES, key
        shipped = QImage(str(GUIDE / "pictures" / f"{key}.webp"))
        assert shipped.width() == image.width() // round(window.devicePixelRatio()), key
