"""`serve --otlp` receives traces in a process of its own until it is interrupted."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openai
import pytest
from command_line import CommandLine
from hypothesis import given
from hypothesis import strategies as st

from rag.cli.serving.serve import _say, _summary, _token
from rag.interchange.checking import is_in_share
from rag.interchange.otlp import to_json, write_request
from rag.interchange.rows import RawSpan
from rag.serving.otlp_receiver import Counts
from rag.settings import ServerSettings

ROOT = Path(__file__).resolve().parents[4]


def test_a_token_must_exist(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ragdeck = CommandLine(folder, capsys)
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    assert "NO_SUCH_TOKEN has no value" in ragdeck("serve", "--otlp", "--token-variable", "NO_SUCH_TOKEN").err


def test_traces_that_were_sent_are_stored_and_the_end_is_summed_up(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, ROOT / "main.py", "serve", "--otlp", "--port", "0", "--data", folder],
        stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stderr is not None
    line = next(line for line in process.stderr if "Receiving" in line)
    address = re.search(r"http://127\.0\.0\.1:\d+/v1/traces", line)
    assert address is not None
    span = RawSpan("ab" * 16, "cd" * 8, "", "chain", 1, 2, {"input.value": "Why?"}, service="bot")
    request = urllib.request.Request(
        address.group(), to_json(write_request([span])).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130 and "1 span received in 1 request." in err
    listed = subprocess.run(
        [sys.executable, ROOT / "main.py", "traces", "list", "--source", "received", "--json", "--data", folder],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    assert [row["question"] for row in json.loads(listed.stdout)] == ["Why?"]


def test_without_options_it_answers_programs_that_have_a_token(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, ROOT / "main.py", "serve", "--port", "0", "--data", folder],
        stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stderr is not None
    line = next(line for line in process.stderr if "OpenAI API" in line)
    address = re.search(r"http://127\.0\.0\.1:\d+/v1", line)
    assert address is not None and "MCP" in next(process.stderr)
    secret = json.loads((folder / "server-tokens.json").read_text("utf-8"))[0]["secret"]
    with openai.OpenAI(base_url=address.group(), api_key=secret, max_retries=0) as client:
        assert [model.id.partition("/")[0] for model in client.models.list()] == ["embedder"]
    with (
        openai.OpenAI(base_url=address.group(), api_key="rd-wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError, match="tokens list --show"),
    ):
        stranger.models.list()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130 and "0 requests answered." in err


def test_an_unknown_tool_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no tool “fly”" in CommandLine(folder, capsys).refused(
        "serve", "--port", "0", "--tools", "ask,fly"
    )


def test_a_share_is_the_same_each_time_and_about_as_large_as_asked() -> None:
    ids = [f"{n:032x}" for n in range(2000)]
    assert not any(is_in_share(i, 0) for i in ids) and all(is_in_share(i, 1) for i in ids)
    assert 0.2 < sum(is_in_share(i, 0.25) for i in ids) / 2000 < 0.3
    assert all(is_in_share(i, 0.5) for i in ids if is_in_share(i, 0.25))


@pytest.mark.parametrize(
    "options",
    [
        ("--port", "70000"),
        ("--port", "-1"),
        ("--port", "http"),
        ("--check-share", "2"),
        ("--check-share", "-1"),
    ],
    ids=" ".join,
)
def test_a_port_or_a_share_out_of_range_is_wrong_usage(
    folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    printed = CommandLine(folder, capsys)("serve", "--otlp", *options)
    assert (printed.code, printed.out) == (2, "") and options[0] in printed.err


def test_an_empty_token_is_no_token(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY_TOKEN", "")
    assert CommandLine(folder, capsys).refused("serve", "--otlp", "--token-variable", "EMPTY_TOKEN") == (
        "The environment variable EMPTY_TOKEN has no value, so there is no token."
    )


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_chooses_all_that_a_smaller_one_does(trace: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert is_in_share(trace, high) or not is_in_share(trace, low)
    assert not is_in_share(trace, 0) and is_in_share(trace, 1)


def stopped(counts: Counts | None = None, total: int = 0, **served: bool) -> Any:
    """Return what a server that was stopped has to say of itself; it serves nothing that is not named."""
    wanted = ServerSettings(**{"openai": False, "mcp": False, "otlp": False, **served})
    return SimpleNamespace(wanted=wanted, received=counts or Counts(), desk=SimpleNamespace(total=total))


@pytest.mark.parametrize(
    ("server", "sentence"),
    [
        (stopped(openai=True), "0 requests answered."),
        (stopped(mcp=True, total=1), "1 request answered."),
        (stopped(openai=True, mcp=True, total=2_000), "2,000 requests answered."),
        (stopped(otlp=True, total=9), "0 spans received in 0 requests."),
        (stopped(Counts(2, 1), otlp=True), "1 span received in 2 requests."),
        (
            stopped(Counts(1, 7), 3, openai=True, otlp=True),
            "3 requests answered; 7 spans received in 1 request.",
        ),
        (
            stopped(Counts(4, 7, 2), otlp=True),
            "7 spans received in 4 requests; 2 refused, 0 requests turned away, 0 not written.",
        ),
        (
            stopped(Counts(4, 7, 0, 1, 5, "The disk is full"), otlp=True),
            "7 spans received in 4 requests; 0 refused, 1 request turned away, 5 not written (The disk is full).",
        ),
        (stopped(Counts(4, 7, 2), openai=True), "0 requests answered."),  # nothing was received
    ],
)
def test_the_end_says_what_was_done(server: Any, sentence: str) -> None:
    assert _summary(server) == sentence


@pytest.mark.parametrize(
    ("sentences", "said", "needs_token"),
    [
        (("OpenAI API at x/v1",), "OpenAI API at x/v1", True),
        (("MCP at x/mcp",), "MCP at x/mcp", True),
        (("Traces (OTLP) at x/v1/traces",), "Receiving traces at x/v1/traces", False),
    ],
)
def test_the_beginning_says_where_and_whether_a_token_is_needed(
    capsys: pytest.CaptureFixture[str], sentences: tuple[str, ...], said: str, needs_token: bool
) -> None:
    server = stopped(openai=said.startswith("OpenAI"), mcp=said.startswith("MCP"), otlp=not needs_token)
    server.served = sentences
    _say(server)
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert (lines[0], lines[-1], printed.out) == (said, "Ctrl+C ends it.", "")
    assert ("Programs need a token: ragdeck tokens list --show" in lines) is needs_token


@pytest.mark.parametrize(("variable", "token"), [("", ""), ("SERVE_TOKEN", "secret")])
def test_a_token_is_the_value_of_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, token: str
) -> None:
    monkeypatch.setenv("SERVE_TOKEN", "secret")
    assert _token(variable) == token


@pytest.mark.parametrize("tools", ["fly", "ask,,fly", " ask , fly ,"])
def test_an_unknown_tool_is_named_whatever_stands_around_it(
    folder: Path, capsys: pytest.CaptureFixture[str], tools: str
) -> None:
    refused = CommandLine(folder, capsys).refused("serve", "--mcp", "--port", "0", "--tools", tools)
    assert refused.startswith("There is no tool “fly”. The tools are collections, search,")
