"""A stored trace as text: its answer first, and the steps of a cascade with what was not given."""

from dataclasses import fields
from typing import Any

import pytest

from rag.asking.cascades.rows import CascadeStepRow
from rag.asking.rows import TraceDetail, TraceStatus
from rag.cli.printing.traces import print_trace, rank_text


def detail(**values: Any) -> TraceDetail:
    empty = {f.name: 0 if "int" in str(f.type) or "float" in str(f.type) else "" for f in fields(TraceDetail)}
    usual = {
        "silent_failures": (),
        "fallbacks": (),
        "hits": (),
        "claims": (),
        "spans": (),
        "status": TraceStatus.DONE,
    }
    return TraceDetail(**{**empty, **usual, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rank", "score", "text"),
    [(None, None, "–"), (3, None, "#3"), (3, 0.51234, "#3 0.512"), (None, 0.5, "– 0.500")],
)
def test_a_rank_is_shown_with_its_score(rank: int | None, score: float | None, text: str) -> None:
    assert rank_text(rank, score) == text


def test_the_steps_of_a_cascade_are_printed_with_their_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    steps = [
        CascadeStepRow(
            "a" * 32, "b" * 32, 1, "small", "1 sentence unsupported", "m", "It needs cheese.", 1.0
        ),
        CascadeStepRow("b" * 32, "b" * 32, 2, "large", "", "m", "It needs sourdough.", 2.0),
    ]
    print_trace(detail(question="What?", answer="It needs sourdough.", prompt="the prompt"), steps)
    out = capsys.readouterr().out
    assert "step 1 small: not given: 1 sentence unsupported (trace aaaaaaaa)\nIt needs cheese." in out
    assert "step 2 large: its answer was given (trace bbbbbbbb)" in out
    assert out.count("It needs sourdough.") == 1
    assert out.rstrip().endswith("the prompt")
