"""The graph of calls: columns from the left, rings and many parties included, names as plain text."""

from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest
from agent_spans import handoff, rows_of, span, tool
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGraphicsSimpleTextItem
from pytestqt.qtbot import QtBot

from app.pages.traces.steps.graph import (
    MOST_DRAWN,
    CallGraph,
    described,
    drawn_parties,
    layers_of,
    places_of,
    sentence_of,
    tip_of,
)
from app.widgets.theme import Theme
from rag.interchange.agents.calls.rows import APPLICATION, Call, Calls, Party, PartyKind, PartySum, calls_of

A = Party(PartyKind.AGENT, "a")


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


@pytest.mark.parametrize(
    ("count", "errors", "sentence"),
    [
        (1, 0, "a calls b 1×"),
        (1_234, 0, "a calls b 1,234×"),
        (3, 2, "a calls b 3×, 2 failed"),
    ],
)
def test_a_call_is_said_in_words(count: int, errors: int, sentence: str) -> None:
    assert sentence_of(replace(call("a", "b", count), errors=errors)) == sentence


def test_long_names_are_cut_in_words_and_the_application_has_one() -> None:
    one = Call(APPLICATION, Party(PartyKind.TOOL, "x" * 999), 1, 0, 1.0)
    assert sentence_of(one) == f"(application) calls {'x' * 200} 1×"


@pytest.mark.parametrize(
    ("one", "line", "tip"),
    [
        (None, "agent", "a\nagent"),
        (PartySum(A, 0, 0, 0.0), "agent", "a\nagent"),
        (PartySum(A, 2, 0, 0.0), "agent, 2×", "a\nagent, 2×"),
        (PartySum(A, 2, 1, 0.0), "agent, 2×, 1 failed", "a\nagent, 2×, 1 failed"),
        (
            PartySum(A, 2, 0, 0.0, 1_000, 5),
            "agent, 2×",
            "a\nagent, 2×\n1,000 + 5 tokens of its own calls of models",
        ),
        (
            PartySum(A, 2, 0, 0.0, 7, None),
            "agent, 2×",
            "a\nagent, 2×\n7 + 0 tokens of its own calls of models",
        ),
    ],
)
def test_a_box_says_how_often_and_its_tip_the_tokens(one: PartySum | None, line: str, tip: str) -> None:
    assert described(A, one) == line and tip_of(A, one) == tip


PAIRS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"), st.integers(1, 9)), max_size=12
)


@given(PAIRS)
def test_every_party_stands_in_one_column_and_boxes_do_not_touch(pairs: list[tuple[str, str, int]]) -> None:
    calls = [call(*pair) for pair in pairs]
    parties = drawn_parties(Calls(tuple(calls), (), ()))
    layers = layers_of(parties, calls)
    assert sorted(name for layer in named(layers) for name in layer) == sorted(
        {n for pair in pairs for n in pair[:2]}
    )
    places = places_of(layers, dict.fromkeys(parties, 50.0), 20.0, (10.0, 5.0))
    boxes = list(places.values())
    assert not any(one.intersects(other) for one, other in combinations(boxes, 2))


@given(PAIRS, st.integers(0, 4))
def test_of_many_those_with_the_most_calls_stay(pairs: list[tuple[str, str, int]], most: int) -> None:
    weights = Counter[str]()
    for caller, callee, count in pairs:
        weights[caller] += count
        weights[callee] += count
    kept = {party.name for party in drawn_parties(Calls(tuple(call(*pair) for pair in pairs), (), ()), most)}
    assert len(kept) == min(most, len(weights))
    assert all(weights[name] >= weights[other] for name in kept for other in set(weights) - kept)


def test_columns_are_as_wide_as_their_widest_box() -> None:
    a, b, c = (Party(PartyKind.AGENT, name) for name in "abc")
    places = places_of([[a], [b, c]], {a: 70.0, b: 80.0, c: 160.0}, 40.0, (56.0, 14.0))
    assert [(place.left(), place.top(), place.width()) for place in places.values()] == [
        (0, 0, 70), (126, 0, 160), (126, 54, 160),
    ]  # fmt: skip
    assert places_of([], {}, 40.0, (1.0, 1.0)) == {}


def test_a_box_is_chosen_with_the_mouse_and_calls_are_said_to_screen_readers(
    qtbot: QtBot, theme: Theme
) -> None:
    graph = CallGraph(theme)
    qtbot.addWidget(graph)
    graph.resize(600, 300)
    graph.show()
    graph.show_calls(Calls((call("a", "b", 2),), (), ()))
    assert graph.accessibleDescription() == "a calls b 2×"
    for party, place in graph.places.items():
        with qtbot.waitSignal(graph.party_chosen) as chosen:
            qtbot.mousePress(
                graph.viewport(), Qt.MouseButton.LeftButton, pos=graph.mapFromScene(place.center())
            )
        assert chosen.args == [party]
