"""A prompt that cannot answer is refused before it is saved and before a label moves to it."""

from pathlib import Path

import pytest
from fakes import drive
from sqlmodel import select

from rag.asking.answer import answer_question
from rag.asking.rows import Question, get_trace
from rag.errors import RagError
from rag.knowledge.ingest import ingest_files
from rag.prompts.registry import move_label, save_prompt
from rag.prompts.rows import list_prompt_versions, list_prompts, unused_passages
from rag.storage.store import Store
from rag.storage.tables.prompts import PromptVersion
from rag.workspace import Workspace

GOOD = "{% for passage in passages %}[{{ loop.index }}] {{ passage.text }}\n{% endfor %}{{ question }}"


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("Use {{context}} to answer {{question}}", r"{{ context }}.*only\. Did you mean passages\?"),
        ("{{ questoin }} {{ passages }}", r"{{ questoin }}.*Did you mean question\?"),
        ("{{ zebra }} {{ question }}", r"{{ zebra }}, but a prompt is given question and passages only\.$"),
        ("{% for p in passages %}{{ p.txt }}{% endfor %}", r"no attribute 'txt'\. Did you mean text\?"),
        ("{% for p in passages %}{{ p.page_content }}{% endfor %}", r"Did you mean text\?"),
        ("{% if passages %}{{ passages[7].text }}{% endif %}", "cannot be rendered"),
        ("{{ passages[0].text }}", "cannot be rendered"),  # the room for passages is measured without any
    ],
)
def test_a_prompt_that_cannot_answer_is_refused(workspace: Workspace, user: str, message: str) -> None:
    with pytest.raises(RagError, match=message):
        save_prompt(workspace.store, "qa", "", user)
    assert "qa" not in {row.name for row in list_prompts(workspace.database)}, "nothing was stored"


@pytest.mark.parametrize(
    "user",
    [
        GOOD,
        'JSON: {"answer": "", "opts": {}} and \\frac{a}{b}. {{ question }} {{ passages | length }}',
        "{{ question }}",
        "{% for p in passages %}{{ p.document }} {{ p.place }} {{ p.marker }}{% endfor %}{{ question }}",
    ],
)
def test_a_prompt_that_can_is_saved(store: Store, user: str) -> None:
    assert save_prompt(store, "qa", "", user).number == 1


def test_a_label_does_not_move_to_a_version_that_an_older_program_saved_broken(store: Store) -> None:
    save_prompt(store, "qa", "", GOOD)
    with store.session() as session:
        version = session.exec(select(PromptVersion).where(PromptVersion.user == GOOD)).one()
        version.user = "{{ typo }}"
        session.add(version)
    for force in (False, True):
        with pytest.raises(RagError, match=r"{{ typo }}"):
            move_label(store, "qa", "production", 1, force=force, note="now")


def test_the_last_question_that_a_person_asked_is_tried(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    drive(answer_question(workspace, Question("What does rye bread need?", "A")))
    picky = "{% if question.startswith('What does rye') and passages %}{{ passages[40].text }}{% endif %}"
    with pytest.raises(RagError, match="cannot be rendered"):
        save_prompt(workspace.store, "picky", "", picky)


def test_a_prompt_without_passages_says_so_and_its_answers_show_none(
    workspace: Workspace, documents: Path
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    version = save_prompt(workspace.store, "bare", "Be brief.", "{{ question }}")
    assert "answers show no sources" in unused_passages(version.variables)
    assert unused_passages(list_prompt_versions(workspace.database, "default")[0].variables) == ""
    result = drive(answer_question(workspace, Question("What does rye bread need?", "A", prompt="bare")))
    trace = get_trace(workspace.database, result.trace_id)
    assert trace.passage_count == 0 and not any(hit.marker for hit in trace.hits) and trace.hits
    assert trace.claims == () and trace.support_rate is None
    assert "saw no passage" in trace.check_error
    assert any("“bare” does not use the passages" in note for note in trace.fallbacks)
