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


def shown(key: str, value: object, *names: str) -> object:
    """Return what is left of one attribute, None where it is gone."""
    span = RawSpan("ab" * 16, "cd" * 8, "", "s", 1, 2, {key: value})
    return hidden(span, Hiding(**dict.fromkeys(names, True))).attributes.get(key)


ROLE = '[{"role": "user", "parts": [{"type": "text", "content": "x"}]}]'


@pytest.mark.parametrize(
    ("key", "names", "is_shown"),
    [
        ("input.value", "outputs", True),
        ("output.value", "inputs", True),
        ("output.mime_type", "outputs", False),
        ("output.mime_type", "inputs", True),
        ("llm.input_messages.0.message.role", "input_text", True),
        ("llm.input_messages.0.message.role", "input_messages", False),
        ("llm.input_messages.0.message.role", "inputs", False),
        ("llm.output_messages.0.message.role", "inputs", True),
        ("llm.output_messages.0.message.content", "output_messages", False),
        ("gen_ai.system_instructions", "input_messages", False),
        ("gen_ai.system_instructions", "output_messages", True),
        ("retrieval.documents.0.document.id", "outputs", True),
        ("retrieval.documents.0.document.content", "inputs", True),
        ("reranker.input_documents.0.document.content", "inputs", False),
        ("reranker.query", "inputs", False),
        ("gen_ai.tool.call.arguments", "inputs", False),
        ("gen_ai.tool.call.arguments", "outputs", True),
        ("gen_ai.tool.call.result", "outputs", False),
        ("tool.parameters.q", "inputs", False),
        ("tool.name", "inputs", True),
        ("tool.description", "inputs", False),
        ("gen_ai.request.model", "inputs", True),
        ("ragdeck.version", "inputs", True),
        ("ragdeck.detail", "inputs", False),
        ("ragdeck.detail", "outputs", True),
        ("support.annotation.label", "outputs", True),
        ("support.annotation.explanation", "outputs", False),
        ("support.annotation.explanation", "inputs", True),
        ("gen_ai.evaluation.explanation", "retrieval_documents", False),
        ("llm.invocation_parameters", "inputs", True),
        ("llm.invocation_parameters", "llm_invocation_parameters", False),
        ("input.values", "inputs", False),
        ("session.id", "outputs", True),
        ("session.id.x", "outputs", False),
        ("gen_ai.prompt.name", "inputs", True),
        ("gen_ai.prompt.0.content", "llm_invocation_parameters", False),
        ("exception.type", "inputs", True),
        ("exception.stacktrace", "inputs", False),
    ],
)
def test_each_key_is_shown_or_gone(key: str, names: str, is_shown: bool) -> None:
    assert (shown(key, "text", names) == "text") is is_shown


@pytest.mark.parametrize(
    "key", ["own.key", "input.value", "llm.input_messages.0.message.content", "gen_ai.prompt"]
)
@pytest.mark.parametrize("value", [0, 1.5, True, False])
def test_figures_stay_whatever_is_hidden(key: str, value: object) -> None:
    assert shown(key, value, *NAMES) == value


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (ROLE, ROLE.replace('"x"', f'"{REDACTED}"')),
        ([{"role": "user", "content": "x", "n": 1}], [{"role": "user", "content": REDACTED, "n": 1}]),
        ({"content": {"text": "x"}}, {"content": {"text": REDACTED}}),
        ({"content": ["x", "y"]}, {"content": ["x", "y"]}),
        ("no JSON", None),
        ("[broken", None),
        (None, None),
        ([], []),
        ('{"arguments": "{\\"q\\": 1}", "name": "f"}', f'{{"arguments": "{REDACTED}", "name": "f"}}'),
    ],
)
def test_of_whole_messages_the_texts_are_taken_out(value: object, left: object) -> None:
    assert shown("gen_ai.input.messages", value, "input_text") == left
    assert shown("gen_ai.output.messages", value, "output_text") == left


@pytest.mark.parametrize("name", NAMES)
def test_what_is_hidden_already_stays_so(name: str) -> None:
    once = hidden(RawSpan("ab" * 16, "cd" * 8, "", "s", 1, 2, FOREIGN, error="why"), Hiding(**{name: True}))
    assert hidden(once, Hiding(**{name: True})) == once


def test_an_error_stays_where_neither_what_went_in_nor_out_is_hidden() -> None:
    span = RawSpan("ab" * 16, "cd" * 8, "", "s", 1, 2, error="it broke")
    assert [hidden(span, Hiding(**{name: True})).error for name in NAMES] == ["error"] * 2 + ["it broke"] * 6
    assert hidden(RawSpan("ab" * 16, "cd" * 8, "", "s", 1, 2), Hiding(inputs=True)).error == ""


@pytest.mark.parametrize(
    ("text", "hides"),
    [
        ("true", True),
        ("TRUE", True),
        (" 1 ", True),
        ("0", False),
        ("yes", False),
        ("", False),
        ("false", False),
    ],
)
def test_a_variable_hides_where_it_is_true(text: str, hides: bool) -> None:
    found = hiding_of(ExportSettings(), {f"{VARIABLE}INPUT_MESSAGES": text, "HIDE_INPUTS": "true"})
    assert found == Hiding(input_messages=hides) and found.hides_anything is hides
