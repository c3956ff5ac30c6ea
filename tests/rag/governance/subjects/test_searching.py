"""A person is found in every text column of every table, however spelt, and what was found is exported whole."""

import csv
import json
from pathlib import Path

import pytest
from data_folders import insert
from fakes import drive

from rag.errors import RagError
from rag.governance.audit.rows import list_audit
from rag.governance.subjects.rows import SubjectReport
from rag.governance.subjects.searching import export_subject, folded, search_subject
from rag.storage.tables.contents import Content, marked_columns
from rag.workspace import Workspace

NAME = "Renée Müller-Quill"


def search(workspace: Workspace, *terms: str) -> SubjectReport:
    return drive(search_subject(workspace, terms))


def test_a_person_is_found_in_every_text_column_of_every_table(workspace: Workspace) -> None:
    # A table holds its rows in its own way only if its columns fit: one row with the name in all of them.
    wanted = set()
    for table, columns in marked_columns(*Content):
        insert(workspace, table.name, **dict.fromkeys(columns, f"… {NAME} …"))
        wanted |= {(table.name, column) for column in columns}
    found = search(workspace, "renee MULLER-quill")
    assert {(hit.table, hit.column) for hit in found.hits} == wanted
    assert len(wanted) > 100
    assert found.cells >= len(wanted)


@pytest.mark.parametrize(
    "text",
    [
        NAME,
        NAME.upper(),
        "RENEE MULLER-QUILL",
        "Renée\n   Müller-Quill",
        json.dumps({"name": NAME}),
        json.dumps([f"\U0001f600 {NAME}"]),
        f"x{NAME}y",
    ],
)
def test_spelling_and_escapes_do_not_matter(workspace: Workspace, text: str) -> None:
    insert(workspace, "feedback", trace_id="t1", author="a", tags="[]", note=text)
    (hit,) = search(workspace, NAME).hits
    assert (hit.table, hit.column, hit.key, hit.content, hit.text) == (
        "feedback",
        "note",
        "t1",
        "written",
        "",
    )
    assert folded(NAME) in folded(hit.excerpt)


def test_several_terms_are_one_search_and_a_text_is_found_once(workspace: Workspace) -> None:
    insert(workspace, "feedback", trace_id="t1", author="a", tags="[]", note="QX-99812-B of Renée")
    insert(workspace, "feedback", trace_id="t2", author="a", tags="[]", note="only Renée")
    found = search(workspace, "QX-99812-B", " Renée ", "")
    assert [(hit.key, hit.term) for hit in found.hits] == [("t1", "QX-99812-B"), ("t2", "Renée")]
    assert found.sentence().startswith("2 texts in 1 table mention it; ")


def test_nothing_found_says_what_was_searched(workspace: Workspace) -> None:
    found = search(workspace, "Zebedäus")
    assert found.hits == ()
    assert found.sentence().startswith("Nothing mentions it; ")
    assert f"{found.cells:,} texts" in found.sentence()


@pytest.mark.parametrize(
    ("terms", "why"), [([], "Name the person"), (["  "], "Name"), (["ab"], "everywhere")]
)
def test_a_search_without_a_term_is_refused(workspace: Workspace, terms: list[str], why: str) -> None:
    with pytest.raises(RagError, match=why):
        drive(search_subject(workspace, terms))


def test_a_search_is_logged_without_the_name(workspace: Workspace) -> None:
    insert(workspace, "feedback", trace_id="t1", author="a", tags="[]", note=NAME)
    search(workspace, NAME)
    (row, *_) = list_audit(workspace.database)
    assert (row.action, row.subject, row.detail) == ("subject searched", "1 text", "")
    assert len(search(workspace, NAME).hits) == 1


def test_an_export_has_the_whole_texts(workspace: Workspace, tmp_path: Path) -> None:
    long = f"{'before ' * 100}{NAME}{' after' * 100}"
    insert(workspace, "feedback", trace_id="t1", author="a", tags="[]", note=long, correction=f"=1+{NAME}")
    made = drive(export_subject(workspace, [NAME], str(tmp_path / "found.json")))
    content = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert [hit["text"] for hit in content["found"]] == [long, f"=1+{NAME}"]
    assert content["terms"] == [NAME]
    assert (made.path, made.hits[0].text) == (str(tmp_path / "found.json"), "")
    drive(export_subject(workspace, [NAME], str(tmp_path / "found.csv")))
    with (tmp_path / "found.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == [long, f"'=1+{NAME}"]
    assert list_audit(workspace.database)[0].action == "subject exported"


def test_an_export_elsewhere_or_of_another_kind_is_a_sentence(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(RagError, match=r"\.json or \.csv"):
        drive(export_subject(workspace, [NAME], str(tmp_path / "found.pdf")))
    with pytest.raises(RagError, match="cannot be written"):
        drive(export_subject(workspace, [NAME], str(tmp_path / "missing" / "found.json")))
