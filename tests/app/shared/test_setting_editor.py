"""Editors for settings: their kind and bounds come from the fields, and they give back what they show."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from app.shared.setting_editor import (
    DefaultMark,
    make_editor,
    setting_name,
    show_value,
    value_of,
    when_changed,
)
from app.widgets.layout import column
from app.widgets.theme import Theme
from rag.settings import AppearanceSettings, GenerationSettings, RetrievalSettings, Section


@pytest.mark.parametrize(
    ("section", "key", "kind", "other"),
    [
        (RetrievalSettings, "search", QComboBox, "BM25"),
        (RetrievalSettings, "rrf_k", QSpinBox, 61),
        (RetrievalSettings, "min_similarity", QDoubleSpinBox, 0.45),
        (GenerationSettings, "ask_without_passages", QCheckBox, True),
        (AppearanceSettings, "theme", QComboBox, "dark"),
    ],
)
def test_an_editor_shows_a_value_gives_it_back_and_tells_of_changes(
    qtbot: QtBot, section: type[Section], key: str, kind: type, other: Any
) -> None:
    editor = make_editor(section.model_fields[key])
    qtbot.addWidget(editor)
    assert isinstance(editor, kind)
    show_value(editor, getattr(section(), key))
    assert value_of(editor) == getattr(section(), key)
    heard: list[Any] = []
    when_changed(editor, heard.append)
    show_value(editor, other)
    assert (value_of(editor), heard) == (other, [other])


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [("top_p", 0.01, 1.0), ("temperature", 0.0, 2.0), ("gpu_layers", -1, 1000), ("seed", 0, 2**31 - 1)],
)
def test_numbers_stay_within_the_bounds_of_the_field(qtbot: QtBot, key: str, low: float, high: float) -> None:
    editor = make_editor(GenerationSettings.model_fields[key])
    qtbot.addWidget(editor)
    assert isinstance(editor, QSpinBox | QDoubleSpinBox)
    assert (editor.minimum(), editor.maximum()) == (low, high)


def test_choices_are_capitalised_and_keep_their_value(qtbot: QtBot) -> None:
    editor = make_editor(RetrievalSettings.model_fields["search"])
    qtbot.addWidget(editor)
    assert isinstance(editor, QComboBox)
    assert [(editor.itemText(n), editor.itemData(n)) for n in range(editor.count())] == [
        ("Hybrid", "hybrid"),
        ("Dense", "dense"),
        ("BM25", "BM25"),
    ]


def test_a_text_is_told_when_it_is_typed_to_its_end(qtbot: QtBot) -> None:
    editor = make_editor(RetrievalSettings.model_fields["cross_encoder"])
    qtbot.addWidget(editor)
    assert isinstance(editor, QLineEdit)
    show_value(editor, "/models/one")
    assert value_of(editor) == "/models/one"
    heard: list[Any] = []
    when_changed(editor, heard.append)
    editor.setText(" /models/two ")
    assert heard == [], "not at every letter"
    editor.editingFinished.emit()
    assert heard == ["/models/two"]


def test_a_mark_is_seen_only_beside_what_is_not_the_default(qtbot: QtBot, theme: Theme) -> None:
    reset: list[int] = []
    holder = QWidget()
    mark = DefaultMark(theme, "RRF k", 5, lambda: reset.append(5))
    column(mark, holder=holder)
    qtbot.addWidget(holder)
    holder.show()
    assert not mark.show_value(5)
    assert not mark.isVisible()
    height = holder.sizeHint().height()
    assert mark.show_value(6)
    assert mark.isVisible()
    assert holder.sizeHint().height() == height  # nothing moves
    assert mark.accessibleName() == "Reset RRF k to its default, 5"
    mark.click()
    assert reset == [5]


def test_settings_have_names_and_units(qtbot: QtBot) -> None:
    assert setting_name("rrf_k") == "RRF k"
    assert setting_name("seed") == "Seed"
    editor = make_editor(AppearanceSettings.model_fields["text_percent"], "text_percent")
    qtbot.addWidget(editor)
    show_value(editor, 150)
    assert editor.text() == "150 %"
    assert value_of(editor) == 150
    assert (editor.minimum(), editor.maximum()) == (75, 200)
