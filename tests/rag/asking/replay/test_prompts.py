"""The prompt of a trace is built again from its stored passages, with the one change and no other."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.asking.replay.prompts import build, build_recorded, changed_hits, check_changes, packed
from rag.asking.replay.rows import Changes, RecordedCall
from rag.asking.rows import TraceDetail, TraceSource, TraceStatus
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


EMPTY = TraceDetail(
    **{
        **{one.name: "" for one in fields(TraceDetail)},
        "prompt": "as it was asked",
        "status": TraceStatus.DONE,
        "source": TraceSource.PERSON,
    }
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


RECORDED = RecordedCall((("user", "a Why?"),))


@pytest.mark.parametrize(
    ("changes", "recorded", "sentence"),
    [
        (Changes(prompt="p"), RECORDED, "are sent as they were recorded"),
        (Changes(order=(2, 1)), RECORDED, "are sent as they were recorded"),
        (Changes(version="1"), RECORDED, "are sent as they were recorded"),
        (Changes(settings=(("retrieval.candidates", 5),)), RECORDED, "are sent as they were recorded"),
        (Changes(version="1", without=(1,)), None, "Change either the search or the passages"),
        (Changes(settings=(("retrieval.candidates", 5),), order=(2, 1)), None, "Change either the search"),
        (Changes(without=(9,)), None, r"no passage \[9\]\. It has 2, numbered from 1"),
        (Changes(without=(0, 3)), None, r"no passage \[0\], \[3\]\. It has 2"),
        (Changes(order=(1, 2, 3)), None, r"no passage \[3\]"),
        (Changes(order=(1,)), None, r"must name each passage that stays once: 1, 2\."),
        (Changes(order=(1, 1, 2)), None, "must name each passage that stays once: 1, 2"),
        (Changes(order=(1, 2), without=(2,)), None, r"must name each passage that stays once: 1\."),
        (Changes(order=(1, 2), without=(1, 2)), None, "must name each passage that stays once: "),
    ],
    ids=lambda value: value.sentence() if isinstance(value, Changes) else "",
)
def test_changes_that_a_trace_does_not_allow_are_refused(
    changes: Changes, recorded: RecordedCall | None, sentence: str
) -> None:
    with pytest.raises(RagError, match=sentence):
        check_changes(replace(EMPTY, hits=hits(1, 2)), changes, recorded)


@pytest.mark.parametrize(
    "changes",
    [
        Changes(),
        Changes(model="small"),
        Changes(settings=(("generation.seed", 7),)),
        Changes(without=(1,)),
        Changes(without=(1, 2)),
    ],
    ids=Changes.sentence,
)
def test_these_hold_for_recorded_messages_as_well(changes: Changes) -> None:
    trace = replace(EMPTY, hits=hits(1, 2))
    check_changes(trace, changes, None)
    check_changes(replace(trace, prompt=""), changes, RECORDED)


@pytest.mark.parametrize(("prompt", "sentence"), [("", "was not asked"), ("[erased]", "was erased")])
def test_without_its_prompt_a_trace_can_only_be_searched_again(prompt: str, sentence: str) -> None:
    trace = replace(EMPTY, prompt=prompt)
    with pytest.raises(RagError, match=sentence):
        check_changes(trace, Changes(), None)
    check_changes(trace, Changes(version="1"), None)


@given(st.permutations([1, 2, 3]), st.sets(st.integers(1, 3)))
def test_an_order_of_what_stays_is_the_order_of_the_prompt(order: list[int], left: set[int]) -> None:
    staying = tuple(number for number in order if number not in left)
    trace = replace(EMPTY, hits=hits(2, 3, 1))
    texts = {1: "c", 2: "a", 3: "b"}
    made = order_of(trace, Changes(without=tuple(left), order=staying))
    assert made == "".join(texts[number] for number in staying)


def test_a_passage_that_stands_in_several_messages_is_cut_from_all() -> None:
    trace = replace(EMPTY, hits=hits(1, 2))
    call = RecordedCall((("system", "a|b"), ("user", "b, a and a?")))
    built = build_recorded(trace, Changes(without=(1,)), call)
    assert [m["content"] for m in built.messages] == ["|b", "b,  nd ?"]


def test_a_passage_without_text_cannot_be_left_out_of_messages() -> None:
    empty = replace(hits(1)[0], text="")
    with pytest.raises(RagError, match=r"Passage \[1\] does not stand word for word"):
        build_recorded(replace(EMPTY, hits=(empty,)), Changes(without=(1,)), RECORDED)


def test_a_prompt_that_does_not_exist_is_refused(workspace: Workspace, parent: TraceDetail) -> None:
    with pytest.raises(RagError, match="nowhere"):
        build(workspace, parent, Changes(prompt="nowhere"), parent.hits)
    gone = replace(parent, prompt_version_id=None)
    assert build(workspace, gone, Changes(), parent.hits).template is None
    with pytest.raises(RagError, match=r"does not exist any more\. Replay the trace with another prompt"):
        build(workspace, gone, Changes(model="other"), parent.hits)


def test_a_passage_that_is_not_what_it_was_is_refused(workspace: Workspace, parent: TraceDetail) -> None:
    other = tuple(replace(hit, text="something else") for hit in parent.hits)
    with pytest.raises(RagError, match="cannot be built again as it was"):
        build(workspace, replace(parent, hits=other), Changes(without=(1,)), other)
