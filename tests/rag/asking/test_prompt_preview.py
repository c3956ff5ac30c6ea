"""A template is shown filled in with a stored question, and what is wrong with it is said."""

import pytest

from rag.asking.prompt_preview import preview_prompt
from rag.errors import NotFoundError
from rag.workspace import Workspace

USER = "{% for p in passages %}[{{ p.marker }}] {{ p.text }}\n{% endfor %}{{ question }}"


def test_a_preview_has_the_passages_of_the_trace_and_its_tokens(asked: tuple[Workspace, str]) -> None:
    workspace, trace_id = asked
    preview = preview_prompt(workspace, "Be brief.", USER, "", trace_id)
    assert preview.error == ""
    assert preview.text.startswith("system\nBe brief.\n\nuser\n[1] ")
    assert preview.text.endswith("What does rye bread need?")
    assert preview.passages > 0 and preview.variables == ("passages", "question")
    assert preview.tokens and preview.model == "scripted"
    assert preview_prompt(workspace, "", USER, "Another?", trace_id).text.endswith("Another?")


def test_without_a_trace_and_a_model_the_question_alone_is_filled_in(workspace: Workspace) -> None:
    workspace.unload_model()
    preview = preview_prompt(workspace, "", USER, "", "")
    assert (preview.text, preview.tokens, preview.model, preview.passages) == (
        "system\n\n\nuser\n…",
        None,
        "",
        0,
    )


def test_what_is_wrong_with_a_template_is_said_and_not_raised(workspace: Workspace) -> None:
    assert "system part" in preview_prompt(workspace, "{% for %}", "x", "", "").error
    assert "'nothing' is undefined" in preview_prompt(workspace, "", "{{ nothing }}", "", "").error
    with pytest.raises(NotFoundError):
        preview_prompt(workspace, "", "x", "", "gone")
