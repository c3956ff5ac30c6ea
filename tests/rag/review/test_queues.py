"""What people say of answers: feedback, the review queue, drafts that the model writes, and their erasure."""

import csv
import json
from pathlib import Path

import pytest
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question, get_trace
from rag.cli import run
from rag.errors import RagError
from rag.evaluation import drafts as generating
from rag.evaluation import rows as evaluation_rows
from rag.evaluation import sets
from rag.governance.erasure import erase_document
from rag.knowledge.collections import delete_collection
from rag.knowledge.ingest import ingest_files
from rag.review import rows as people
from rag.review.feedback import add_feedback, make_feedback_case, remove_feedback
from rag.review.queues import (
    export_reviews,
    fill_queue,
    make_cases,
    make_review_case,
    reviewer_agreement,
    save_verdict,
)
from rag.workspace import Workspace

BREAD = "How long does rye bread rest?"


def asked(workspace: Workspace, answer: str, question: str = BREAD) -> str:
    model = workspace.loaded_model
    assert isinstance(model, ScriptedModel)
    model.answer = answer
    return str(drive(answer_question(workspace, Question(question, "Notes"))).trace_id)


@pytest.fixture
def notes(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "Notes", [documents]))
    return workspace


def test_a_thumbs_down_with_its_correction_becomes_a_case(notes: Workspace) -> None:
    trace = asked(notes, "Rye bread rests for 3 hours [1].")
    with pytest.raises(RagError, match="needs a note"):
        add_feedback(notes, trace, False, reason="other")
    with pytest.raises(RagError, match="not a reason"):
        add_feedback(notes, trace, False, reason="bad")
    add_feedback(notes, trace, False, reason="wrong", author="Ann", tags=["bread", "bread", " "])
    with pytest.raises(RagError, match="Write a correction first"):
        make_feedback_case(notes, trace, "gold", author="Ann")
    add_feedback(notes, trace[:8], False, reason="wrong", correction="12 hours", author="Ann", tags=["bread"])
    add_feedback(notes, trace, True, author="Bob")
    rows = people.list_feedback(notes.database, trace_id=trace)
    assert {(row.author, row.is_up, row.tags) for row in rows} == {
        ("Ann", False, ("bread",)),
        ("Bob", True, ()),
    }
    case = make_feedback_case(notes, trace, "gold", relevant=[1], author="Ann")
    stored = sets.set_cases(notes.database, "gold")
    assert stored == (case,)
    assert case.references == ("12 hours",)
    assert "sourdough and 12 hours" in case.judgements[0].quote
    assert people.list_feedback(notes.database, is_up=False)[0].case_key == case.key
    with pytest.raises(RagError, match=r"no passage \[9\]"):
        make_feedback_case(notes, trace, "gold", relevant=[9], author="Ann")
    add_feedback(notes, trace, False, reason=people.Reason.SHOULD_HAVE_REFUSED, author="Cem")
    refusing = make_feedback_case(notes, trace, "gold", relevant=[1], author="Cem")
    assert (refusing.should_refuse, refusing.references, refusing.judgements) == (True, (), ())
    remove_feedback(notes, trace, "Bob")
    assert len(people.list_feedback(notes.database)) == 2


def test_the_queue_takes_answers_by_source_and_none_twice(notes: Workspace) -> None:
    good = asked(notes, "Rye bread needs sourdough and 12 hours of rest [1].")
    flagged = asked(notes, "Rye bread needs 90 hours of rest [1].")
    down = asked(notes, "Sirius is the brightest star [1].", "Which is the brightest star?")
    add_feedback(notes, down, False, reason="style")
    assert get_trace(notes.database, flagged).flag_count and not get_trace(notes.database, good).flag_count
    assert fill_queue(notes, "Week 1", {"flagged": 5, "thumbs-down": 5}) == 2
    assert fill_queue(notes, "Week 1", {"flagged": 5, "random": 5}) == 1
    items = people.list_review_items(notes.database, "Week 1", "Ann")
    assert [(item.trace_id, item.why) for item in items] == [
        (flagged, "flagged"),
        (down, "thumbs-down"),
        (good, "random"),
    ]
    assert fill_queue(notes, "Low", {"low score": 1}) == 1
    assert people.list_review_items(notes.database, "Low", "Ann")[0].trace_id == flagged
    assert fill_queue(notes, "Elsewhere", {"random": 5}, collection="Other") == 0


def test_a_reviewer_judges_blind_and_agreement_is_measured(notes: Workspace, tmp_path: Path) -> None:
    for number in range(4):
        asked(notes, f"Rye bread needs {12 + number} hours of rest [1].")
    fill_queue(notes, "Q", {"random": 4})
    items = [item.id for item in people.list_review_items(notes.database, "Q", "Ann")]
    verdicts = {"Ann": ["correct", "wrong", "wrong", "skip"], "Bob": ["correct", "wrong", "partly", "wrong"]}
    for item, verdict in zip(items, verdicts["Ann"], strict=True):
        save_verdict(notes, item, "Ann", verdict, reason="wrong" if verdict == "wrong" else "")
    before = people.list_review_items(notes.database, "Q", "Bob")
    assert all(item.own is None and item.others == () for item in before)
    assert people.progress_sentence(before) == "0 of 4 reviewed"
    for item, verdict in zip(items, verdicts["Bob"], strict=True):
        save_verdict(notes, item, "Bob", verdict, correction="12 hours", relevant=[1])
    after = people.list_review_items(notes.database, "Q", "Bob")
    assert [item.others[0].verdict for item in after] == verdicts["Ann"]
    assert all(item.own is not None for item in after)
    (found,) = reviewer_agreement(notes.database, "Q")
    # Of three items two agree; by chance (1*1 + 2*1 + 0)/9 = 1/3 would: (2/3 - 1/3) / (1 - 1/3).
    assert (found.items, found.agreed) == (3, 2)
    assert found.kappa == pytest.approx(0.5)
    assert [(d.item_id, d.first, d.second) for d in found.disagreements] == [(items[2], "wrong", "partly")]
    assert make_cases(notes, "Q", "reviewed") == (3, 1)
    assert {case.references for case in sets.set_cases(notes.database, "reviewed")} == {("12 hours",)}
    single = make_review_case(notes, items[0], "Ann", "single")
    assert single.references[0].startswith("Rye bread needs")
    assert export_reviews(notes.database, "Q", tmp_path / "q.csv") == 8
    lines = list(csv.DictReader((tmp_path / "q.csv").open(encoding="utf-8")))
    assert {line["reviewer"] for line in lines} == {"Ann", "Bob"}


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


def test_an_erased_document_leaves_what_people_wrote(notes: Workspace) -> None:
    bread = asked(notes, "Rye bread needs 90 hours [1].")
    secret = "The dough from Bremen sleeps half a day before it is baked."
    add_feedback(notes, bread, False, correction=secret, note=secret, tags=["dough"])
    fill_queue(notes, "Q", {"random": 5})
    item = people.list_review_items(notes.database, "Q", "Ann")[0]
    save_verdict(notes, item.id, "Ann", "wrong", correction=secret)
    make_review_case(notes, item.id, "Ann", "gold")
    drive(erase_document(notes, "Notes", "bread.md"))
    (row,) = people.list_feedback(notes.database)
    assert (row.is_up, row.correction, row.note, row.tags) == (False, "", "", ())
    own = people.list_review_items(notes.database, "Q", "Ann")[0].own
    assert own is not None and (own.verdict, own.correction) == ("wrong", "")
    notes.database.close()
    for path in notes.folder.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


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


def test_the_command_line_reviews_and_rates(
    notes: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    trace = asked(notes, "Rye bread needs 90 hours of rest [1].")
    folder = str(notes.folder)
    notes.close()

    def ragdeck(*arguments: str) -> str:
        code = run([*arguments, "--data", folder])
        found = capsys.readouterr()
        assert code == 0, found.err
        return found.out

    ragdeck(
        "feedback", "add", trace, "--down", "--reason", "wrong", "--correction", "12 hours", "--by", "Ann"
    )
    assert json.loads(ragdeck("feedback", "list", "--down", "--json"))[0]["correction"] == "12 hours"
    ragdeck("feedback", "to-case", trace[:8], "gold", "--relevant", "1", "--by", "Ann")
    ragdeck("review", "fill", "Q", "--source", "thumbs-down=5")
    item = json.loads(ragdeck("review", "next", "Q", "--by", "Ann", "--json"))
    assert item["why"] == "thumbs-down"
    ragdeck("review", "judge", str(item["item"]), "wrong", "--correction", "12 hours", "--by", "Ann")
    ragdeck("review", "judge", str(item["item"]), "wrong", "--by", "Bob")
    assert json.loads(ragdeck("review", "agreement", "Q", "--json"))[0]["agreed"] == 1
    assert "Made 1 case in gold" in ragdeck("review", "to-set", "Q", "gold")
    ragdeck("review", "export", "Q", str(tmp_path / "q.jsonl"))
    assert len((tmp_path / "q.jsonl").read_text("utf-8").splitlines()) == 2
    assert run(["feedback", "add", trace, "--data", folder]) == 1
    assert "--up or --down" in capsys.readouterr().err


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
