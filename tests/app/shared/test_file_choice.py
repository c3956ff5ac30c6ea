"""Dialogs for files open where the last one was left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from app.console import Console
from app.shared.file_choice import choose_files, choose_folder, last_folder

Answer = Callable[[Any], None]


def test_the_folder_of_the_last_choice_is_remembered(
    qtbot: QtBot, console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    (tmp_path / "deep").mkdir()
    file = tmp_path / "deep" / "a.txt"
    file.write_text("x")
    opened: list[str] = []
    answers: list[Any] = [([str(file)], ""), str(tmp_path), "", ([], "")]

    def ask(_parent: QWidget, _title: str, folder: str) -> Any:
        opened.append(folder)
        return answers.pop(0)

    monkeypatch.setattr(QFileDialog, "getOpenFileNames", ask)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", ask)
    assert choose_files(parent, "Add files") == [str(file)]
    assert choose_folder(parent, "Add a folder") == str(tmp_path)
    assert choose_folder(parent, "Cancelled") == ""
    assert choose_files(parent, "Cancelled") == []
    assert opened == ["", str(tmp_path / "deep"), str(tmp_path), str(tmp_path)]


def test_a_folder_that_is_gone_is_not_opened(
    qtbot: QtBot, console: Console, tmp_path: Path, answer_box: Answer
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    gone = tmp_path / "gone"
    gone.mkdir()
    answer_box(str(gone))
    choose_folder(parent, "Add a folder")
    assert last_folder() == str(gone)
    gone.rmdir()
    assert last_folder() == ""
