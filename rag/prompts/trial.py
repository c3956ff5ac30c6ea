"""Tries a prompt before it is saved and before a label moves to it: what cannot be rendered cannot answer.

A template compiles although it asks for a variable that no prompt is given, or for something that a passage
does not have. Every question would then fail. So both parts are rendered with a made-up question, and with
the last question that a person asked and the passages of its prompt.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields

from sqlmodel import Session, col, select

from rag.errors import RagError
from rag.index.rows import Hit
from rag.prompts.templates import PromptTemplate, template_variables
from rag.storage.tables.traces import Trace, TraceHit

VARIABLES = ("question", "passages")
# What other programs call them.
_OTHER_NAMES = {
    "context": "passages", "contexts": "passages", "chunks": "passages", "documents": "passages",
    "docs": "passages", "sources": "passages", "context_str": "passages", "retrieved_contexts": "passages",
    "query": "question", "input": "question", "user_input": "question", "query_str": "question",
    "content": "text", "page_content": "text", "body": "text", "source": "document", "name": "document",
}  # fmt: skip
_NO_ATTRIBUTE = re.compile(r"has no attribute '(\w+)'")
_QUESTION = 'What does "{{ x }}" cost, <b>5 %</b> or {1}?'
_TEXT = "Passage: {{ y }} {} 5 %."
_PASSAGES = tuple(
    Hit(n, n, f"document {n}.md", f"/documents/{n}.md", "", "", n, 0, 24, _TEXT, 8, rank=n, marker=n)
    for n in (1, 2, 3)
)


def refuse_broken(session: Session, template: PromptTemplate) -> None:
    """Raise RagError when a prompt asks for what it is not given, or cannot be rendered."""
    _refuse_unknown(template)
    for question, passages in _questions(session):
        # Without passages, too: so the room that a prompt leaves for them is measured.
        for given in ((), passages[:1], passages):
            try:
                template.messages(question, given)
            except RagError as error:
                raise RagError(f"{error}{_attribute_advice(str(error))}") from error


def _refuse_unknown(template: PromptTemplate) -> None:
    for part, text in (("system part", template.system), ("user part", template.user)):
        unknown = [name for name in template_variables(text, part) if name not in VARIABLES]
        if unknown:
            name = unknown[0]
            meant = _meant(name, VARIABLES)
            advice = f" Did you mean {meant}?" if meant else ""
            raise RagError(
                f"The {part} of “{template.name}” uses {{{{ {name} }}}}, but a prompt is given question and "
                f"passages only.{advice}"
            )


def _questions(session: Session) -> Iterator[tuple[str, Sequence[Hit]]]:
    """Yield a made-up question, and the last one that a person asked, each with its passages."""
    yield _QUESTION, _PASSAGES
    last = session.exec(
        select(Trace).where(Trace.source == "person").order_by(col(Trace.created_ms).desc()).limit(1)
    ).first()
    if last is None:
        return
    rows = session.exec(
        select(TraceHit)
        .where(TraceHit.trace_id == last.id, col(TraceHit.marker).is_not(None))
        .order_by(col(TraceHit.marker))
    ).all()
    names = [one.name for one in fields(Hit) if one.name not in ("lists", "moves")]
    yield last.question, [Hit(**{name: getattr(row, name) for name in names}) for row in rows]


def _attribute_advice(sentence: str) -> str:
    """Return what an unknown attribute of a passage could have meant."""
    found = _NO_ATTRIBUTE.search(sentence)
    if found is None:
        return ""
    known = [one.name for one in fields(Hit)]
    meant = _meant(found[1], known)
    return f" Did you mean {meant}?" if meant else f" A passage has {', '.join(known)}."


def _meant(name: str, known: Sequence[str]) -> str:
    """Return the known name that an unknown one most likely stands for; empty: none."""
    other = _OTHER_NAMES.get(name.lower(), "")
    near = difflib.get_close_matches(name, known, 1, 0.6)
    return other if other in known else near[0] if near else ""
