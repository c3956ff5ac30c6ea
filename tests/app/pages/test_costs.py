"""The page Costs: cards, bars by a choice, sums, the dearest questions, and what the answers cost elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from driving import ask_once, click, column, notices
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.costs.page import CostsPage, _biggest
from rag.costs.rows import CostPoint, GroupBy
from rag.costs.usage import record_costs
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def asked(notes: Path, open_workspace: Workspace) -> list[str]:
    """Two questions, one of them answered by a model elsewhere that no price table names."""
    ids = [
        ask_once(open_workspace, "How long does rye bread rest?", "Rye bread needs 14 hours of rest [1]."),
        ask_once(open_workspace, "When do boats leave?", "Boats leave at midnight from Hamburg [1]."),
    ]
    with open_workspace.store.session() as session:
        far = session.get_one(Trace, ids[1])
        far.endpoint, far.sent_to, far.model = "vLLM", "vllm.example", "house-7b"
        session.add(far)
    return ids


@pytest.fixture
def page(qtbot: QtBot, console: Console, settle: Settle) -> CostsPage:
    made = CostsPage(console)
    qtbot.addWidget(made)
    made.resize(1100, 800)
    return made


def shown(page: CostsPage, qtbot: QtBot, settle: Settle) -> CostsPage:
    page.show()
    qtbot.waitUntil(lambda: not page._soon.isActive(), timeout=10_000)
    settle()
    settle()
    return page


def test_without_an_answer_the_page_says_what_it_is_for(
    page: CostsPage, qtbot: QtBot, settle: Settle
) -> None:
    shown(page, qtbot, settle)
    assert page._stack.currentIndex() == 0
    with qtbot.waitSignal(page.question_wanted):
        click(qtbot, page, "Ask a question")


@pytest.mark.usefixtures("asked")
def test_cards_tell_what_is_estimated_unknown_and_elsewhere(
    page: CostsPage, qtbot: QtBot, settle: Settle
) -> None:
    shown(page, qtbot, settle)
    assert page._stack.currentIndex() == 1
    name = page.cards["total"].accessibleName()
    assert name.startswith("Cost: 0.0")
    assert name.endswith("EUR. 2 answers, an estimate, 1 of unknown cost")
    assert "with gpt-4o-mini" in page.cards["elsewhere"].accessibleName()
    assert "USD" in page.cards["elsewhere"].accessibleName()
    assert "a forecast needs three days" in page.cards["month"].accessibleName()


def test_sums_follow_the_choice_and_the_dearest_question_opens_its_trace(
    page: CostsPage, qtbot: QtBot, settle: Settle, asked: list[str]
) -> None:
    shown(page, qtbot, settle)
    assert "answering" in column(page.sums, "Of")
    page.group_box.setCurrentIndex(page.group_box.findData(GroupBy.COLLECTION))
    settle()
    assert column(page.sums, "Of") == ["Notes"]
    page.tabs.setCurrentWidget(page.dearest)
    assert sorted(column(page.dearest, "Question")) == [
        "How long does rye bread rest?",
        "When do boats leave?",
    ]
    with qtbot.waitSignal(page.trace_requested) as opened:
        page.dearest.record_activated.emit(page.dearest.records_model.records[0])
    assert opened.args[0] in asked


@pytest.mark.usefixtures("asked")
def test_a_new_currency_brings_a_choice(
    page: CostsPage, qtbot: QtBot, settle: Settle, open_workspace: Workspace
) -> None:
    shown(page, qtbot, settle)
    assert page.currency_box.isHidden()
    prices = open_workspace.folder / "prices"
    prices.mkdir()
    (prices / "house.toml").write_text(
        'source = "ours"\ndate = 2026-01-02\ncurrency = "USD"\n[[model]]\nname = "house*"\ninput = 2\noutput = 4\n',
        "utf-8",
    )
    record_costs(open_workspace)
    page.refresh()
    settle()
    assert [page.currency_box.itemText(n) for n in range(page.currency_box.count())] == ["EUR", "USD"]
    assert not page.currency_box.isHidden()
    assert "1 of unknown" not in page.cards["total"].accessibleName()


@pytest.mark.usefixtures("asked")
def test_the_graph_is_saved_with_its_unit(
    page: CostsPage, qtbot: QtBot, settle: Settle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown(page, qtbot, settle)
    target = tmp_path / "costs.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(target), ""))
    click(qtbot, page, "CSV…")
    lines = target.read_text("utf-8-sig").splitlines()
    assert "value (EUR)" in lines[0]
    assert any("answering" in line for line in lines[1:])
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(tmp_path / "no" / "x.csv"), "")
    )
    click(qtbot, page, "CSV…")
    assert "could not be written" in notices(page._console)[-1][0]


def test_only_the_dearest_have_a_colour_of_their_own() -> None:
    points = [CostPoint(0, f"m{n}", "EUR", float(n)) for n in range(1, 13)]
    names = _biggest(points)
    assert names["m12"] == "m12"
    assert list(names.values()).count("others") == 5
    assert len(set(names.values())) == 8
    assert _biggest(points[:2]) == {"m2": "m2", "m1": "m1"}
    assert _biggest([CostPoint(0, "", "EUR", 1.0)]) == {"": "none"}
