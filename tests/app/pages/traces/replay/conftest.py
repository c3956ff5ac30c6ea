"""A trace whose prompt has two passages, and a model that says one sentence of each that it is shown."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from driving import ask_once
from fakes import NamedModel
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.traces.page import TracesPage
from rag.models.language_model import GenerationEnd, Token
from rag.settings import GenerationSettings
from rag.workspace import Workspace

QUESTION = "How long does rye bread rest, and how high is the tide at Bremen?"
SAID = {"14 hours": "Rye bread needs sourdough.", "3.5 metres": "The tide at Bremen rises 3.5 metres."}


class ReadingModel(NamedModel):
    """Says of each passage that it is shown one sentence, and waits before each answer as its gate says."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()

    def generate(
        self, tokens: Sequence[int], settings: GenerationSettings, grammar: str = ""
    ) -> Iterator[Any]:
        yield Token("", -0.5)
        self.gate.wait(10)
        prompt = self.tokenized[-1]
        shown = sorted((prompt.index(words), said) for words, said in SAID.items() if words in prompt)
        yield Token(" ".join(said for _, said in shown) or "The passages do not say.", -0.5)
        yield GenerationEnd("stop", 1)


@pytest.fixture
def model() -> ReadingModel:
    return ReadingModel()


@pytest.fixture
def trace_id(notes: Path, open_workspace: Workspace, model: ReadingModel) -> str:
    return ask_once(open_workspace, QUESTION)


@pytest.fixture
def page(qtbot: QtBot, console: Console, trace_id: str) -> TracesPage:
    """The page with the trace open."""
    made = TracesPage(console)
    qtbot.addWidget(made)
    made.resize(1200, 900)
    made.show()
    made.open_trace(trace_id)
    return made
