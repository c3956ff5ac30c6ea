"""Commands for the steps of received traces: trees, calls, sessions and the search."""

from pathlib import Path

import pytest
from agent_spans import TRACE, handoff, looping, tool
from command_line import CommandLine

from rag.interchange.receiving import receive
from rag.storage.store import Store


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """A data folder with a handoff in which a tool failed."""
    store = Store(folder / "ragdeck.sqlite")
    receive(store, [*handoff(), tool(40, 5, "[red]open", {"u": 1}, "Error: off", start=15)])
    store.close()
    return CommandLine(folder, capsys)


def test_steps_are_printed_as_a_tree_and_as_json(ragdeck: CommandLine) -> None:
    out = ragdeck.done("traces", "steps", TRACE[:8]).out
    assert "    find_order" in out and "[red]open" in out and "Error: off" in out
    steps = ragdeck.done("traces", "steps", TRACE, "--json").document
    assert len(steps) == 10 and steps[5]["tokens"] == 220 and steps[5]["took_ms"] == 1000
    failed = ragdeck.done("traces", "steps", TRACE, "--errors", "--json").document
    assert [step["name"] for step in failed] == ["[red]open"]
    agents = ragdeck.done("traces", "steps", TRACE, "--kind", "agent", "--json").document
    assert [step["agent"] for step in agents] == ["triage", "refunds"]
    assert "write one of agent," in ragdeck.refused("traces", "steps", TRACE, "--kind", "dream")
    assert "no such step" in ragdeck.done("traces", "steps", TRACE, "--kind", "reranker").out


def test_all_of_one_step_is_printed(ragdeck: CommandLine) -> None:
    out = ragdeck.done("traces", "steps", TRACE, "--step", "8").out
    assert "8. refund  tool" in out and "Refund of 20 EUR was sent" in out and "tool.name: refund" in out
    detail = ragdeck.done("traces", "steps", TRACE, "--step", f"{8:016x}", "--json").document
    assert detail["attributes"]["input.value"] == '{"id": 7}' and detail["step"]["position"] == 8
    assert "no step" in ragdeck.refused("traces", "steps", TRACE, "--step", "77")


def test_calls_of_agents_are_printed(ragdeck: CommandLine, folder: Path) -> None:
    out = ragdeck.done("traces", "agents", TRACE).out
    assert "refunds" in out and "find_order" in out and "Totals" in out
    found = ragdeck.done("traces", "agents", TRACE, "--json").document
    assert {"caller": {"kind": "agent", "name": "triage"}, "callee": {"kind": "agent", "name": "refunds"},
            "count": 1, "errors": 0, "took_ms": 14_000.0} in found["calls"]  # fmt: skip
    store = Store(folder / "ragdeck.sqlite")
    receive(store, looping())
    store.close()
    assert "Loop: search was called 4 times with the same arguments, which spent 330 tokens." in ragdeck.done(
        "traces", "agents", TRACE
    ).out.replace("\n", " ")


def test_a_session_is_listed_with_its_sum(ragdeck: CommandLine) -> None:
    found = ragdeck.done("traces", "session", TRACE, "--json").document
    assert [trace["id"] for trace in found["traces"]] == [TRACE] and found["total"]["tool_errors"] == 1
    assert "600 + 30" in ragdeck.done("traces", "session", TRACE).out
    assert "no trace" in ragdeck.refused("traces", "session", "ffff")


def test_steps_are_found_by_text_name_and_error(ragdeck: CommandLine) -> None:
    (found,) = ragdeck.done("traces", "find-steps", "20 eur", "--json").document
    assert (found["trace_id"], found["name"], found["application"]) == (TRACE, "refund", "desk")
    assert "open" in ragdeck.done("traces", "find-steps", "--errors").out
    assert len(ragdeck.done("traces", "find-steps", "--name", "refund", "-n", "2", "--json").document) == 2
    assert ragdeck.done("traces", "find-steps", "--since", "2099-01-01", "--json").document == []
    assert "No step matches." in ragdeck.done("traces", "find-steps", "unheard of").out
    assert "write one of" in ragdeck.refused("traces", "find-steps", "--kind", "dream")
