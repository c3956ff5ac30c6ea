"""The prompt of a trace is built again from its stored passages, with the one change and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.asking.replay.prompts import build, build_recorded, changed_hits, check_changes, packed
from rag.asking.replay.rows import Changes, RecordedCall
from rag.asking.rows import TraceDetail
from rag.errors import RagError
from rag.index.rows import Hit
from rag.workspace import Workspace

from .conftest import ReadingModel


def hits(*markers: int | None) -> tuple[Hit, ...]:
    """Return candidates in the order of their ranks, with these markers; texts are a, b, c."""
    return tuple(
        Hit(n, n, f"{n}.txt", "", "", "", None, 0, 1, "abc"[n], 1, rank=n + 1, marker=marker)
        for n, marker in enumerate(markers)
    )


def order_of(trace: TraceDetail, changes: Changes) -> str:
    """Return the texts of the passages in the changed prompt, in its order."""
    made = [hit for hit in changed_hits(trace, changes) if hit.marker is not None]
    assert sorted(hit.marker or 0 for hit in made) == list(range(1, len(made) + 1))
    return "".join(hit.text for hit in sorted(made, key=lambda hit: hit.marker or 0))


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        (Changes(), "bca"),
        (Changes(without=(2,)), "ba"),
        (Changes(order=(3, 1, 2)), "abc"),
        (Changes(without=(1,), order=(3, 2)), "ac"),
        (Changes(without=(1, 2, 3)), ""),
    ],
)
def test_markers_and_not_ranks_say_where_a_passage_stands(
    parent: TraceDetail, changes: Changes, order: str
) -> None:
    trace = replace(parent, hits=hits(3, 1, 2))
    check_changes(trace, changes, None)
    assert [hit.text for hit in packed(trace)] == ["b", "c", "a"]
    assert order_of(trace, changes) == order


def test_a_candidate_that_was_not_in_the_prompt_stays_out_of_it(parent: TraceDetail) -> None:
    trace = replace(parent, hits=hits(1, None, 2))
    made = changed_hits(trace, Changes(without=(1,)))
    assert [hit.marker for hit in made] == [None, None, 1]
    assert [hit.dropped for hit in made] == ["left out of this replay; it was [1]", None, None]
    assert made[2].moves == ("from [2] to [1]",) and made[1] == trace.hits[1]


def test_a_prompt_that_is_not_changed_is_its_own_text(
    workspace: Workspace, parent: TraceDetail, model: ReadingModel
) -> None:
    rendered = len(model.prompts)
    built = build(workspace, parent, Changes(settings=(("generation.seed", 3),)), parent.hits)
    assert built.render(model) == parent.prompt and len(model.prompts) == rendered
    assert built.template is not None and built.template.version == parent.prompt_version


def test_a_prompt_that_is_built_again_is_the_same_as_before(
    workspace: Workspace, parent: TraceDetail, model: ReadingModel
) -> None:
    assert build(workspace, parent, Changes(model="other"), parent.hits).render(model) == parent.prompt


def test_recorded_messages_lose_what_is_left_out_and_nothing_else(parent: TraceDetail) -> None:
    trace = replace(parent, hits=hits(1, 2))
    call = RecordedCall((("system", "Say a."), ("user", "a\nb\nWhy?")), ("a note",))
    built = build_recorded(trace, Changes(without=(2,)), call)
    assert [m["content"] for m in built.messages] == ["Say a.", "a\n\nWhy?"]
    assert built.notes == ("a note",) and built.template is None
    untouched = build_recorded(trace, Changes(), call)
    assert [(m["role"], m["content"]) for m in untouched.messages] == list(call.messages)
    with pytest.raises(RagError, match=r"Passage \[2\] does not stand word for word"):
        build_recorded(trace, Changes(without=(2,)), RecordedCall((("user", "Why?"),)))
