"""The page Guardrails: a policy is written, tried, measured, let go live and judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from driving import ask_once, button_of, click, column, notices, pick_in_menu
from PySide6.QtWidgets import QInputDialog, QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.guardrails.page import GuardrailsPage
from app.pages.guardrails.rule_form import RuleForm
from app.pages.guardrails.rules_panel import RulesPanel
from app.widgets.theme import Theme
from rag.governance.policies.registry import bind_policy, save_policy, set_policy_label
from rag.guardrails.policies.recording import store_results
from rag.guardrails.policies.rows import (
    Action,
    CheckName,
    Place,
    Result,
    list_policies,
    list_policy_versions,
)
from rag.guardrails.policies.rules import make_rules
from rag.workspace import Workspace

Settle = Callable[[], None]
MAIL = {"name": "mail", "check": "personal data", "where": ["question"], "action": "mask",
        "kinds": ["e-mail address"], "keeps_original": True}  # fmt: skip
BREAD = {"name": "bread", "check": "phrases", "where": ["question", "passages"], "action": "note",
         "phrases": ["bread"]}  # fmt: skip


@pytest.fixture
def saved(notes: Path, open_workspace: Workspace) -> Workspace:
    """A data folder with a policy of two versions, which is not live."""
    for rules in ([MAIL], [MAIL, BREAD]):
        save_policy(open_workspace.store, open_workspace.database, "Outside", rules)
    return open_workspace


@pytest.fixture
def page(qtbot: QtBot, console: Console, settle: Settle) -> GuardrailsPage:
    made = GuardrailsPage(console)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    settle()
    return made


def test_without_a_policy_nothing_can_be_saved_and_a_new_one_has_one_mild_rule(
    qtbot: QtBot, page: GuardrailsPage, settle: Settle, monkeypatch: pytest.MonkeyPatch, console: Console
) -> None:
    assert not button_of(page, "Label…").isEnabled()
    assert not page.rules.isEnabled()
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("Inside", True))
    click(qtbot, page, "New policy…")
    settle()
    assert column(page.policies, "Policy") == ["Inside"]
    assert column(page.rules.table, "Does") == ["warn"]
    assert "Version 1 of “Inside” was saved" in notices(console)[-1][0]


def test_a_changed_rule_is_saved_as_a_version_that_does_not_act_yet(
    saved: Workspace, qtbot: QtBot, page: GuardrailsPage, settle: Settle
) -> None:
    assert not button_of(page, "Save as a new version").isEnabled()
    page.rules.table.selectRow(1)
    words = page.rules.form.fields["phrases"]
    assert isinstance(words, QPlainTextEdit)
    words.setPlainText("bread\nrye")
    page.rules.message.setText("Rye, too")
    click(qtbot, page, "Save as a new version")
    settle()
    newest = list_policy_versions(saved.database, "Outside")[0]
    assert (newest.number, newest.message, newest.labels) == (3, "Rye, too", ())
    assert newest.rules[1]["phrases"] == ["bread", "rye"]
    assert newest.rules[0] == MAIL
    assert column(page.versions, "#") == ["3", "2", "1"]
    assert not page.rules.is_changed


def test_rules_are_added_moved_removed_and_reverted(
    saved: Workspace, qtbot: QtBot, page: GuardrailsPage
) -> None:
    panel = page.rules
    click(qtbot, panel, "Add a rule")
    assert [rule["check"] for rule in panel.rules] == ["personal data", "phrases", "personal data"]
    click(qtbot, panel, "Earlier")
    assert panel.chosen == 1
    click(qtbot, panel, "Later")
    click(qtbot, panel, "Remove the rule")
    assert panel.rules == [MAIL, BREAD]
    assert not button_of(panel, "Later").isEnabled()
    click(qtbot, panel, "Add a rule")
    click(qtbot, panel, "Revert")
    assert not panel.is_changed


def test_a_wrong_rule_is_refused_with_the_sentence_of_the_engine(
    saved: Workspace, qtbot: QtBot, page: GuardrailsPage, settle: Settle, console: Console
) -> None:
    click(qtbot, page.rules, "Add a rule")
    page.rules.form.check.setCurrentIndex(page.rules.form.check.findData(CheckName.LENGTH))
    page.rules.form.action.setCurrentIndex(page.rules.form.action.findData(Action.MASK))
    page.rules.save()
    settle()
    assert "there is nothing to mask" in notices(console)[-1][0]
    assert len(list_policy_versions(saved.database, "Outside")) == 2


def test_rules_that_are_not_saved_are_tried_on_a_text(
    saved: Workspace, qtbot: QtBot, page: GuardrailsPage, settle: Settle
) -> None:
    page.tabs.setCurrentWidget(page.trial)
    page.trial.text.setPlainText("Bread for bo@example.org?")
    click(qtbot, page.trial, "Try")
    settle()
    assert page.trial.result.toPlainText() == "Bread for E-mail 1?"
    assert column(page.trial.found, "Does") == ["mask", "note"]
    assert "masked e-mail address" in page.trial.said.text()


def test_a_version_goes_live_where_it_is_bound_and_is_rolled_back(
    saved: Workspace, qtbot: QtBot, page: GuardrailsPage, settle: Settle, console: Console
) -> None:
    versions = list_policy_versions(saved.database, "Outside")
    page.move_label(versions[1], "production", 1, "to try")
    settle()
    page.bind("Notes", True)
    settle()
    assert column(page.policies, "State") == ["live for Notes"]
    page.move_label(versions[0], "production", 2, "")
    settle()
    click(qtbot, page, "Roll back")
    settle()
    assert dict(list_policies(saved.database)[0].labels) == {"production": 1}
    pick_in_menu("Notes")
    click(qtbot, page, "Where it acts…")
    settle()
    assert list_policies(saved.database)[0].collections == ()
    assert "live in pipelines that name it" in notices(console)[-1][0]


def test_a_version_is_measured_on_the_chunks_and_questions_that_are_here(
    saved: Workspace, qtbot: QtBot, page: GuardrailsPage, settle: Settle
) -> None:
    ask_once(saved, "How long does rye bread rest?")
    page.versions.choose(lambda v: v.number == 2)
    page.tabs.setCurrentWidget(page.measured)
    click(qtbot, page.measured, "Measure on my documents")
    settle()
    found = dict(
        zip(column(page.measured.rates, "Texts"), column(page.measured.rates, "Alarms"), strict=False)
    )
    assert found["chunks"] == "1"
    assert "bread" in column(page.measured.examples, "Rule")
    assert "ms a chunk" in page.measured.state.text()
    page.measured.show_version(None)
    page.measured.show_version(list_policy_versions(saved.database, "Outside")[0])
    assert "bread acted on 1 of" in page.measured.state.text()


def test_what_differs_from_the_version_before_is_listed(
    saved: Workspace, page: GuardrailsPage, settle: Settle
) -> None:
    page.versions.choose(lambda v: v.number == 2)
    settle()
    assert "bread, phrases" in column(page.changes, "What")


def test_results_are_judged_and_lead_to_their_trace(
    saved: Workspace, qtbot: QtBot, page: GuardrailsPage, settle: Settle, console: Console
) -> None:
    set_policy_label(saved.store, "Outside", "production", 1)
    bind_policy(saved.store, "Outside")
    trace = ask_once(saved, "What rests, asks bo@example.org?")
    page.refresh()
    results = page.results
    assert column(results.table, "Did") == ["mask"]
    results.table.selectRow(0)
    assert results.masked.text() == "Masked: E-mail 1 = bo@example.org"
    click(qtbot, results, "Wrong")
    settle()
    assert column(results.table, "Opinion") == ["wrong"]
    assert results.counts.text() == "1 result, 0 called right, 1 wrong"
    results.table.selectRow(0)
    with qtbot.waitSignal(page.trace_requested) as caught:
        click(qtbot, results, "Show the trace")
    assert caught.args == [trace]
    results.opinion.setCurrentIndex(results.opinion.findData("right"))
    assert column(results.table, "Opinion") == []


def test_policies_go_to_files_and_come_back(
    saved: Workspace, page: GuardrailsPage, settle: Settle, console: Console, tmp_path: Path
) -> None:
    page.export_to(str(tmp_path / "files"))
    settle()
    assert "2 files were written" in notices(console)[-1][0]
    page.delete("Outside")
    settle()
    assert list_policies(saved.database) == []
    page.import_from(str(tmp_path / "files"))
    settle()
    assert column(page.policies, "Versions") == ["2"]
    page.import_from(str(tmp_path / "nothing"))
    settle()
    assert "is not a folder" in notices(console)[-1][0]


FULL: list[dict[str, Any]] = [
    {**MAIL, "exceptions": [{"text": "info@x.org", "reason": "Published"}, {"kind": "e-mail address", "reason": "r"},
                            {"rule": "bread", "reason": "a = b"}]},
    BREAD,
    {"check": "phrases", "where": ["answer"], "action": "refuse", "patterns": [r"x-\d+"], "refusal": "No.",
     "threshold": 0.9},
    {"check": "topics", "where": ["question"], "action": "ask", "blocked": {"a": ["one", "two"], "b": ["x"]},
     "allowed": {"c": ["y: z"]}},
    {"check": "length", "where": ["prompt"], "action": "warn", "most": 7, "only_leaving": True},
    {"check": "language", "where": ["answer", "question"][:1], "action": "note", "languages": ["en", "de"]},
    {"check": "prompt injection", "where": ["document", "passages"], "action": "leave out"},
    {"check": "citation", "where": ["answer"], "action": "warn"},
]  # fmt: skip


@pytest.mark.parametrize("rule", FULL, ids=lambda rule: rule["check"])
def test_the_form_gives_back_the_rule_that_it_shows(qtbot: QtBot, rule: dict[str, Any]) -> None:
    form = RuleForm()
    qtbot.addWidget(form)
    with qtbot.assertNotEmitted(form.changed):
        form.show_rule(rule)
    assert form.rule() == rule
    others = [one for one in FULL if one.get("name") == "bread" and one is not rule]
    make_rules([*others, form.rule()])


def test_the_form_shows_what_the_check_asks_for_and_nothing_else(qtbot: QtBot) -> None:
    form = RuleForm()
    qtbot.addWidget(form)
    form.show()
    form.show_rule(MAIL)
    assert form.fields["kinds"].isVisible() and form.fields["keeps_original"].isVisible()
    assert not form.fields["phrases"].isVisible() and not form.refusal.isVisible()
    form.action.setCurrentIndex(form.action.findData(Action.REFUSE))
    assert form.refusal.isVisible() and not form.fields["keeps_original"].isVisible()
    form.places[Place.PROMPT].setChecked(True)
    assert form.only_leaving.isVisible()
    kinds = form.fields["kinds"]
    assert isinstance(kinds, QLineEdit) and "e-mail address" in kinds.toolTip()


def form_of(qtbot: QtBot, rule: dict[str, Any]) -> RuleForm:
    form = RuleForm()
    qtbot.addWidget(form)
    form.show_rule(rule)
    return form


@pytest.mark.parametrize(
    "exception",
    [
        {"text": "info@x.org", "kind": "e-mail address", "reason": "r"},
        {"kind": "e-mail address", "rule": "bread", "reason": "r"},
        {"text": "a", "kind": "b", "rule": "c", "reason": "d = e"},
        {"text": "a = b", "reason": "r"},
        {"text": "kind: x", "reason": "r"},
        {"text": "a", "reason": "two\nlines"},
        {"text": "a; kind: b", "reason": "r"},
    ],
)
def test_an_exception_that_nobody_touched_stays_as_it_was_written(
    qtbot: QtBot, exception: dict[str, str]
) -> None:
    form = form_of(qtbot, {**MAIL, "exceptions": [exception]})
    assert form.rule()["exceptions"] == [exception]
    form.exceptions.appendPlainText("b@x.org = too")
    assert form.rule()["exceptions"] == [exception, {"text": "b@x.org", "reason": "too"}]


@pytest.mark.parametrize(
    ("line", "exception"),
    [
        ("a@x.org = Published", {"text": "a@x.org", "reason": "Published"}),
        ("  a@x.org   =   Published  ", {"text": "a@x.org", "reason": "Published"}),
        ("a=b = r", {"text": "a=b", "reason": "r"}),
        ("a", {"text": "a", "reason": ""}),
        (" = r", {"text": "", "reason": "r"}),
        ("KIND : phone number = r", {"kind": "phone number", "reason": "r"}),
        ("rule: a: b (c, d) = r", {"rule": "a: b (c, d)", "reason": "r"}),
        ("rule: a; b = r", {"rule": "a; b", "reason": "r"}),
        ("kind: b; text: a = r", {"kind": "b", "text": "a", "reason": "r"}),
        ("kind: b; rule: c; text: a; d = r", {"kind": "b", "rule": "c", "text": "a; d", "reason": "r"}),
        ("kindly: a = r", {"text": "kindly: a", "reason": "r"}),
        ("text: a = r", {"text": "text: a", "reason": "r"}),
    ],
)
def test_a_line_that_is_typed_is_an_exception(qtbot: QtBot, line: str, exception: dict[str, str]) -> None:
    form = form_of(qtbot, MAIL)
    form.exceptions.setPlainText(f"\n{line}\n\n")
    assert form.rule()["exceptions"] == [exception]


@pytest.mark.parametrize(
    ("field", "check", "text", "value"),
    [
        ("kinds", CheckName.PERSONAL_DATA, " a ,, b,", ["a", "b"]),
        ("languages", CheckName.LANGUAGE, "en,de", ["en", "de"]),
        ("phrases", CheckName.PHRASES, " one \n\n two, three", ["one", "two, three"]),
        ("patterns", CheckName.PHRASES, r"\d+ ", [r"\d+"]),
        ("blocked", CheckName.TOPICS, "a: one\nb: x\na:two", {"a": ["one", "two"], "b": ["x"]}),
        ("allowed", CheckName.TOPICS, "no colon\n a : b: c", {"topic": ["no colon"], "a": ["b: c"]}),
    ],
)
def test_what_is_typed_into_a_field_is_a_list_or_topics(
    qtbot: QtBot, field: str, check: CheckName, text: str, value: Any
) -> None:
    form = form_of(qtbot, {"check": str(check), "where": ["question"], "action": "note"})
    widget = form.fields[field]
    if isinstance(widget, QLineEdit):
        widget.setText(text)
    else:
        assert isinstance(widget, QPlainTextEdit)
        widget.setPlainText(text)
    assert form.rule()[field] == value


def test_what_belongs_to_another_check_or_action_is_not_given(qtbot: QtBot) -> None:
    form = form_of(qtbot, {**BREAD, "action": "refuse", "refusal": "No.", "threshold": 0.9})
    form.action.setCurrentIndex(form.action.findData(Action.WARN))
    form.check.setCurrentIndex(form.check.findData(CheckName.CITATION))
    assert form.rule() == {
        "check": "citation", "where": ["question", "passages"], "action": "warn", "name": "bread", "threshold": 0.9,
    }  # fmt: skip
    form.check.setCurrentIndex(form.check.findData(CheckName.PHRASES))
    form.action.setCurrentIndex(form.action.findData(Action.REFUSE))
    assert form.rule()["phrases"] == ["bread"] and form.rule()["refusal"] == "No.", "it is still there"


def test_only_leaving_goes_with_the_prompt_alone(qtbot: QtBot) -> None:
    form = form_of(qtbot, {**BREAD, "where": ["prompt"], "only_leaving": True})
    assert form.rule()["only_leaving"] is True
    form.places[Place.PROMPT].setChecked(False)
    assert "only_leaving" not in form.rule()


@pytest.mark.parametrize("rule", [*FULL, {}], ids=lambda rule: rule.get("check", "empty"))
def test_a_form_shows_nothing_of_the_rule_before(qtbot: QtBot, rule: dict[str, Any]) -> None:
    form = RuleForm()
    qtbot.addWidget(form)
    form.show_rule(rule)
    plain = {"check": "citation", "where": ["answer"], "action": "note"}
    form.show_rule(plain)
    assert form.rule() == plain


def test_every_field_tells_that_it_was_changed(qtbot: QtBot) -> None:
    form = form_of(qtbot, MAIL)
    changes = (
        lambda: form.action.setCurrentIndex(0),
        lambda: form.check.setCurrentIndex(3),
        lambda: form.places[Place.MCP].setChecked(True),
        lambda: form.threshold.setValue(0.75),
        lambda: form.exceptions.setPlainText("a = b"),
        lambda: form.fields["phrases"].setPlainText("a"),  # type: ignore[attr-defined]
        lambda: form.fields["most"].setValue(7),  # type: ignore[attr-defined]
        lambda: form.fields["keeps_original"].setChecked(False),  # type: ignore[attr-defined]
        lambda: form.only_leaving.setChecked(True),
    )
    for change in changes:
        with qtbot.waitSignal(form.changed, timeout=1000):
            change()


def panel_of(qtbot: QtBot, theme: Theme, *rules: dict[str, Any]) -> RulesPanel:
    made = RulesPanel(theme)
    qtbot.addWidget(made)
    made.show_rules(rules)
    return made


def test_the_table_of_rules_says_what_each_does(qtbot: QtBot, theme: Theme) -> None:
    panel = panel_of(qtbot, theme, *FULL)
    assert column(panel.table, "Rule")[:4] == ["mail", "bread", "phrases", "topics"]
    assert column(panel.table, "Where")[1] == "question, passages"
    assert column(panel.table, "From")[2] == "0.90" and column(panel.table, "From")[0] == "0.50"
    assert column(panel.table, "Exceptions")[:2] == ["3", "–"]


def test_without_a_rule_nothing_can_be_saved_or_moved(qtbot: QtBot, theme: Theme) -> None:
    panel = panel_of(qtbot, theme, MAIL)
    panel.remove()
    assert panel.rules == [] and panel.chosen is None and panel.form.isHidden()
    reasons = {
        made.text(): made.toolTip()
        for made in (panel.remove_button, panel.save_button)
        if not made.isEnabled()
    }
    assert "Choose a rule first." in reasons["Remove the rule"]
    assert "A policy needs a rule." in reasons["Save as a new version"]
    with qtbot.assertNotEmitted(panel.save_wanted):
        panel.save()
        panel.remove()
        panel.shift(1)
    panel.revert()
    assert panel.rules == [MAIL]


def test_a_rule_that_is_moved_stays_chosen_and_the_ends_are_ends(qtbot: QtBot, theme: Theme) -> None:
    panel = panel_of(qtbot, theme, MAIL, BREAD, FULL[-1])
    panel.table.selectRow(0)
    assert not panel.up_button.isEnabled() and panel.down_button.isEnabled()
    for _ in range(5):
        panel.shift(1)
    assert (panel.chosen, panel.rules) == (2, [BREAD, FULL[-1], MAIL])
    assert panel.form.rule() == MAIL and not panel.down_button.isEnabled()


def test_what_is_saved_are_copies_with_the_message(qtbot: QtBot, theme: Theme) -> None:
    panel = panel_of(qtbot, theme, MAIL)
    panel.message.setText("  Milder ")
    panel.form.action.setCurrentIndex(panel.form.action.findData(Action.WARN))
    with qtbot.waitSignal(panel.save_wanted) as caught:
        panel.save()
    rules, message = caught.args
    assert message == "Milder" and rules == panel.rules and rules[0] is not panel.rules[0]
    panel.show_rules(rules)
    assert not panel.is_changed and panel.message.text() == ""


def test_a_change_that_is_taken_back_by_hand_is_none(qtbot: QtBot, theme: Theme) -> None:
    panel = panel_of(qtbot, theme, MAIL, BREAD)
    panel.add()
    assert panel.is_changed and panel.chosen == 2
    panel.remove()
    assert not panel.is_changed and not panel.save_button.isEnabled()
    threshold = panel.form.threshold
    threshold.setValue(0.9)
    assert panel.is_changed
    threshold.setValue(0.5)
    assert not panel.is_changed


def test_results_are_filtered_by_action_and_those_of_documents_have_no_trace(
    saved: Workspace, qtbot: QtBot, page: GuardrailsPage, settle: Settle
) -> None:
    result = Result(
        "Outside", 2, "f", "mail", "length", Place.DOCUMENT, Action.WARN, "too long", 3, 6, 1.0, "why", "a.md"
    )
    with saved.store.session() as session:
        store_results(session, [result, replace(result, action=Action.NOTE, document="")])
    page.refresh()
    results = page.results
    assert results.counts.text() == "2 results, 0 called right, 0 wrong"
    assert sorted(column(results.table, "Document")) == ["a.md", "–"]
    assert not button_of(page, "Right").isEnabled() and results.masked.isHidden()
    results.table.selectAll()
    assert "found in a document" in results.trace_button.toolTip()
    with qtbot.assertNotEmitted(page.trace_requested):
        results.open_trace()
    results.review(True)
    settle()
    assert results.counts.text() == "2 results, 2 called right, 0 wrong"
    results.action.setCurrentIndex(results.action.findData("note"))
    assert column(results.table, "Did") == ["note"]
    results.show_policy("Nobody")
    assert results.counts.text() == "0 results, 0 called right, 0 wrong"


def test_what_would_stop_a_question_is_shown_instead_of_the_text(
    saved: Workspace, qtbot: QtBot, page: GuardrailsPage, settle: Settle
) -> None:
    trial = page.trial
    assert not trial.try_button.isEnabled() and trial.try_button.toolTip() == "Type a text first."
    trial.text.setPlainText("  \n")
    assert not trial.try_button.isEnabled()
    page.rules.form.action.setCurrentIndex(page.rules.form.action.findData(Action.REFUSE))
    trial.text.setPlainText("I am bo@example.org")
    trial.try_text()
    settle()
    assert trial.result.toPlainText().startswith(
        "This was not answered: the policy “Outside” found e-mail address"
    )
    assert trial.said.text().startswith("The policy “Outside” refused for e-mail address in the question · ")
    trial.place.setCurrentIndex(trial.place.findData(Place.ANSWER))
    trial.try_text()
    settle()
    assert trial.result.toPlainText() == "I am bo@example.org"
    assert trial.said.text().startswith("Nothing was found. · ") and column(trial.found, "Does") == []
