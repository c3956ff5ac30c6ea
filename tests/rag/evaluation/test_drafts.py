"""Drafts that the model writes: filters, decisions, and their erasure."""

import json
from pathlib import Path

import pytest
from fakes import ScriptedModel, drive

from rag.errors import RagError
from rag.evaluation import drafts as generating
from rag.evaluation import rows as evaluation_rows
from rag.evaluation import sets
from rag.governance.erasure import erase_document
from rag.knowledge.collections import delete_collection
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

BREAD = "How long does rye bread rest?"


class Writer(ScriptedModel):
    """Writes the drafts it is given, one after the other, and keeps the grammars."""

    def __init__(self, *written: dict[str, str]) -> None:
        super().__init__()
        self.written, self.grammars = list(written), list[str]()

    def generate(self, tokens, settings, grammar=""):  # type: ignore[no-untyped-def]
        self.grammars.append(grammar)
        self.answer = json.dumps(self.written.pop(0)) if self.written else "{"
        return super().generate(tokens, settings)


def test_drafts_pass_filters_and_wait_for_a_yes(folder: Path, tmp_path: Path) -> None:
    from fakes import FakeEmbedder

    text = (
        "The harbour of Bremen was opened in 1888. Boats to Vegesack leave at noon from pier four every day."
    )
    (tmp_path / "harbour.txt").write_text(text, "utf-8")
    (tmp_path / "stars.txt").write_text(
        "Sirius is the brightest star of the night sky. It is 8.6 light years away from the sun.", "utf-8"
    )
    model = Writer(
        {"question": "What does this passage say of Sirius?", "answer": "Sirius is the brightest star"},
        {"question": "When was the harbour of Bremen opened?", "answer": "It sank in 1750."},
        {"answer": "The harbour of Bremen was opened in 1888.", "question": "When was the harbour opened?"},
    )
    with Workspace(folder, "a test", embedder=FakeEmbedder(), load_model=model.load) as workspace:
        drive(ingest_files(workspace, "Notes", [tmp_path / "harbour.txt", tmp_path / "stars.txt"]))
        seed = next(
            s
            for s in range(50)
            if "Sirius" in generating._passages(workspace, _version(workspace), set(), s)[0].text
        )
        report = drive(generating.generate_drafts(workspace, "auto", "Notes", 2, seed=seed))
        assert (report.tried, report.stored, report.dropped) == (2, 1, (("named the passage", 1),))
        assert "1888" in model.grammars[-1], "the second try was not bound to the passage's sentences"
        (draft,) = evaluation_rows.list_drafts(workspace.database, "auto")
        assert draft.question == "When was the harbour opened?"
        assert draft.marks[-1].detail == "its passage is found at rank 1"
        assert sets.set_cases(workspace.database, "auto") == ()
        case = generating.accept_draft(workspace, draft.id, answer="In 1888.", by="Ann")
        assert sets.set_cases(workspace.database, "auto") == (case,)
        assert (case.origin, case.references) == ("generated", ("In 1888.",))
        assert text.startswith(case.judgements[0].quote[:40])
        with pytest.raises(RagError, match="already been accepted"):
            generating.reject_draft(workspace, draft.id)
        drive(erase_document(workspace, "Notes", "harbour.txt"))
        assert evaluation_rows.list_drafts(workspace.database, state=None) == []
        assert sets.set_cases(workspace.database, "auto")[0].question == "[erased]"


def _version(workspace: Workspace):  # type: ignore[no-untyped-def]
    from rag.knowledge.collections import open_version

    return open_version(workspace, "Notes", None)[1]


def test_a_deleted_collection_takes_its_drafts_along(folder: Path, documents: Path) -> None:
    from fakes import FakeEmbedder

    answer = {"question": "Which star is the brightest one?", "answer": "Sirius is the brightest star."}
    with Workspace(
        folder, "a test", embedder=FakeEmbedder(), load_model=Writer(*[answer] * 9).load
    ) as workspace:
        drive(ingest_files(workspace, "Notes", [documents / "stars.txt"]))
        drive(generating.generate_drafts(workspace, "auto", "Notes", 1))
        assert len(evaluation_rows.list_drafts(workspace.database)) == 1
        delete_collection(workspace, "Notes")
        assert evaluation_rows.list_drafts(workspace.database, state=None) == []


@pytest.mark.models
def test_the_starter_model_writes_drafts_that_parse(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "ferry.txt").write_text(
        "The tide at Bremen rises 3.5 metres at spring tide. Boats for Vegesack leave at noon from pier 4. "
        "The ferry carries 120 people and a crew of six.",
        "utf-8",
    )
    (tmp_path / "bread.txt").write_text(
        "Rye bread needs sourdough and 12 hours of rest. Bake it at 230 degrees for 50 minutes, then let it cool "
        "on a rack for two hours before cutting.",
        "utf-8",
    )
    with Workspace(folder, "a test") as workspace:
        drive(ingest_files(workspace, "Notes", [tmp_path / "ferry.txt", tmp_path / "bread.txt"]))
        writer = generating._Writer(workspace, None)
        passages = generating._passages(workspace, _version(workspace), set(), 1)
        for passage in passages:
            written = drive(writer.write(passage, 0, 1))
            assert written.question.endswith("?") and written.answer
            assert generating.is_in_passage(workspace, written.question, written.answer, passage.text)
        report = drive(generating.generate_drafts(workspace, "auto", "Notes", 2))
        assert report.stored + sum(count for _, count in report.dropped) == report.tried == 2


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("When was the harbour of Bremen opened?", True),
        ("What does the passage say about Bremen?", False),
        ("According to this, when do boats leave Bremen?", False),
        ("When was it opened?", False),
        ("Which table of the kitchen is the largest?", True),
        ("What does this table of Bremen show?", False),
    ],
)
def test_a_question_makes_sense_without_its_passage(question: str, alone: bool) -> None:
    assert generating.stands_alone(question) is alone


def test_an_answer_is_in_its_passage_word_for_word(workspace: Workspace) -> None:
    passage = "The harbour of Bremen was opened in 1888."
    assert generating.is_in_passage(workspace, "When?", "in 1888", passage)
    assert generating.is_in_passage(workspace, "When?", "The Harbour, of Bremen!", passage)
    assert not generating.is_in_passage(workspace, "When?", "It sank in 1750.", passage)
    assert generating.is_in_passage(workspace, "When?", "the har\u00adbour of \uff22remen", passage)


def test_a_number_of_drafts_and_a_missing_draft_are_refused(workspace: Workspace) -> None:
    for count in (0, 1001):
        with pytest.raises(RagError, match="Choose 1 to 1,000 drafts"):
            drive(generating.generate_drafts(workspace, "auto", "Notes", count))
    for decide in (generating.accept_draft, generating.reject_draft):
        with pytest.raises(RagError, match=r"no draft 9\. Run `ragdeck sets drafts SET`"):
            decide(workspace, 9)
