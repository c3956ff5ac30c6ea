"""Where guardrail policies act while a question is answered: on the question, passages, prompt and answer.

What they did is on the trace as spans and rows, and in its notes: nothing is hidden or left out silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rag.asking.applications.rows import Caller
from rag.guardrails.injection import neutralise
from rag.guardrails.policies.acting import Checked, Guard, PolicyRefusedError
from rag.guardrails.policies.in_force import policies_for
from rag.guardrails.policies.rows import Action, Place, said_of
from rag.index.rows import Hit
from rag.knowledge.collections import find_collection
from rag.workspace import Workspace


@dataclass(frozen=True)
class CollectionEncoder:
    """The embedder of a collection, found when a rule first needs it; without a collection the starter."""

    workspace: Workspace
    collection: str

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the embedder."""
        if not self.collection:
            return self.workspace.embedder.fingerprint
        with self.workspace.store.session() as session:
            return find_collection(session, self.collection).embedder

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return a vector for each text."""
        if not self.collection:
            return self.workspace.encode(texts)
        with self.workspace.store.session() as session:
            found = find_collection(session, self.collection)
        embedder = self.workspace.embedder_of(found.embedder, found.embedder_name, found.name)
        return self.workspace.encode(texts, embedder)


def guard_of(workspace: Workspace, collection: str, references: Iterable[str] = ()) -> Guard:
    """Return the policies that act on a collection's texts, and those that a pipeline names besides.

    Raises NotFoundError for a policy that there is not.
    """
    policies = policies_for(workspace.database, collection, references)
    return Guard(policies, CollectionEncoder(workspace, collection))


def check_text(
    workspace: Workspace, place: Place, text: str, collection: str = "", references: Iterable[str] = ()
) -> Checked:
    """Apply the policies for a place to a text that comes in or goes out, such as through the server.

    The caller stores the results (rag.guardrails.policies.recording) with what it stores of the text.
    """
    return guard_of(workspace, collection, references).check(place, text)


def check_question(guard: Guard, text: str, is_confirmed: bool, caller: Caller | None = None) -> Checked:
    """Apply policies to a question before anything of it is stored.

    Args:
        guard: The policies.
        text: The question.
        is_confirmed: A person has said yes to what a policy asks.
        caller: The program that asks; the rules for the server or for MCP look at its question first.

    Raises:
        PolicyRefusedError: A person must say yes first; then there is no trace.
    """
    if caller is None:
        found = guard.check(Place.QUESTION, text)
    else:
        came = guard.check(Place.MCP if caller.is_agent else Place.SERVER, text)
        asked = guard.check(Place.QUESTION, came.text)
        found = replace(
            asked, results=(*came.results, *asked.results), refusal=came.refusal or asked.refusal,
            question=came.question or asked.question,
        )  # fmt: skip
    if found.question and not found.refusal and not is_confirmed:
        raise PolicyRefusedError(found.question, needs_yes=True)
    return found


def check_passages(guard: Guard, hits: Sequence[Hit], known: dict[str, Checked]) -> tuple[Hit, ...]:
    """Return candidates as the policies leave them: masked, or dropped with the reason.

    Args:
        guard: The policies.
        hits: The candidates.
        known: Texts that were looked at before, so that each is looked at and recorded once.
    """
    return tuple(_checked_hit(guard, hit, known) for hit in hits)


def _checked_hit(guard: Guard, hit: Hit, known: dict[str, Checked]) -> Hit:
    if hit.text not in known:
        found = known[hit.text] = guard.check(Place.PASSAGES, hit.text, document=hit.document)
        known.setdefault(found.text, replace(found, results=()) if not found.is_left_out else found)
    found = known[hit.text]
    if hit.dropped is None and found.is_left_out:
        return replace(hit, text=found.text, dropped=found.reason)
    return hit if found.text == hit.text else replace(hit, text=found.text)


def refuse_unconfirmed(checked: Iterable[Checked], is_confirmed: bool) -> None:
    """Raise PolicyRefusedError when a policy asks and nobody has said yes."""
    question = next((one.question for one in checked if one.question), "")
    if question and not is_confirmed:
        raise PolicyRefusedError(question, needs_yes=True)


def check_prompt(
    guard: Guard, messages: Sequence[dict[str, str]], sent_to: str, is_confirmed: bool
) -> list[dict[str, str]]:
    """Return the messages that the model reads, as the policies leave them.

    Raises PolicyRefusedError where a policy refuses them, or asks and nobody has said yes.
    """
    if not guard.acts_at(Place.PROMPT):
        return list(messages)
    checked = [guard.check(Place.PROMPT, message["content"], leaves=bool(sent_to)) for message in messages]
    for one in checked:
        if one.refusal:
            raise PolicyRefusedError(one.refusal)
    refuse_unconfirmed(checked, is_confirmed)
    return [{**message, "content": one.text} for message, one in zip(messages, checked, strict=True)]


def holds_answer(guard: Guard) -> bool:
    """Return whether an answer may only be shown once it is whole: a policy may mask or refuse it."""
    return guard.acts_at(Place.ANSWER, actions=(Action.MASK, Action.REFUSE))


def check_answer_text(guard: Guard, answer: str, thinking: str) -> tuple[str, str, str]:
    """Return the answer and the thinking as the policies leave them, and the refusal if there is one."""
    found = guard.check(Place.ANSWER, answer)
    hidden = guard.mask_only(Place.ANSWER, thinking) if thinking else ""
    if found.refusal:  # what was thought says the same in other words
        return found.refusal, "", found.refusal
    return found.text, hidden, ""


def counting(count_tokens: Callable[[str], int]) -> Callable[[str], int]:
    """Return what counts a text's tokens as it will stand in the prompt: without template tokens."""
    return lambda text: count_tokens(neutralise(text))


def harmless_note(hits: Sequence[Hit]) -> str:
    """Say in how many passages template tokens were neutralised; "" for none."""
    count = sum(neutralise(hit.text) != hit.text for hit in hits)
    if not count:
        return ""
    where = "a passage" if count == 1 else f"{count} passages"
    return f"tokens of chat templates in {where} were made harmless"


def notes_of(guard: Guard, begin: int = 0) -> list[str]:
    """Return what the policies did since they had found so much, as notes of a trace."""
    said = said_of(guard.results[begin:])
    return said.split("; ") if said else []
