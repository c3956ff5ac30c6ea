"""The steps of a cascade as a form: what it shows is what is saved, and what it does not show is kept."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.pipeline_dialog import PipelineDialog
from app.pages.evaluation.steps_editor import StepsEditor
from rag.evaluation.pipelines import make_config, present_pipeline, save_pipeline
from rag.workspace import Workspace

STEPS: list[dict[str, Any]] = [
    {
        "model": "",
        "pipeline": "Plain@1",
        "accept": {"supported": True, "at_least": {"support": 0.8}, "question": {"collections": ["Notes"]}},
        "when": {
            "languages": ["en", "de"],
            "tags": ["food"],
            "min_words": 2,
            "max_words": 30,
            "classes": ["list"],
        },
    },
    {"model": "", "pipeline": "Plain"},
]


def editor(qtbot: QtBot, console: Console, steps: list[dict[str, Any]]) -> StepsEditor:
    made = StepsEditor(console, steps)
    qtbot.addWidget(made)
    return made


def test_steps_come_back_as_they_were(qtbot: QtBot, console: Console, gold: Workspace) -> None:
    values = editor(qtbot, console, STEPS).values()
    assert values == STEPS
    config = make_config({"collection": "Notes", "steps": values})
    assert config == make_config({"collection": "Notes", "steps": STEPS})


def test_a_new_step_is_accepted_when_it_is_supported_and_the_last_has_no_condition(
    qtbot: QtBot, console: Console, gold: Workspace
) -> None:
    made = editor(qtbot, console, [])
    assert made.values() == []
    made.add({})
    with pytest.raises(ValueError, match="at least two steps"):
        made.values()
    made.add({})
    first, last = made.values()
    assert first["accept"] == {"supported": True, "at_least": {}} and "accept" not in last
    assert [step.title.text() for step in made.rows] == ["Step 1", "Step 2"]
    made.rows[0].signals["retrieval"].setValue(0.4)  # type: ignore[index]
    made.rows[0].languages.setText("en, , fr ")
    made.rows[0].most.setValue(12)
    first = made.values()[0]
    assert first["accept"]["at_least"] == {"retrieval": 0.4}
    assert (first["when"]["languages"], first["when"]["max_words"]) == (["en", "fr"], 12)
    made.remove(made.rows[0])
    made.remove(made.rows[0])
    assert made.values() == []


def test_a_cascade_is_no_step_of_another(qtbot: QtBot, console: Console, gold: Workspace) -> None:
    save_pipeline(gold, "Both", make_config({"collection": "Notes", "steps": STEPS}))
    made = editor(qtbot, console, [{}])
    names = [made.rows[0].who.itemText(n) for n in range(made.rows[0].who.count())]
    assert "Pipeline Plain, version 1" in names and not [name for name in names if "Both" in name]


def test_a_model_that_is_gone_is_kept_in_the_step(qtbot: QtBot, console: Console, gold: Workspace) -> None:
    made = editor(qtbot, console, [{"model": "/gone/m.gguf", "pipeline": ""}, {}])
    assert made.values()[0]["model"] == "/gone/m.gguf"


def test_the_dialog_of_a_pipeline_has_its_steps(qtbot: QtBot, console: Console, gold: Workspace) -> None:
    dialog = PipelineDialog(console, None, "Both", {**present_pipeline(gold, "Notes"), "steps": STEPS}, True)
    qtbot.addWidget(dialog)
    assert make_config(dialog.values()).steps == make_config({"collection": "Notes", "steps": STEPS}).steps
    dialog.steps.remove(dialog.steps.rows[0])
    dialog._accept()
    assert "at least two steps" in dialog._wrong.text()
