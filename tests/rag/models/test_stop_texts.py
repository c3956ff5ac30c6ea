"""An answer ends before a stop text, and nothing of one is told, however it is cut into pieces."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from rag.models.chat_model import GenerationEnd, Token
from rag.models.reasoning import AnswerRestarted, WriteEvent, Written
from rag.models.stop_texts import ending_at


def writing(pieces: list[str], written: Written, closed: list[bool] | None = None) -> Iterator[WriteEvent]:
    try:
        for piece in pieces:
            written.answer += piece
            yield Token(piece, -0.5)
        yield GenerationEnd("length", len(pieces))
    finally:
        if closed is not None:
            closed.append(True)


def told(events: Iterator[WriteEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token) and not event.is_thinking)


def test_the_model_is_stopped_where_the_text_begins() -> None:
    written, closed = Written(), list[bool]()
    events = ending_at(
        ["END", "\n\n"], writing(["One", " E", "N", "D two", " three"], written, closed), written
    )
    assert told(events) == "One " == written.answer
    assert written.finish_reason == "stop" and closed == [True]


def test_what_only_looked_like_its_beginning_is_told_in_the_end() -> None:
    written = Written()
    assert (
        told(ending_at(["ENDED"], writing(["The EN", "D"], written), written)) == "The END" == written.answer
    )


def test_without_stop_texts_every_event_is_handed_on() -> None:
    written = Written()
    events = [Token("a", None, is_thinking=True), AnswerRestarted(), GenerationEnd("stop", 0)]
    assert list(ending_at([], iter(events), written)) == events
    assert list(ending_at(["x"], iter(events), written)) == events


def test_an_answer_that_begins_again_is_looked_at_from_its_beginning() -> None:
    written = Written()

    def again() -> Iterator[WriteEvent]:
        yield from writing(["thinking"], written)
        written.answer = ""
        yield AnswerRestarted()
        yield from writing(["Yes", " stop", " no"], written)

    assert told(ending_at([" stop"], again(), written)) == "thinkingYes" and written.answer == "Yes"


def test_a_reader_that_leaves_closes_the_model() -> None:
    written, closed = Written(), list[bool]()
    events = ending_at(["x"], writing(["a", "b"], written, closed), written)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert closed == [True]


@given(st.text("ab", max_size=12), st.lists(st.text("ab", min_size=1, max_size=3), max_size=3), st.data())
def test_pieces_make_no_difference(text: str, stop: list[str], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    written = Written()
    ends = [at for one in stop if (at := text.find(one)) >= 0]
    expected = text[: min(ends)] if ends else text
    assert told(ending_at(stop, writing(pieces, written), written)) == expected
    assert written.answer == expected
