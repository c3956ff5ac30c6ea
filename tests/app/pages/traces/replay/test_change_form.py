"""The row for a variant: what can be changed, a field for its value, and what a person forgot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from driving import click, notices
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.traces.replay.change_form import ChangeForm
from rag.asking.replay.rows import Changes
from rag.asking.rows import TraceDetail, TraceSource, get_trace
from rag.errors import RagError

Settle = Callable[[], None]


@pytest.fixture
def trace(console: Console, trace_id: str) -> TraceDetail:
    return get_trace(console.database, trace_id)


@pytest.fixture
def form(qtbot: QtBot, console: Console, trace: TraceDetail) -> ChangeForm:
    made = ChangeForm(console)
    qtbot.addWidget(made)
    made.show_trace(trace)
    made.show()
    return made


def choose(form: ChangeForm, kind: str) -> None:
    place = form.kind_box.findText(kind)
    assert place >= 0, kind
    form.kind_box.setCurrentIndex(place)


def kinds(form: ChangeForm) -> list[str]:
    return [form.kind_box.itemText(place) for place in range(form.kind_box.count())]


def test_a_trace_of_another_application_allows_less(form: ChangeForm, trace: TraceDetail) -> None:
    assert len(kinds(form)) == 8 and kinds(form)[-1] == "Setting"
    form.show_trace(replace(trace, source=TraceSource.RECEIVED))
    assert kinds(form) == ["Model", "Temperature", "Leave passages out", "Nothing"]
    form.show_trace(trace)
    assert len(kinds(form)) == 8


@pytest.mark.parametrize("kind", ["Leave passages out", "Order of the passages", "Setting"])
@pytest.mark.parametrize("typed", ["", "   "])
def test_a_value_that_is_missing_is_asked_for(
    form: ChangeForm, console: Console, kind: str, typed: str
) -> None:
    choose(form, kind)
    for line in (form.without, form.order, form.setting_value):
        line.setText(typed)
    told = QSignalSpy(form.changes_made)
    form.add()
    assert notices(console) == [("Say what it is to be in the field beside it.", "bad")]
    assert told.count() == 0


@pytest.mark.parametrize(
    ("kind", "typed", "changes"),
    [
        ("Leave passages out", "2", Changes(without=(2,))),
        ("Leave passages out", " [1], 2 ", Changes(without=(1, 2))),
        ("Order of the passages", "2,1", Changes(order=(2, 1))),
    ],
)
def test_enter_adds_what_was_typed(
    qtbot: QtBot, form: ChangeForm, kind: str, typed: str, changes: Changes
) -> None:
    choose(form, kind)
    line = form.without if kind == "Leave passages out" else form.order
    qtbot.keyClicks(line, typed)
    told = QSignalSpy(form.changes_made)
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert [told.at(number)[0] for number in range(told.count())] == [changes]


@pytest.mark.parametrize("typed", ["a", "1;2", "-1", "1.5"])
def test_what_is_no_number_of_a_passage_is_one_sentence(
    qtbot: QtBot, form: ChangeForm, console: Console, typed: str
) -> None:
    choose(form, "Leave passages out")
    qtbot.keyClicks(form.without, typed)
    click(qtbot, form, "Add a variant")
    ((sentence, kind),) = notices(console)
    assert "is not the number of a passage" in sentence and kind == "bad"


@pytest.mark.parametrize(("degrees", "read"), [(0.0, 0), (0.7, 0.7), (1.0, 1), (2.0, 2), (5.0, 2), (-1.0, 0)])
def test_a_temperature_stays_in_its_range(form: ChangeForm, degrees: float, read: float) -> None:
    choose(form, "Temperature")
    form.temperature.setValue(degrees)
    assert form.changes() == Changes(settings=(("generation.temperature", read),))


def test_nothing_is_a_change_as_well_and_needs_no_field(form: ChangeForm) -> None:
    choose(form, "Nothing")
    assert form.changes() == Changes() and not form._stack.isVisible()
    choose(form, "Temperature")
    assert form._stack.isVisible() and form.temperature.isVisible()


def test_prompts_and_versions_are_those_that_there_are(form: ChangeForm) -> None:
    choose(form, "Dataset version")
    versions = [form.version_box.itemText(place) for place in range(form.version_box.count())]
    assert sorted(versions) == ["Version 1", "Version 2"]
    form.version_box.setCurrentIndex(versions.index("Version 1"))
    assert form.changes() == Changes(version="1") and form.changes().searches
    choose(form, "Prompt")
    form.prompt_box.setCurrentIndex(0)
    name, _, number = form.changes().prompt.partition("@")
    assert form.prompt_box.currentText() == f"{name}, version {number}"


def test_a_trace_whose_collection_is_gone_has_no_version_to_choose(
    form: ChangeForm, trace: TraceDetail
) -> None:
    form.show_trace(replace(trace, collection_id=None))
    choose(form, "Dataset version")
    assert form.version_box.count() == 0
    with pytest.raises(RagError, match="Say what it is to be"):
        form.changes()


def test_a_model_that_is_not_listed_can_be_typed(form: ChangeForm) -> None:
    choose(form, "Model")
    form.model_box.setEditText("  another.gguf ")
    assert form.changes() == Changes(model="another.gguf")


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("generation.seed", "7", 7),
        ("retrieval.max_passages", "3", 3),
        ("generation.top_p", "0.5", 0.5),
    ],
)
def test_a_setting_is_changed_by_its_key(form: ChangeForm, key: str, typed: str, value: object) -> None:
    choose(form, "Setting")
    place = form.setting_box.findData(key)
    assert place >= 0
    form.setting_box.setCurrentIndex(place)
    form.setting_value.setText(typed)
    assert form.changes() == Changes(settings=((key, value),))


def test_only_settings_that_decide_about_an_answer_are_offered(form: ChangeForm) -> None:
    keys = [str(form.setting_box.itemData(place)) for place in range(form.setting_box.count())]
    assert {key.partition(".")[0] for key in keys} == {"retrieval", "generation"}
    assert len(keys) == len(set(keys)) > 10


def test_an_example_of_an_order_has_as_many_numbers_as_there_are_passages(
    form: ChangeForm, trace: TraceDetail
) -> None:
    for count, example in ((1, "1"), (2, "2,1"), (3, "3,2,1"), (9, "3,2,1")):
        form.show_trace(replace(trace, passage_count=count))
        assert form.order.placeholderText() == f"such as {example}"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", ""),
        ("another.gguf", "another.gguf"),
        ("small", "/models/small.gguf"),
        (" large ", "/models/large.gguf"),
        ("smal", "smal"),
    ],
)
def test_what_is_typed_counts_and_not_what_was_chosen_before(
    form: ChangeForm, typed: str, meant: str
) -> None:
    choose(form, "Model")
    for name in ("small", "large"):
        form.model_box.addItem(name, f"/models/{name}.gguf")
    form.model_box.setCurrentIndex(1 if "large" in typed else 0)
    form.model_box.setEditText(typed)
    if meant:
        assert form.changes() == Changes(model=meant)
        return
    with pytest.raises(RagError, match="Say what it is to be"):
        form.changes()
