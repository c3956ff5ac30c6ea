"""`ragdeck search`, `ask` and `traces`: what they print, as JSON and for people, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine, Printed
from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive
from hypothesis import assume, given
from hypothesis import strategies as st

from rag.asking.answer import answer_question
from rag.asking.cascades.rows import StepRejected
from rag.asking.rows import AnswerRestarted, PromptProgress, Question, RetrievalDone, TokenStreamed
from rag.asking.sessions.rows import Binding
from rag.cli.asking import binding_with, cancelled_ask, show_answer_event
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

QUESTION = "What does rye bread need?"


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CommandLine]:
    """Three small documents in the collection A, and a model that says that rye bread needs sourdough."""
    made = CommandLine(folder, capsys)
    with made.open() as workspace:
        drive(ingest_files(workspace, "A", [documents]))
    yield made


def asked(ragdeck: CommandLine, question: str = QUESTION, *options: object) -> dict[str, Any]:
    document: dict[str, Any] = ragdeck.done("ask", question, "-c", "A", *options, "--json").document
    return document


def test_search_prints_passages_with_their_ranks(ragdeck: CommandLine) -> None:
    document = ragdeck.done("search", "rye bread sourdough", "-c", "A", "--json").document
    assert (document["query"], document["collection"], document["version"]) == ("rye bread sourdough", "A", 1)
    first = document["hits"][0]
    assert first["document"] == "bread.md"
    assert (first["fused_rank"], first["dense_rank"], first["bm25_rank"]) == (1, 1, 1)
    assert first["dropped"] is None
    printed = ragdeck.done("search", "rye bread sourdough", "-c", "A").out
    assert "bread.md" in printed and "dense #1" in printed


def test_search_shows_at_most_what_is_asked_for(ragdeck: CommandLine) -> None:
    hits = ragdeck.done("search", "the", "-c", "A", "-n", 1, "--json").document["hits"]
    assert len(hits) <= 1


def test_search_of_nothing_close_is_said(ragdeck: CommandLine) -> None:
    assert ragdeck.done("search", "quantum chromodynamics", "-c", "A", "--json").document["hits"] == []
    assert ragdeck.done("search", "quantum chromodynamics", "-c", "A").out.strip()


def test_an_unknown_collection_or_version_is_refused(ragdeck: CommandLine) -> None:
    assert "“B”" in ragdeck.refused("search", "rye", "-c", "B")
    assert "9" in ragdeck.refused("search", "rye", "-c", "A", "--version", "9")
    assert "“B”" in ragdeck.refused("ask", QUESTION, "-c", "B")
    assert "empty" in ragdeck.refused("ask", "  ", "-c", "A")


def test_an_answer_is_one_document_with_citations_claims_and_tokens(ragdeck: CommandLine) -> None:
    document = asked(ragdeck)
    assert document["status"] == "done"
    assert document["answer"] == "Rye bread needs sourdough [1]."
    assert (document["question"], document["collection"], document["version"]) == (QUESTION, "A", 1)
    (citation,) = [c for c in document["citations"] if c["cited"]]
    assert citation["marker"] == 1
    assert [claim["verdict"] for claim in document["claims"]] == ["supported"]
    assert document["claims"][0]["evidence"]["marker"] == 1
    assert document["tokens"]["prompt"] > 0 and document["tokens"]["completion"] == 5
    assert document["timings_ms"]["total"] >= document["timings_ms"]["retrieve"]
    assert document["retrieval"]["documents"] == 3
    assert document["silent_failures"] == []


def test_an_answer_is_streamed_and_its_flags_and_sources_follow(ragdeck: CommandLine) -> None:
    ragdeck.model.answer = "Rye bread needs sourdough [1]. The moon is made of 300 tons of butter."
    printed = ragdeck.done("ask", QUESTION, "-c", "A")
    assert printed.out.startswith(ragdeck.model.answer)
    after = printed.out.removeprefix(ragdeck.model.answer)
    assert "butter" in after, "the flagged sentence is named"
    assert "sourdough" not in after.splitlines()[2], "the supported one is not"
    assert "[1] bread.md" in after
    assert "trace " in after
    assert "chunks from" in printed.err


def test_what_is_not_in_the_documents_is_not_asked(ragdeck: CommandLine) -> None:
    document = asked(ragdeck, "quantum chromodynamics lattice")
    assert (document["status"], document["citations"], document["claims"]) == ("nothing found", [], [])
    assert ragdeck.model.prompts == []
    printed = ragdeck.done("ask", "quantum chromodynamics lattice", "-c", "A").out
    assert document["answer"] in " ".join(printed.split())


def test_a_pipeline_or_a_version_of_ones_own_choice_answers(ragdeck: CommandLine) -> None:
    with ragdeck.open() as workspace:
        config = make_config({"collection": "A", "retrieval": {"max_passages": 1}})
        save_pipeline(workspace, "one", config, "")
    assert len(asked(ragdeck, QUESTION, "-p", "one")["citations"]) == 1
    assert asked(ragdeck, QUESTION, "--version", "1")["version"] == 1
    assert "“none”" in ragdeck.refused("ask", QUESTION, "-c", "A", "-p", "none")


def test_a_follow_up_is_searched_with_the_question_before_it(ragdeck: CommandLine) -> None:
    first = asked(ragdeck)
    second = asked(ragdeck, "How long does it rest?", "--session", first["session_id"])
    assert second["session_id"] == first["session_id"]
    assert any("follow-up" in notice for notice in second["notices"])


def test_traces_are_listed_and_filtered(ragdeck: CommandLine) -> None:
    ids = [asked(ragdeck)["trace_id"], asked(ragdeck, "When do the boats leave?")["trace_id"]]
    asked(ragdeck, "quantum chromodynamics lattice")
    rows = ragdeck.done("traces", "list", "--json").document
    assert [row["status"] for row in rows] == ["nothing found", "done", "done"]
    found = ragdeck.done("traces", "list", "--text", "boats", "--json").document
    assert [row["id"] for row in found] == [ids[1]]
    assert len(ragdeck.done("traces", "list", "-n", 1, "--json").document) == 1
    assert ragdeck.done("traces", "list", "--status", "failed", "--json").document == []
    assert ragdeck.done("traces", "list", "--source", "evaluation", "--json").document == []
    assert len(ragdeck.done("traces", "list", "--source", "all", "--json").document) == 3
    assert ragdeck.done("traces", "list", "--since", "2999-01-01", "--json").document == []
    assert len(ragdeck.done("traces", "list", "--until", "2999-01-01", "--json").document) == 3


def test_traces_for_people_show_ids_questions_and_that_there_are_none(ragdeck: CommandLine) -> None:
    trace = asked(ragdeck)["trace_id"]
    assert trace[:8] in ragdeck.done("traces", "list").out
    assert trace[:8] not in ragdeck.done("traces", "list", "--text", "nobody asked this").out


def test_a_trace_is_shown_whole_by_the_beginning_of_its_id(ragdeck: CommandLine) -> None:
    trace = asked(ragdeck)["trace_id"]
    document = ragdeck.done("traces", "show", trace[:8], "--json").document
    assert (document["id"], document["question"]) == (trace, QUESTION)
    assert document["settings"]["retrieval"]["search"] == "hybrid"
    assert document["fallbacks"] == [] or isinstance(document["fallbacks"], list)
    assert {hit["document"] for hit in document["hits"]} >= {"bread.md"}
    assert document["claims"][0]["verdict"] == "supported"
    assert {"search", "check"} & {span["name"] for span in document["spans"]} or document["spans"]
    printed = ragdeck.done("traces", "show", trace).out
    assert QUESTION in printed and "bread.md" in printed
    assert "Rye bread needs sourdough and 12 hours of rest" in " ".join(printed.split()), "the prompt as sent"


def test_a_trace_that_is_not_there_is_refused(ragdeck: CommandLine) -> None:
    assert "“ffffffff”" in ragdeck.refused("traces", "show", "ffffffff")


def test_an_error_of_the_model_is_a_sentence_and_its_trace_is_kept(ragdeck: CommandLine) -> None:
    from rag.errors import ModelError

    ragdeck.model.error = ModelError("The model gave up.")
    assert ragdeck.refused("ask", QUESTION, "-c", "A", "--json") == "The model gave up."
    (row,) = ragdeck.done("traces", "list", "--json").document
    assert (row["status"], row["error"]) == ("failed", "The model gave up.")


# --- reasoning models -------------------------------------------------------------------------------------

THOUGHT = "<think> Hmm, rye. </think> Rye bread needs sourdough [1]."


def test_thinking_is_folded_into_a_line_unless_it_is_asked_for(ragdeck: CommandLine) -> None:
    ragdeck.model.answer = THOUGHT
    printed = ragdeck.done("ask", QUESTION, "-c", "A")
    assert printed.out.startswith("Rye bread needs sourdough [1].")
    assert "Hmm" not in printed.out + printed.err
    assert "thought for 4 tokens" in printed.out
    printed = ragdeck.done("ask", QUESTION, "-c", "A", "--show-thinking", "--fresh")
    assert "Hmm, rye." in printed.err and "Hmm" not in printed.out
    assert printed.err.endswith("\n")


def test_thinking_is_a_key_of_its_own_in_the_document_and_in_the_trace(ragdeck: CommandLine) -> None:
    ragdeck.model.answer = THOUGHT
    document = asked(ragdeck)
    assert (document["answer"], document["thinking"]) == ("Rye bread needs sourdough [1].", "Hmm, rye.")
    assert (document["tokens"]["completion"], document["tokens"]["thinking"]) == (5, 4)
    shown = " ".join(ragdeck.done("traces", "show", document["trace_id"]).out.split())
    assert "thinking (4 tokens):" in shown and "Hmm, rye." in shown and "4 of thinking before" in shown
    stored = ragdeck.done("traces", "show", document["trace_id"], "--json").document
    assert (stored["thinking"], stored["thinking_tokens"]) == ("Hmm, rye.", 4)


def test_an_answer_that_restarts_says_so(ragdeck: CommandLine) -> None:
    ragdeck.model.answer = "Hmm, rye. </think> Rye bread needs sourdough [1]."
    printed = ragdeck.done("ask", QUESTION, "-c", "A")
    assert "That was thinking. The answer:" in printed.err
    assert "\nRye bread needs sourdough [1]." in printed.out


# --- what a search says of itself -------------------------------------------------------------------------


def words(printed: Printed) -> str:
    return " ".join(printed.out.split())


@pytest.mark.parametrize(
    ("looked_for", "said"),
    [
        ("sourdough and", "[1] is the passage of bread.md, Bread, candidate 1."),
        ("SOURDOUGH and", "[1] is the passage of bread.md, Bread, candidate 1."),
        ("zeppelin engine", "No passage of version 1 contains these words in sequence."),
        ("and sourdough", "No passage of version 1 contains these words in sequence."),
    ],
)
def test_search_says_what_became_of_a_passage(ragdeck: CommandLine, looked_for: str, said: str) -> None:
    assert said in words(ragdeck.done("search", "rye bread", "-c", "A", "--find", looked_for))


def test_an_explained_search_shows_its_stages_and_how_each_candidate_came(ragdeck: CommandLine) -> None:
    printed = words(ragdeck.done("search", "rye bread", "-c", "A", "--explain"))
    assert all(stage in printed for stage in ("query", "embed", "lexical", "fuse", "rerank"))
    assert "It was number 1 of dense, number 1 of BM25 and number 1 after fusion." in printed
    assert "would be in the prompt; the search took" in printed
    document = ragdeck.done("search", "rye bread", "-c", "A", "--explain", "--json").document
    (side,) = document["sides"]
    assert side["hits"] == document["hits"]
    assert {stage["name"] for stage in side["stages"]} >= {"embed", "lexical"}
    assert "sides" not in ragdeck.done("search", "rye bread", "-c", "A", "--json").document


def test_a_search_is_compared_with_a_preset_and_with_a_version(ragdeck: CommandLine) -> None:
    with_version = words(ragdeck.done("search", "rye bread", "-c", "A", "--against", "@1"))
    assert with_version.count("Balanced, version 1") == 2
    with_preset = ragdeck.done("search", "rye bread", "-c", "A", "--against", "Fast", "--json").document
    assert [side["preset"] for side in with_preset["sides"]] == ["Balanced", "Fast"]
    assert words(ragdeck.done("search", "rye bread", "-c", "A", "--preset", "Fast")).startswith(
        "1. [1] bread"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("search", ""), "The question is empty. Type what to search for."),
        (("search", "rye", "--preset", "none"), "There is no preset “none”. The presets are Fast, Balanced,"),
        (("search", "rye", "--against", "none"), "There is no preset “none”."),
        (("search", "rye", "--against", "@9"), "The collection “A” has no version 9."),
        (("search", "rye", "--version", "tag"), "The collection “A” has no version tag."),
        (("ask", "rye?", "--version", "tag"), "Run `ragdeck versions -c NAME` to see all versions."),
        (("ask", "rye?", "--prompt", "default@99"), "The prompt “default” has no version 99."),
        (("ask", "rye?", "-p", "none@x"), "There is no pipeline named “none”."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_searched_or_asked_is_one_sentence(
    ragdeck: CommandLine, arguments: tuple[str, ...], said: str
) -> None:
    assert said in ragdeck.refused(*arguments, "-c", "A")


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "rye", "-c", "A", "-n", 0),
        ("search", "rye", "-c", "A", "-n", 501),
        ("search", "rye"),
        ("search", "-c", "A"),
        ("traces", "list", "-n", 0),
        ("traces", "list", "-n", 100_001),
        ("traces", "list", "--since", "yesterday"),
        ("consistency", "ffffffff", "-n", 1),
        ("consistency", "ffffffff", "-n", 51),
        ("consistency", "ffffffff", "--temperature", 0),
        ("consistency", "ffffffff", "--temperature", 2.1),
    ],
    ids=lambda arguments: " ".join(map(str, arguments)),
)
def test_numbers_out_of_range_are_wrong_usage(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...]
) -> None:
    printed = CommandLine(folder, capsys)(*arguments)
    assert (printed.code, printed.out) == (2, "")
    assert "--help" in printed.err


@pytest.mark.parametrize(
    ("option", "value", "known"),
    [
        ("--status", "nonsense", "running, done, nothing found"),
        ("--status", "DONE", "running, done, nothing found"),
        ("--source", "nonsense", "person, evaluation"),
        ("--source", "nobody", "all."),
    ],
)
def test_a_filter_that_nothing_can_match_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, known: str
) -> None:
    """It said "No trace matches.", as if there were none."""
    sentence = CommandLine(folder, capsys).refused("traces", "list", option, value)
    assert sentence.startswith(f"{option} {value}: write one of ") and known in sentence


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ((), 1),
        (("--collection", "A"), 1),
        (("--collection", "B"), 0),
        (("--model", "scripted"), 1),
        (("--model", "none"), 0),
        (("--verdict", "supported"), 1),
        (("--verdict", "flagged"), 0),
        (("--status", "done"), 1),
        (("--status", "nothing found"), 0),
        (("--source", "person"), 1),
        (("--source", "evaluation"), 0),
        (("--source", "all"), 1),
        (("--text", "SOURDOUGH"), 1),
        (("--text", "zeppelin"), 0),
        (("--until", "2001-01-01"), 0),
        (("--since", "2001-01-01", "--until", "2999-01-01T12:00:00"), 1),
    ],
    ids=lambda options: " ".join(options) if isinstance(options, tuple) else "",
)
def test_each_filter_of_traces_leaves_out_the_others(
    one_trace: CommandLine, options: tuple[str, ...], count: int
) -> None:
    assert len(one_trace.done("traces", "list", *options, "--json").document) == count


@pytest.fixture(scope="module")
def data_with_a_trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed data folder in which one question was asked."""
    made = tmp_path_factory.mktemp("one-trace")
    (made / "data").mkdir()
    (made / "bread.md").write_text("# Bread\n\nRye bread needs sourdough and 12 hours of rest.\n", "utf-8")
    workspace = Workspace(
        made / "data",
        "a test",
        embedder=FakeEmbedder(),
        load_model=ScriptedModel().load,
        reader=DirectReader(),
    )
    with workspace:
        drive(ingest_files(workspace, "A", [made / "bread.md"]))
        drive(answer_question(workspace, Question(QUESTION, "A")))
    return made / "data"


@pytest.fixture
def one_trace(data_with_a_trace: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """A command line that only reads."""
    return CommandLine(data_with_a_trace, capsys)


@pytest.mark.parametrize("trace", ["zz", "ffffffff", "", "%", "_"])
def test_no_beginning_of_an_id_is_no_trace(one_trace: CommandLine, trace: str) -> None:
    assert one_trace.refused("traces", "show", trace) == (
        f"There is no trace “{trace}”. Run `ragdeck traces list` to see their ids."
    )


# --- what is shown while an answer comes ------------------------------------------------------------------


def shown(
    capsys: pytest.CaptureFixture[str], *events: object, show_thinking: bool = False
) -> tuple[str, str]:
    """Return stdout and stderr of some events."""
    capsys.readouterr()
    for event in events:
        show_answer_event(event, show_thinking)
    printed = capsys.readouterr()
    return printed.out, printed.err


@pytest.mark.parametrize(
    ("event", "out", "err"),
    [
        (RetrievalDone("t", (), 2, 1, 7, 3), "", "2 of 7 chunks from 1 of 3 documents"),
        (PromptProgress("t", 5, 10, 0), "", ""),  # no progress where no terminal is
        (TokenStreamed("t", "Rye ", 1), "Rye ", ""),
        (TokenStreamed("t", "[b]", 1), "[b]", ""),  # what a model says is no markup
        (TokenStreamed("t", "Hmm", 1, is_thinking=True), "", ""),
        (AnswerRestarted("t"), "\n", "That was thinking. The answer:"),
        (object(), "", ""),
    ],
    ids=lambda event: type(event).__name__ if not isinstance(event, str) else "",
)
def test_an_event_is_shown_on_its_stream(
    capsys: pytest.CaptureFixture[str], event: object, out: str, err: str
) -> None:
    found = shown(capsys, event)
    assert (found[0], found[1].strip()) == (out, err)


def test_thinking_that_is_asked_for_ends_with_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    thought = TokenStreamed("t", "[red]Hmm[/red]", 1, is_thinking=True)
    out, err = shown(
        capsys, thought, TokenStreamed("t", "Rye.", 1), TokenStreamed("t", " Yes.", 2), show_thinking=True
    )
    assert (out, err) == ("Rye. Yes.", "[red]Hmm[/red]\n")


def test_a_step_whose_answer_is_not_given_says_who_is_asked_next(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = shown(capsys, StepRejected("t", "small", "1 sentence unsupported", "large"))
    assert out == "\n"
    assert " ".join(err.split()) == "The answer of small was not given: 1 sentence unsupported. Asking large."


def test_a_cancelled_question_says_where_its_beginning_is() -> None:
    assert cancelled_ask(None) == "Cancelled before the question was asked."
    said = cancelled_ask(TokenStreamed("0123456789abcdef", "Rye", 1))
    assert "`ragdeck traces show 01234567`" in said and "ask again" in said


# --- a binding ----------------------------------------------------------------------------------------------

WORD = st.sampled_from(["", "a", "b"])
BINDING = st.builds(Binding, WORD, WORD, WORD, WORD, WORD)


@given(BINDING)
def test_nothing_given_changes_nothing_and_the_same_collection_is_no_change(own: Binding) -> None:
    assert binding_with(own, Binding()) == own
    assert binding_with(own, Binding(own.collection)) == own


@given(BINDING, BINDING)
def test_what_is_given_always_holds_and_giving_it_again_changes_nothing(own: Binding, new: Binding) -> None:
    bound = binding_with(own, new)
    assert all(given in ("", kept) for given, kept in zip(astuple(new), astuple(bound), strict=True))
    assert binding_with(bound, new) == bound


@given(BINDING, BINDING)
def test_another_collection_keeps_no_version_and_no_pipeline(own: Binding, new: Binding) -> None:
    assume(new.collection not in ("", own.collection))
    bound = binding_with(own, new)
    assert (bound.version, bound.pipeline) == (new.version, new.pipeline)
