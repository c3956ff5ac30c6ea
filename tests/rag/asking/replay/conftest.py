"""A trace whose prompt has several passages, and a model whose answer depends on which of them it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceDetail, get_trace
from rag.knowledge.ingest import ingest_files
from rag.settings import GenerationSettings
from rag.workspace import Workspace

QUESTION = "What does rye bread need, and how high is the tide at Bremen?"
# A sentence that the model says when a passage with these words is in its prompt.
SAID = {
    "sourdough and 12": "Rye bread needs sourdough.",
    "3.5 metres": "The tide at Bremen rises 3.5 metres.",
}


class ReadingModel(ScriptedModel):
    """Says of each passage that it is shown one sentence, in their order; keeps the settings it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.used: list[GenerationSettings] = []

    def generate(
        self, tokens: Sequence[int], settings: GenerationSettings, grammar: str = ""
    ) -> Iterator[Any]:
        self.used.append(settings)
        prompt = self.tokenized[-1]
        shown = sorted((prompt.index(words), said) for words, said in SAID.items() if words in prompt)
        self.answer = " ".join(said for _, said in shown) or "The passages do not say."
        yield from super().generate(tokens, settings, grammar)


@pytest.fixture
def model(workspace: Workspace) -> ReadingModel:
    made = ReadingModel()
    workspace._load_model = made.load
    workspace.unload_model()
    workspace.language_model()
    return made


@pytest.fixture
def parent(workspace: Workspace, documents: Path, model: ReadingModel) -> TraceDetail:
    """The trace of a question that two passages answer, each one half of it."""
    drive(ingest_files(workspace, "A", [documents]))
    result = drive(answer_question(workspace, Question(QUESTION, "A")))
    return get_trace(workspace.database, result.trace_id)
