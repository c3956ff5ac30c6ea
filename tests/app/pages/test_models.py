"""The page Models: the list of files, loading and trying one, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

from fakes import ScriptedModel
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.models import ModelsPage


def test_trying_a_model_shows_its_answer(
    qtbot: QtBot, console: Console, model: ScriptedModel, settle: Callable[[], None]
) -> None:
    page = ModelsPage(console)
    qtbot.addWidget(page)
    settle()
    page.prompt.setPlainText("How long does rye bread rest?")
    model.answer = "Twelve hours."
    page._try()
    settle()
    assert "Twelve hours." in page.output.toPlainText()
    assert model.prompts == ["user: How long does rye bread rest?"]
    assert console.notices == []  # type: ignore[attr-defined]
