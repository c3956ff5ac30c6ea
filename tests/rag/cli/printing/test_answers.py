"""The JSON document of an answer."""

from fakes import drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question, get_trace
from rag.cli.printing.answers import ask_document
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace


def test_a_document_has_the_answer_its_claims_with_evidence_and_where_it_came_from(
    workspace: Workspace, documents: object
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    result = drive(answer_question(workspace, Question("What does rye bread need?", "A")))
    found = ask_document(get_trace(workspace.database, result.trace_id), result)
    assert found["answer"] == "Rye bread needs sourdough [1]." and found["tokens"]["completion"] == 4 + 1
    assert (found["endpoint"], found["sent_to"], found["usage"]) == ("", "", "")
    (claim,) = found["claims"]
    assert claim["evidence"]["marker"] == 1 and "sourdough" in claim["evidence"]["text"]
