"""`traces export`, `traces send` and `traces export-queue` do what the window does."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine
from exported_traces import add_trace
from fakes import DirectReader, FakeEmbedder, ScriptedModel
from otlp_endpoint import OtlpEndpoint, otlp_endpoint

from rag.interchange.import_traces import read_file
from rag.workspace import Workspace

ONE, TWO, SENT = "11" * 16, "22" * 16, "33" * 16


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    with Workspace(
        folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=DirectReader()
    ) as workspace:
        add_trace(workspace, ONE)
        add_trace(workspace, TWO, created_ms=1_790_000_500_000, session_id="s" * 32, collection="Other")
        add_trace(workspace, SENT, source="received", application="bot", collection="")
    return CommandLine(folder, capsys)


@pytest.fixture
def endpoint(ragdeck: CommandLine) -> Iterator[OtlpEndpoint]:
    with otlp_endpoint() as made:
        ragdeck.done("settings", "set", f"export.endpoint={made.url}/v1/traces")
        yield made


@pytest.mark.parametrize("name", ["out.json", "out.jsonl"])
def test_a_file_can_be_read_again(ragdeck: CommandLine, tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    said = ragdeck.done("traces", "export", ONE[:6], "--last", "5", "--out", out).out
    assert said.startswith("2 traces with 16 spans written to ")
    assert {span.trace_id for span in read_file(out).spans} == {ONE, TWO}
    assert len(out.read_text("utf-8").splitlines()) == (1 if name.endswith("json") else 2)
    document = ragdeck.done("traces", "export", "--last", "1", "--out", out, "--json").document
    assert document == {"file": str(out), "traces": 1, "spans": 8}
    assert not list(tmp_path.glob("*.part"))


def test_what_the_options_choose_and_hide(ragdeck: CommandLine) -> None:
    def ids(*options: str) -> set[str]:
        printed = ragdeck.done("traces", "export", "--out", "-", *options).out
        return {
            span["traceId"]
            for line in printed.splitlines()
            for group in json.loads(line)["resourceSpans"]
            for span in group["scopeSpans"][0]["spans"]
        }

    assert ids("--collection", "Other") == ids("--session", "s" * 32) == ids("--last", "1") == {TWO}
    assert ids("--since", "2020-01-01") == {ONE, TWO}
    shown = ragdeck.done(
        "traces", "export", ONE, "--out", "-", "--hide", "hide-outputs", "--hide", "inputs"
    ).out
    assert "tide" not in shown.replace("tides", "") and "qwen" in shown
    assert "write one of inputs, outputs" in ragdeck.refused(
        "traces", "export", ONE, "--out", "-", "--hide", "all"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((ONE,), "--out FILE.json"),
        (("--out", "x.json"), "No trace was chosen"),
        ((ONE, "--out", "x.txt"), "must end with .json or .jsonl"),
        (("ffff", "--out", "x.json"), "There is no trace “ffff”"),
        ((ONE, "--out", "no/such/folder/x.json"), "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(
    ragdeck: CommandLine, options: tuple[str, ...], said: str
) -> None:
    assert said in ragdeck.refused("traces", "export", *options)


def test_traces_are_sent_and_counted(ragdeck: CommandLine, endpoint: OtlpEndpoint) -> None:
    assert ragdeck.done("traces", "send", ONE, TWO).out == "2 traces sent.\n"
    assert endpoint.trace_ids == [ONE, TWO]
    report = ragdeck.done("traces", "send", "--application", "bot", "--json").document
    assert (report["sent"], report["endpoint"]) == (1, f"{endpoint.url}/v1/traces")
    assert ragdeck.done("traces", "export-queue", "show").out == "0 traces wait; 3 sent.\n"


def test_what_waits_is_shown_flushed_and_cleared(ragdeck: CommandLine, endpoint: OtlpEndpoint) -> None:
    endpoint.statuses = [503, 503]
    printed = ragdeck("traces", "send", ONE, TWO)
    assert printed.code == 1 and "2 still waiting" in printed.out and "tried again later" in printed.out
    assert ragdeck.done("traces", "export-queue", "show", "--json").document["waiting"] == 2
    assert ragdeck("traces", "export-queue", "flush").code == 1
    assert ragdeck.done("traces", "export-queue", "flush", "--json").document["sent"] == 2
    endpoint.statuses = [503]
    ragdeck("traces", "send", ONE)
    assert ragdeck.done("traces", "export-queue", "clear").out == "1 trace taken out of the queue.\n"
    assert ragdeck.done("traces", "export-queue", "clear", "--json").document == {"cleared": 0}


def test_the_border_holds_on_the_command_line(ragdeck: CommandLine) -> None:
    ragdeck.done("settings", "set", "export.endpoint=http://192.0.2.1:4318/v1/traces")
    printed = ragdeck("traces", "send", ONE)
    assert (
        printed.code == 1
        and "1 refused" in printed.out
        and "“Harbour” may not leave this computer" in printed.out
    )


def test_without_an_endpoint_it_is_said_how_to_name_one(ragdeck: CommandLine) -> None:
    assert "settings set export.endpoint" in ragdeck.refused("traces", "send", ONE)
    assert "pattern" in ragdeck.refused("settings", "set", "export.endpoint=ftp://x").lower()


def test_an_applications_traffic_is_listed_and_becomes_a_set(ragdeck: CommandLine) -> None:
    listed = ragdeck.done("traces", "list", "--application", "bot", "--json").document
    assert [row["id"] for row in listed] == [SENT]
    assert ragdeck.done("traces", "list", "--application", "other", "--json").document == []
    added = ragdeck.done("sets", "from-traces", "Bot", "--application", "bot", "--json").document
    assert (added["set_name"], added["added"]) == ("Bot", 1)
