"""Two versions of a collection, searched for the same questions."""

from pathlib import Path

import pytest
from fakes import drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.errors import RagError
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.sets import change_set, create_set
from rag.evaluation.version_comparison import compare_searches, compare_versions, upgrade_search
from rag.knowledge.ingest import ingest_files
from rag.knowledge.search_settings import set_retrieval, settings_for
from rag.settings import RetrievalSettings, preset, preset_of
from rag.workspace import Workspace


@pytest.fixture
def changed(workspace: Workspace, documents: Path) -> Workspace:
    """A collection whose second version has another text about bread."""
    drive(ingest_files(workspace, "A", [documents]))
    (documents / "bread.md").write_text("# Bread\n\nWheat bread needs yeast.\n", "utf-8")
    drive(ingest_files(workspace, "A", [documents / "bread.md"]))
    return workspace


def test_the_same_version_has_the_same_hits(changed: Workspace) -> None:
    found = drive(compare_versions(changed, "A", 1, 1, ["What does rye bread need?", "brightest star"]))
    assert (found.old_number, found.new_number, found.overlap) == (1, 1, 1.0)
    for query in found.queries:
        assert query.shared == query.old_count == query.new_count > 0
        assert all(old == new for _, _, old, new in query.changes)
        assert query.old_metrics is None
    assert found.metrics == {}


def test_judged_files_give_metrics_of_both_versions(changed: Workspace, tmp_path: Path) -> None:
    judged = tmp_path / "judged.jsonl"
    judged.write_text('{"question": "Sirius brightest star", "documents": ["stars.txt"]}\n', "utf-8")
    found = drive(compare_versions(changed, "A", 1, 2, judged=str(judged), k=3))
    assert set(found.metrics) == {"recall@3", "hit rate", "MRR"}
    assert found.metrics["MRR"] == (1.0, 1.0, 1)
    assert found.queries[0].query == "Sirius brightest star"


def test_a_set_gives_the_questions_and_what_is_certain(changed: Workspace) -> None:
    create_set(changed, "Gold")
    judged = [Judgement(document="bread.md")]
    change_set(changed, "Gold", put=[
        *(Case(question=f"What does rye bread need, number {n}?", judgements=judged) for n in range(7)),
        Case(question="Which is the brightest star?"),
    ])  # fmt: skip
    found = drive(compare_versions(changed, "A", 1, 2, set_name="Gold"))
    assert len(found.queries) == 8 and found.metrics["MRR"][2] == 7
    assert found.sentence.endswith(".") and "certain" in found.sentence
    assert drive(compare_versions(changed, "A", 1, 2, ["bread"])).sentence == ""
    with pytest.raises(RagError, match="no evaluation set named"):
        drive(compare_versions(changed, "A", 1, 2, set_name="None"))


def test_questions_of_people_are_the_default(changed: Workspace) -> None:
    drive(answer_question(changed, Question("Which is the brightest star?", "A")))
    drive(answer_question(changed, Question("From a run?", "A", source="evaluation")))
    found = drive(compare_versions(changed, "A", 1, 2))
    asked = [query.query for query in found.queries]
    assert asked[0] == "Which is the brightest star?"
    assert len(asked) > 1, "the verification queries come after what people asked"
    assert "From a run?" not in asked


def test_nothing_to_ask_and_a_wrong_file_are_refused(changed: Workspace, tmp_path: Path) -> None:
    with changed.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM verificationquery")
    with pytest.raises(RagError, match="no questions to compare with yet"):
        drive(compare_versions(changed, "A", 1, 2))
    bad = tmp_path / "bad.jsonl"
    bad.write_text("not json\n", "utf-8")
    with pytest.raises(RagError, match=r"bad\.jsonl, line 1: this is not JSON"):
        drive(compare_versions(changed, "A", 1, 2, judged=str(bad)))


# --- two searches of one version --------------------------------------------------------------------------


def test_a_search_compared_with_itself_changes_nothing(changed: Workspace) -> None:
    found = drive(compare_searches(changed, "A", RetrievalSettings(), ["bread", "brightest star"]))
    assert (found.old, found.new, found.overlap) == ("Balanced", "Balanced", 1.0)
    assert found.old_ms > 0 and found.new_ms > 0


def test_a_question_that_finds_something_else_is_counted(changed: Workspace) -> None:
    set_retrieval(changed, "A", "Classic", {"min_similarity": 0.9})
    found = drive(compare_searches(changed, "A", preset("Balanced"), ["Where does one find yeast?"]))
    (query,) = found.queries
    assert query.old_count < query.new_count
    assert found.old == "Custom"


def test_nothing_asked_is_nothing_compared(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "B", [documents / "stars.txt"]))
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM verificationquery")
    found = drive(compare_searches(workspace, "B", preset("Fast")))
    assert (found.queries, found.overlap) == ((), None)


def test_an_upgrade_makes_what_is_missing_and_changes_the_search(changed: Workspace) -> None:
    set_retrieval(changed, "A", "Classic")
    with changed.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM partembedding")
    compared = drive(upgrade_search(changed, "A", "Thorough", keep=False))
    assert (compared.old, compared.new) == ("Classic", "Thorough")
    assert preset_of(settings_for(changed, "A").retrieval) == "Classic"
    with changed.store.session() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM partembedding").scalar_one() > 0
    drive(upgrade_search(changed, "A"))
    assert preset_of(settings_for(changed, "A").retrieval) == "Balanced"
    with pytest.raises(RagError, match="no preset"):
        drive(upgrade_search(changed, "A", "Slow"))
