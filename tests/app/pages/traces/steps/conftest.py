"""A page with received traces: an agent that loops, a handoff, and two others of its session."""

from __future__ import annotations

from dataclasses import replace

import pytest
from agent_spans import TRACE, S, handoff, looping, tool
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.traces.page import TracesPage
from rag.interchange.receiving import receive
from rag.interchange.rows import RawSpan
from rag.workspace import Workspace

LOOPING = "cd" * 16
NEXT = "ef" * 16


def moved(spans: list[RawSpan], trace: str, seconds: int) -> list[RawSpan]:
    """Return the spans as another trace that began later."""
    later = seconds * S
    return [
        replace(one, trace_id=trace, start_ns=one.start_ns + later, end_ns=one.end_ns + later)
        for one in spans
    ]


@pytest.fixture
def page(qtbot: QtBot, console: Console, open_workspace: Workspace) -> TracesPage:
    """The page with three received traces."""
    failed = tool(40, 1, "<b>open</b> page", {"u": 1}, "Error: <i>off</i>", start=30)
    receive(open_workspace.store, handoff())
    receive(open_workspace.store, moved([*looping(), failed], LOOPING, 60))
    receive(open_workspace.store, moved(handoff("It was sent again."), NEXT, 600))
    made = TracesPage(console)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    return made


@pytest.fixture
def handed(page: TracesPage) -> TracesPage:
    """The page with the handoff open."""
    page.open_trace(TRACE)
    return page


@pytest.fixture
def looped(page: TracesPage) -> TracesPage:
    """The page with the loop open."""
    page.open_trace(LOOPING)
    return page
