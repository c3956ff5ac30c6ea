"""A person is found in every text column of every table, however spelt, and what was found is exported whole."""

import csv
import json
import unicodedata
from pathlib import Path

import pytest
from data_folders import insert
from fakes import drive
from hypothesis import given
from hypothesis import strategies as st
from stored_traces import add_traces

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


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("", ""),
        ("Quill", "quill"),
        ("  Ms \t Quill\n", "ms quill"),
        ("Renée", "renee"),
        ("Rene\u0301e", "renee"),  # the accent as a sign of its own
        ("MÜLLER", "muller"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("Ｑｕｉｌｌ", "quill"),
        ("𝐐𝐮𝐢𝐥𝐥", "quill"),  # bold letters, as people write them in short messages
        ("ℚuill", "quill"),
        ("№ 5", "no 5"),
        ("Ａ\u3000Ｂ", "a b"),
        ("ﬁne", "fine"),
        ("Ιωάννης", "ιωαννησ"),
        ("李明", "李明"),
        ("Ñandú\u00a0", "nandu"),
    ],
)
def test_spellings_of_one_name_are_folded_to_one(text: str, plain: str) -> None:
    assert folded(text) == plain


@given(st.text())
def test_a_folded_text_is_folded_and_has_single_spaces(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
    assert once == " ".join(once.split())


@given(st.text("abcdefghijklmnopqrstuvwxyzäöüéñç ", max_size=20))
def test_case_and_the_way_accents_are_stored_do_not_matter(text: str) -> None:
    assert folded(text.upper()) == folded(text)
    assert folded(unicodedata.normalize("NFD", text)) == folded(text)


@pytest.mark.parametrize(
    "term", ["Renée Müller", "𝐑𝐞𝐧é𝐞 𝐌ü𝐥𝐥𝐞𝐫", "ＲＥＮＥＥ　ＭＵＬＬＥＲ", "rene\u0301e mu\u0308ller"]
)
@pytest.mark.parametrize("text", ["Dear Renée Müller,", "Dear 𝐑𝐞𝐧é𝐞 𝐌ü𝐥𝐥𝐞𝐫,", "DEAR RENEE MULLER,"])
def test_a_name_is_found_in_letters_of_any_kind(workspace: Workspace, term: str, text: str) -> None:
    insert(workspace, "feedback", trace_id="t1", author="a", tags="[]", note=text)
    assert [hit.column for hit in search(workspace, term).hits] == ["note"]


@pytest.mark.parametrize("text", ["Renee", "Muller Renée", "Renée-Müller", "Ren ée Müller", "Rénê Mülle"])
def test_another_name_is_not_found(workspace: Workspace, text: str) -> None:
    insert(workspace, "feedback", trace_id="t1", author="a", tags="[]", note=text)
    assert search(workspace, "Renée Müller").hits == ()


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        (["", " \n "], "Name the person or the identifier to search for."),
        (["Quill", "ab"], "“ab” would be found everywhere. Give at least 3 letters."),
        ([" a  b ", "x"], "“x” would be found everywhere. Give at least 3 letters."),
        (["é\u0301e"], "“é\u0301e” would be found everywhere. Give at least 3 letters."),
    ],
)
def test_a_term_that_is_too_short_is_named_and_nothing_is_logged(
    workspace: Workspace, terms: list[str], sentence: str
) -> None:
    before = len(list_audit(workspace.database))
    with pytest.raises(RagError) as refused:
        drive(search_subject(workspace, terms))
    assert str(refused.value) == sentence
    assert len(list_audit(workspace.database)) == before


@pytest.mark.parametrize(
    ("before", "after", "excerpt"),
    [
        ("", "", "Quill"),
        ("Ms ", " rang.", "Ms Quill rang."),
        ("a" * 80, "", "a" * 80 + "Quill"),
        ("a" * 81, "", "…" + "a" * 80 + "Quill"),
        ("", "b" * 81, "Quill" + "b" * 80 + "…"),
        ("x\n\n", "\ty", "x Quill y"),
        ("ß" * 3, "", "ssssssquill"),  # folded, because it has other letters than the text
    ],
)
def test_an_excerpt_is_what_stands_around_the_name(
    workspace: Workspace, before: str, after: str, excerpt: str
) -> None:
    insert(workspace, "feedback", trace_id="t1", author="a", tags="[]", note=f"{before}Quill{after}")
    (hit,) = search(workspace, "QUILL").hits
    assert hit.excerpt == excerpt


def test_a_table_of_more_than_a_page_is_read_to_its_end(workspace: Workspace) -> None:
    insert(workspace, "feedback", trace_id="t0", author="a", tags="[]", note="Quill 0")
    add_traces(workspace, 1100, 1, question=lambda n: f"Who is Quill {n}?")
    found = search(workspace, "Quill")
    assert len(found.hits) == 1101
    assert [hit.excerpt for hit in found.hits if hit.table == "trace"][-1] == "Who is Quill 1099?"


def test_a_search_that_is_stopped_is_not_logged(workspace: Workspace) -> None:
    running = search_subject(workspace, ["Quill"])
    assert next(running).done == 0
    running.close()
    assert "subject searched" not in {row.action for row in list_audit(workspace.database)}


def test_a_term_that_is_no_text_is_written_as_it_came(workspace: Workspace, tmp_path: Path) -> None:
    drive(export_subject(workspace, ["Qui\udcff"], str(tmp_path / "found.json")))
    content = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert (content["terms"], content["found"]) == (["Qui\udcff"], [])


@pytest.mark.parametrize("name", ["found", "found.", "found.txt", "found.json.bak", ".json"])
def test_a_file_without_a_known_ending_is_refused_before_anything_is_read(
    workspace: Workspace, tmp_path: Path, name: str
) -> None:
    with pytest.raises(RagError, match=r"says no format\. End the name"):
        next(export_subject(workspace, [NAME], str(tmp_path / name)))
    assert list(tmp_path.glob("found*")) == []


@pytest.mark.parametrize("name", ["found.JSON", "found.Csv"])
def test_the_case_of_an_ending_does_not_matter(workspace: Workspace, tmp_path: Path, name: str) -> None:
    drive(export_subject(workspace, [NAME], str(tmp_path / name)))
    assert (tmp_path / name).stat().st_size > 0


def test_an_export_that_fails_is_not_logged_and_leaves_no_part(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "found.json").mkdir()
    with pytest.raises(RagError, match="cannot be written"):
        drive(export_subject(workspace, [NAME], str(tmp_path / "found.json")))
    assert not (tmp_path / "found.json.part").exists()
    assert "subject exported" not in {row.action for row in list_audit(workspace.database)}
