"""Shows what a prompt template makes of a stored question and its passages."""

from __future__ import annotations

from typing import Any

from rag.asking.rows import get_trace
from rag.errors import RagError
from rag.prompts.rows import PromptPreview
from rag.prompts.templates import PromptTemplate, template_variables
from rag.prompts.trial import refuse_broken
from rag.workspace import Workspace


def preview_prompt(
    workspace: Workspace, system: str, user: str, question: str, trace_id: str
) -> PromptPreview:
    """Fill in a template with a question and the passages of a trace, and count its tokens.

    Without a question the trace's own is used. What is wrong with the template is in the result's error.
    """
    hits: tuple[Any, ...] = ()
    if trace_id:
        detail = get_trace(workspace.database, trace_id)
        hits = tuple(hit for hit in detail.hits if hit.marker is not None)
        question = question or detail.question
    variables: tuple[str, ...] = ()
    try:
        variables = tuple(
            sorted({*template_variables(system, "system part"), *template_variables(user, "user part")})
        )
        template = PromptTemplate("preview", system, user)
        messages = template.messages(question or "…", hits)
        with workspace.store.session() as session:
            refuse_broken(session, template)
    except RagError as error:
        return PromptPreview("", None, "", variables, len(hits), str(error))
    model = workspace.loaded_model
    tokens = None if model is None else len(model.tokenize_prompt(model.render_chat(messages)))
    text = "\n\n".join(f"{message['role']}\n{message['content']}" for message in messages)
    return PromptPreview(text, tokens, model.name if model else "", variables, len(hits), "")
