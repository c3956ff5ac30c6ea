"""Builds the prompt of a trace again from what is stored of it, with passages left out or in another order.

Nothing is searched for, so that what changes in the answer is due to the one change. What cannot be built
again as it was is refused with a sentence, never replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.asking.answer import Turn, earlier_turns
from rag.asking.query import points_back
from rag.asking.replay.rows import Changes, RecordedCall
from rag.asking.rows import TraceDetail
from rag.errors import RagError
from rag.index.rows import Hit
from rag.models.chat_model import ChatModel
from rag.prompts.registry import find_prompt
from rag.prompts.templates import PromptTemplate
from rag.storage.tables.prompts import Prompt, PromptVersion
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

ERASED = "[erased]"  # what an erasure leaves in place of a prompt or passage: rag.governance.erased_rows


@dataclass(frozen=True)
class Built:
    """A prompt that was built again: the conversation, or the text itself where that is as it was."""

    messages: tuple[dict[str, str], ...] = ()
    text: str = ""
    template: PromptTemplate | None = None
    notes: tuple[str, ...] = ()

    def render(self, model: ChatModel) -> str:
        """Return the text that the model reads."""
        return self.text or model.render_chat(self.messages)


def check_changes(parent: TraceDetail, changes: Changes, recorded: RecordedCall | None) -> None:
    """Refuse changes that a trace does not allow. Raises RagError."""
    if recorded is not None and (changes.prompt or changes.order or changes.searches):
        raise RagError(
            "The messages of a received trace are sent as they were recorded. Change the model, a setting of "
            "“generation”, or leave passages out."
        )
    if changes.searches and changes.moves_passages:
        raise RagError(
            "Another search finds other passages, so their numbers say nothing there. Change either the "
            "search or the passages."
        )
    if not changes.searches and not parent.prompt and recorded is None:
        raise RagError("The model was not asked in this trace, so there is no prompt to answer again.")
    if not changes.searches and parent.prompt == ERASED:
        raise RagError(
            "A document of this trace was erased, and its prompt with it, so it cannot be answered again."
        )
    known = [hit.marker for hit in packed(parent)]
    if unknown := sorted({*changes.without, *changes.order} - set(known)):
        raise RagError(
            f"The prompt has no passage {', '.join(f'[{n}]' for n in unknown)}. It has {len(known)}, "
            "numbered from 1."
        )
    staying = [marker for marker in known if marker not in changes.without]
    if changes.order and sorted(changes.order) != staying:
        listed = ", ".join(str(marker) for marker in staying)
        raise RagError(f"The new order must name each passage that stays once: {listed}.")


def packed(trace: TraceDetail) -> list[Hit]:
    """Return the passages of a trace's prompt in their order."""
    return sorted((hit for hit in trace.hits if hit.marker is not None), key=lambda hit: hit.marker or 0)


def changed_hits(parent: TraceDetail, changes: Changes) -> tuple[Hit, ...]:
    """Return the candidates of a trace with their markers in the changed prompt, from 1 without gaps."""
    staying = [hit.marker for hit in packed(parent) if hit.marker not in changes.without]
    order = changes.order or staying
    numbers = {old: new for new, old in enumerate(order, 1)}
    made = []
    for hit in parent.hits:
        if hit.marker in changes.without:
            hit = replace(hit, marker=None, dropped=f"left out of this replay; it was [{hit.marker}]")
        elif hit.marker is not None:
            new = numbers[hit.marker]
            moves = hit.moves if new == hit.marker else (*hit.moves, f"from [{hit.marker}] to [{new}]")
            hit = replace(hit, marker=new, moves=moves)
        made.append(hit)
    return tuple(made)


def build(workspace: Workspace, parent: TraceDetail, changes: Changes, hits: Sequence[Hit]) -> Built:
    """Return the prompt of a trace with its changes. Raises RagError when it cannot be built again."""
    if not (changes.model or changes.prompt or changes.moves_passages):
        return Built(text=parent.prompt, template=_own_template(workspace, parent, needed=False))
    if changes.prompt:
        template = find_prompt(workspace.store, changes.prompt)
    else:
        found = _own_template(workspace, parent, needed=True)
        assert found is not None
        template = found
    history = _history(workspace, parent)
    if not changes.prompt:
        before = template.messages(parent.question, packed(parent), history)
        if any(message["content"].strip() not in parent.prompt for message in before):
            raise RagError(
                "The prompt of this trace cannot be built again as it was: a passage, or a question before "
                "it, is not what it was."
            )
    passages = sorted((hit for hit in hits if hit.marker is not None), key=lambda hit: hit.marker or 0)
    return Built(tuple(template.messages(parent.question, passages, history)), template=template)


def build_recorded(parent: TraceDetail, changes: Changes, recorded: RecordedCall) -> Built:
    """Return the messages of a received trace, passages cut where they stand in them word for word.

    Raises RagError for a passage that does not.
    """
    messages = [{"role": role, "content": content} for role, content in recorded.messages]
    for hit in packed(parent):
        if hit.marker not in changes.without:
            continue
        if not any(hit.text and hit.text in message["content"] for message in messages):
            raise RagError(
                f"Passage [{hit.marker}] does not stand word for word in the recorded messages, so it "
                "cannot be left out."
            )
        messages = [{**m, "content": m["content"].replace(hit.text, "")} for m in messages]
    return Built(tuple(messages), notes=recorded.notes)


def _own_template(workspace: Workspace, parent: TraceDetail, *, needed: bool) -> PromptTemplate | None:
    """Return the version of the prompt that a trace used; None or RagError when it is gone."""
    with workspace.store.session() as session:
        version = session.get(PromptVersion, parent.prompt_version_id or 0)
        found = session.get(Prompt, version.prompt_id) if version is not None else None
        if version is not None and found is not None and version.fingerprint == parent.prompt_fingerprint:
            return PromptTemplate(found.name, version.system, version.user, version.id, version.number)
    if not needed:
        return None
    name = (
        f"“{parent.prompt_name}” version {parent.prompt_version}" if parent.prompt_name else "of this trace"
    )
    raise RagError(f"The prompt {name} does not exist any more. Replay the trace with another prompt.")


def _history(workspace: Workspace, parent: TraceDetail) -> list[tuple[str, str]]:
    """Return the earlier turns that stand in a trace's prompt. Raises RagError when one was deleted."""
    if not parent.parent_id or not points_back(parent.question):
        return []
    with workspace.store.session() as session:
        trace = session.get(Trace, parent.id)
        gone = session.get(Trace, parent.parent_id) is None
    if trace is None or gone:
        raise RagError("The question before this one was deleted, so its prompt cannot be built again.")
    turns: list[Turn] = earlier_turns(workspace, trace)
    return [
        (t.question, t.answer) for t in turns if t.question in parent.prompt and t.answer in parent.prompt
    ]
