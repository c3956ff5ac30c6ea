"""The graph of calls: columns from the left, rings and many parties included, names as plain text."""

import pytest
from agent_spans import handoff, rows_of, span, tool
from PySide6.QtWidgets import QGraphicsSimpleTextItem
from pytestqt.qtbot import QtBot

from app.pages.traces.steps.graph import MOST_DRAWN, CallGraph, drawn_parties, layers_of
from app.widgets.theme import Theme
from rag.interchange.agents.calls.rows import Call, Calls, Party, PartyKind, calls_of


def call(caller: str, callee: str, count: int = 1) -> Call:
    return Call(Party(PartyKind.AGENT, caller), Party(PartyKind.AGENT, callee), count, 0, 1.0)


def named(layers: list[list[Party]]) -> list[list[str]]:
    return [[party.name for party in layer] for layer in layers]


@pytest.mark.parametrize(
    ("pairs", "layers"),
    [
        (["ab", "bc", "ad"], [["a"], ["b", "d"], ["c"]]),
        (["ab", "ba"], [["a"], ["b"]]),  # a ring that nobody enters
        (["aa"], [["a"]]),
        (["ab", "cd", "dc"], [["a"], ["b"], ["c"], ["d"]]),
        ([], []),
    ],
)
def test_who_is_called_stands_to_the_right(pairs: list[str], layers: list[list[str]]) -> None:
    calls = [call(*pair) for pair in pairs]
    assert named(layers_of(drawn_parties(Calls(tuple(calls), (), ())), calls)) == layers


def test_each_party_has_a_box_of_its_own_and_names_are_no_html(qtbot: QtBot, theme: Theme) -> None:
    graph = CallGraph(theme)
    qtbot.addWidget(graph)
    spans = [*handoff(), tool(30, 5, "<b>bold</b>", "a", "Error: x"), tool(31, 5, "refund", "b")]
    graph.show_calls(calls_of(rows_of(spans)))
    boxes = list(graph.places.values())
    assert len(boxes) == 7
    assert not any(one.intersects(other) for one in boxes for other in boxes if one is not other)
    drawn = [item.text() for item in graph.scene().items() if isinstance(item, QGraphicsSimpleTextItem)]
    assert "<b>bold</b>" in drawn and "tool, 1×, 1 failed" in drawn and "2×" in drawn
    tips = [item.toolTip() for item in graph.scene().items()]
    assert any("&lt;b&gt;bold" in tip for tip in tips) and not any(tip.startswith("<b>") for tip in tips)
    graph.show_calls(Calls((), (), ()))
    assert graph.places == {} and graph.scene().items() == []


def test_of_very_many_those_with_the_most_calls_are_drawn(qtbot: QtBot, theme: Theme) -> None:
    many = [tool(n, 1, f"tool {n % 60}", str(n)) for n in range(2, 64)]
    graph = CallGraph(theme)
    qtbot.addWidget(graph)
    graph.show_calls(calls_of(rows_of([span(1, 0, "AGENT", "a"), *many])))
    assert len(graph.places) == MOST_DRAWN
    assert {"tool 2", "tool 3", "a"} <= {party.name for party in graph.places}
    theme.changed.emit()
    assert len(graph.places) == MOST_DRAWN
