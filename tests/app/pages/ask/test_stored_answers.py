"""Cards of stored answers that a roll-out has given."""

from collections.abc import Callable

from driving import texts
from pytestqt.qtbot import QtBot

from app.pages.ask.cards.answer_card import AnswerCard
from app.pages.ask.cards.blind_card import BlindCard
from app.pages.ask.page import AskPage
from rag.asking.sessions.rows import list_sessions
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.review.rollouts import start_rollout
from rag.review.rows import open_pair
from rag.workspace import Workspace

Send = Callable[[AskPage, str], None]
Settle = Callable[[], None]


def test_a_comparison_is_blind_until_it_is_decided_and_one_answer_afterwards(
    qtbot: QtBot,
    page: AskPage,
    open_page: Callable[[], AskPage],
    open_workspace: Workspace,
    send: Send,
    settle: Settle,
) -> None:
    save_pipeline(
        open_workspace, "short", make_config({"collection": "Notes", "retrieval": {"max_passages": 1}})
    )
    start_rollout(open_workspace, "blind", collection="Notes", staging="short")
    page.refresh()
    send(page, "How long does rye bread rest?")
    assert len(list_sessions(open_workspace.database)) == 1  # the other arm's session is nobody's
    before = page.conversation.cards[0]
    again = open_page()
    card = again.conversation.cards[0]
    assert isinstance(before, BlindCard) and isinstance(card, BlindCard)
    assert (card.first.trace_id, card.second.trace_id) == (before.first.trace_id, before.second.trace_id)
    assert "short" not in texts(card)
    card.pick("first")
    settle()
    shown = again.conversation.turns[0].trace_id
    assert open_pair(open_workspace.database, shown) is None
    decided = open_page().conversation.cards[0]
    assert isinstance(decided, AnswerCard)
    assert decided.trace_id == shown and decided.arm.text().startswith("production: ")
    send(page, "And then?")
    assert len(list_sessions(open_workspace.database)) == 1
