"""What is hidden does not leave, in either vocabulary; what is not hidden does."""

import itertools
import json

import pytest
from exported_traces import PASSAGES, add_trace

from rag.interchange.export.hiding import NAMES, REDACTED, VARIABLE, Hiding, hidden, hiding_of
from rag.interchange.export.spans import feedback_score, spans_of_trace
from rag.interchange.otlp import to_json, write_request
from rag.interchange.rows import RawEvent, RawSpan
from rag.review.rows import FeedbackRow
from rag.settings import ExportSettings
from rag.workspace import Workspace

QUESTION, ANSWER, PROMPT = "How high does the tide rise?", "It rises 3.5 metres [1].", "Passages: … How high?"
NOTE = "Nobody says so."
# name: the texts that must not be in anything that leaves
GONE = {
    "inputs": (QUESTION, PROMPT, "query!"),
    "outputs": (ANSWER, "It is salty.", *PASSAGES, "Let me see.", NOTE),
    "input_messages": (PROMPT,),
    "output_messages": ("Let me see.", NOTE),
    "input_text": (PROMPT,),
    "output_text": ("Let me see.", NOTE),
    "retrieval_documents": (*PASSAGES, NOTE),
    "llm_invocation_parameters": ("temperature",),
}


def sent(workspace: Workspace, hiding: Hiding) -> str:
    said = FeedbackRow("ab" * 16, "ann", 1, False, "", NOTE, "", (), "", "", "", "", "")
    spans = spans_of_trace(add_trace(workspace), [said])
    assert feedback_score(said).explanation == NOTE
    return to_json(write_request(hidden(span, hiding) for span in spans))


@pytest.mark.parametrize("name", NAMES)
def test_each_name_hides_its_texts_and_no_others(workspace: Workspace, name: str) -> None:
    text = sent(workspace, Hiding(**{name: True}))
    assert not [gone for gone in GONE[name] if gone in text]
    if name not in ("inputs", "outputs"):
        assert QUESTION in text and ANSWER in text
    assert "qwen" in text and "tides1.txt" in text and "Harbour" in text, "names and figures stay"


def test_nothing_hidden_is_the_same_span() -> None:
    span = RawSpan("ab" * 16, "cd" * 8, "", "s", 1, 2, {"own.key": "text"}, error="why")
    assert hidden(span, Hiding()) is span and set(GONE) == set(NAMES)


def test_hidden_texts_are_told_apart_from_missing_ones(workspace: Workspace) -> None:
    root, *rest = (
        hidden(s, Hiding(inputs=True, input_text=True)) for s in spans_of_trace(add_trace(workspace))
    )
    assert root.attributes["input.value"] == REDACTED and "input.mime_type" not in root.attributes
    call = next(span for span in rest if span.name == "generate")
    assert not any("input_messages" in key or "input.messages" in key for key in call.attributes)
    kept = hidden(spans_of_trace_call(workspace), Hiding(input_text=True, output_text=True))
    assert kept.attributes["llm.input_messages.0.message.role"] == "user"
    assert kept.attributes["llm.input_messages.0.message.content"] == REDACTED
    parts = json.loads(kept.attributes["gen_ai.output.messages"])[0]["parts"]
    assert [part["content"] for part in parts] == [REDACTED, REDACTED]


def spans_of_trace_call(workspace: Workspace) -> RawSpan:
    return next(s for s in spans_of_trace(add_trace(workspace, "12" * 16)) if s.name == "generate")


FOREIGN = {
    "own.key": "secret", "metadata": '{"q": "secret"}', "langfuse.observation.input": "secret", "n": 3, "is_new": True,
    "llm.prompts": ["secret"], "llm.tools": "secret", "retrieval.documents": '[{"document": {"content": "secret"}}]',
    "retrieval.documents.0.document.metadata": "secret", "gen_ai.prompt.0.content": "secret",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "secret",
    "embedding.embeddings.0.embedding.text": "secret", "llm.model_name": "qwen",
}  # fmt: skip


@pytest.mark.parametrize("names", itertools.combinations(("inputs", "outputs"), 2))
def test_of_other_applications_only_known_keys_and_figures_leave(names: tuple[str, ...]) -> None:
    span = RawSpan("ab" * 16, "cd" * 8, "", "s", 1, 2, FOREIGN, (RawEvent("exception", 1, {"exception.message": "secret",
                   "exception.type": "ValueError"}),), "secret", "bot", {"service.name": "bot", "host": "secret"})  # fmt: skip
    left = hidden(span, Hiding(**dict.fromkeys(names, True)))
    assert "secret" not in repr(left)
    assert (left.attributes["n"], left.attributes["is_new"], left.attributes["llm.model_name"]) == (
        3,
        True,
        "qwen",
    )
    assert (left.error, left.resource, left.events[0].attributes) == (
        "error", {"service.name": "bot"}, {"exception.type": "ValueError"},
    )  # fmt: skip


def test_the_environment_hides_more_and_never_shows_what_the_settings_hide() -> None:
    settings = ExportSettings(hide_inputs=True)
    assert hiding_of(settings, {}) == Hiding(inputs=True)
    found = hiding_of(
        settings, {f"{VARIABLE}INPUTS": "false", f"{VARIABLE}OUTPUT_TEXT": "True", f"{VARIABLE}OUTPUTS": "no"}
    )
    assert found == Hiding(inputs=True, output_text=True)
