"""`traces import` reads files of other applications and checks their answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine

TRACE = "5b8efff798038103d269b633813fc60c"


def key_value(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def otlp(trace_id: str = TRACE, answer: str = "It rises 3.5 metres [1].") -> dict[str, Any]:
    """Return a request with a chain and the retriever inside it."""
    begin = 1_790_000_000_000_000_000
    times = {"startTimeUnixNano": begin, "endTimeUnixNano": begin + 10**9}
    chain = {
        "traceId": trace_id, "spanId": "ab" * 8, "name": "chain", **times,
        "attributes": [
            key_value("openinference.span.kind", "CHAIN"),
            key_value("input.value", '{"query": "How high does the tide rise?"}'),
            key_value("output.value", answer),
        ],
    }  # fmt: skip
    retriever = {
        "traceId": trace_id, "spanId": "cd" * 8, "parentSpanId": "ab" * 8, "name": "retriever", **times,
        "attributes": [
            key_value("openinference.span.kind", "RETRIEVER"),
            key_value("retrieval.documents.0.document.content", "The tide at Bremen rises 3.5 metres."),
        ],
    }  # fmt: skip
    resource = {"attributes": [key_value("service.name", "harbour bot")]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [chain, retriever]}]}]}


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(folder, capsys)


def test_an_imported_trace_is_listed_checked_and_renewed(ragdeck: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "traces.jsonl"
    file.write_text(json.dumps(otlp()) + "\n" + json.dumps(otlp("cd" * 16, "")) + "\n", "utf-8")
    assert ragdeck.done("traces", "import", file).out == "traces.jsonl: 2 traces added, 1 answer checked.\n"
    rows = ragdeck.done("traces", "list", "--source", "received", "--json").document
    assert {row["id"] for row in rows} == {TRACE, "cd" * 16}
    assert ragdeck.done("traces", "list", "--json").document == [], "people's own questions stay apart"
    shown = ragdeck.done("traces", "show", TRACE, "--json").document
    assert (shown["question"], shown["application"]) == ("How high does the tide rise?", "harbour bot")
    assert shown["claims"] and [hit["text"] for hit in shown["hits"]] == [
        "The tide at Bremen rises 3.5 metres."
    ]
    assert [span["kind"] for span in shown["spans"]] == ["CHAIN", "RETRIEVER"]
    (result,) = ragdeck.done("traces", "import", file, "--no-check", "--json").document
    assert (result["added"], len(result["renewed"]), result["checked"]) == ([], 2, 0)
    again = ragdeck.done("traces", "show", TRACE, "--json").document
    assert again["claims"] == shown["claims"], "a check of the same answer stays"


def test_a_file_that_is_no_trace_is_one_sentence_and_the_others_are_read(
    ragdeck: CommandLine, tmp_path: Path
) -> None:
    bad, good = tmp_path / "bad.json", tmp_path / "good.json"
    bad.write_text('{"a": 1}', "utf-8")
    good.write_text(json.dumps(otlp()), "utf-8")
    failed = ragdeck("traces", "import", bad, good)
    assert failed.code == 1 and "bad.json holds no span" in failed.err and "1 trace added" in failed.out


def test_a_file_that_is_not_there_is_told_in_the_document_too(ragdeck: CommandLine, tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text(json.dumps(otlp()), "utf-8")
    printed = ragdeck("traces", "import", tmp_path / "gone.json", good, "--json")
    assert printed.code == 1
    missing, read = printed.document
    assert missing == {
        "file": str(tmp_path / "gone.json"),
        "error": "gone.json cannot be read (No such file or directory).",
    }
    assert (read["added"], read["renewed"], read["own"], read["refused"], read["checked"]) == (
        [TRACE],
        [],
        [],
        0,
        1,
    )
    assert missing["error"] in printed.err


@pytest.mark.parametrize(
    "content", ["", "   ", "nonsense", "[]", "{}", '{"resourceSpans": []}', "null", "3", "[" * 2000]
)
def test_a_file_without_a_span_is_one_sentence(ragdeck: CommandLine, tmp_path: Path, content: str) -> None:
    (tmp_path / "[b]x.json").write_text(content, "utf-8")
    printed = ragdeck("traces", "import", tmp_path / "[b]x.json")
    assert (printed.code, printed.out) == (1, "")
    assert "[b]x.json" in printed.err and "Traceback" not in printed.err
    assert ragdeck.done("traces", "list", "--source", "all", "--json").document == []


@pytest.mark.parametrize(
    ("answer", "checked", "said"),
    [("It rises 3.5 metres [1].", 1, "1 answer checked"), ("", 0, "0 answers checked")],
)
def test_only_what_has_an_answer_is_checked(
    ragdeck: CommandLine, tmp_path: Path, answer: str, checked: int, said: str
) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(otlp(answer=answer)), "utf-8")
    assert ragdeck.done("traces", "import", file).out == f"one.json: 1 trace added, {said}.\n"
    again = ragdeck.done("traces", "import", file, "--json").document[0]
    assert (again["added"], again["renewed"]) == ([], [TRACE])
    assert len(ragdeck.done("traces", "list", "--source", "received", "--json").document) == 1


def test_no_file_at_all_is_wrong_usage(ragdeck: CommandLine) -> None:
    printed = ragdeck("traces", "import")
    assert (printed.code, printed.out) == (2, "") and "FILE" in printed.err
