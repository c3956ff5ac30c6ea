"""Reports: every statement has a stored source, the same data give the same report, and it is in the audit log."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evidence import OCTOBER, add_audit_row
from stored_traces import add_traces

from rag.errors import NotFoundError, RagError
from rag.governance.report.making import (
    SECTIONS,
    check_report,
    fingerprint_of,
    gather_report,
    json_of,
    make_report,
    read_report,
)
from rag.governance.report.period import Period, parse_period
from rag.governance.report.rows import REPORT_MADE, Report, list_reports
from rag.storage.database import Database
from rag.storage.store import Store
from rag.workspace import Workspace

GatherReport = Callable[..., Report]


def gaps(report: Report) -> set[str]:
    return {gap.key for section in report.sections for gap in section.gaps}


# --- sources ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pipeline", ["", "answers", "answers@1", "answers@production"])
def test_every_statement_of_the_json_names_a_row_that_is_stored(
    quarter: Workspace, report_on: GatherReport, pipeline: str
) -> None:
    document: dict[str, Any] = json.loads(json_of(report_on(pipeline)))
    sources = {source["id"]: source for source in document["sources"]}
    statements = [
        one for section in document["sections"] for block in section["blocks"] for one in block["statements"]
    ]
    assert len(statements) > 50
    for one in statements:
        assert one["text"].strip() and one["sources"], one
        for name in one["sources"]:
            source = sources[name]
            where = " AND ".join(f"{column} = ?" for column in source["keys"])
            found = quarter.database.cells(
                f"SELECT count(*) FROM {source['table']} WHERE {where}", tuple(source["keys"].values())
            )
            assert found == [(1,)], source
            assert len(source["row_sha256"]) == 64
    assert {name for one in statements for name in one["sources"]} == sources.keys()


def test_a_statement_stands_under_one_key(report_on: GatherReport) -> None:
    for section in report_on().sections:
        keys = [one.key for block in section.blocks for one in block.statements]
        assert len(keys) == len(set(keys)), section.key


def test_each_section_says_something_about_a_quarter_in_which_everything_happened(
    report_on: GatherReport,
) -> None:
    report = report_on("answers")
    silent = {section.key for section in report.sections if not section.blocks}
    assert silent == {"guardrails"}  # no policy was made
    assert len(report.sections) == len(SECTIONS) == 14


# --- nothing stored ---------------------------------------------------------------------------------------


def test_a_folder_without_a_file_gives_nothing_but_gaps(tmp_path: Path) -> None:
    report = gather_report(Database(tmp_path / "ragdeck.sqlite"), "", Period(), 1)
    assert report.statement_count == 0 and report.sources == ()
    assert all(section.gaps for section in report.sections)


def test_an_empty_data_folder_gives_nothing_but_gaps(tmp_path: Path) -> None:
    Store(tmp_path / "ragdeck.sqlite").close()
    report = gather_report(Database(tmp_path / "ragdeck.sqlite"), "", Period(), 1)
    assert report.statement_count == 0
    assert all(section.gaps for section in report.sections)
    assert {"oversight.reviews", "guardrails.none", "evaluation.none", "gates.none"} <= gaps(report)


def test_a_period_in_which_nothing_happened_says_so(report_on: GatherReport) -> None:
    report = report_on(period="2025")
    missing = {
        "system.questions",
        "models.answering",
        "evaluation.none",
        "oversight.reviews",
        "incidents.rates",
    }
    assert missing <= gaps(report)
    reviewed = [
        gap.text for section in report.sections for gap in section.gaps if gap.key == "oversight.reviews"
    ]
    assert reviewed == ["No reviewed answers in this period."]


# --- the same again ---------------------------------------------------------------------------------------


def test_the_same_data_give_the_same_report_but_for_the_time(quarter: Workspace, tmp_path: Path) -> None:
    made = [make_report(quarter, "answers", "2026-Q4", str(tmp_path / name)) for name in ("one", "two")]
    documents = [json.loads(Path(one.json_path).read_text()) for one in made]
    for document in documents:
        assert document.pop("made_ms") > 0
    assert documents[0] == documents[1]


def test_the_report_does_not_depend_on_the_time_zone(
    quarter: Workspace, report_on: GatherReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    before = report_on()
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        assert report_on() == before
    finally:
        monkeypatch.undo()
        time.tzset()


def test_another_question_gives_another_fingerprint(quarter: Workspace, report_on: GatherReport) -> None:
    before = report_on()
    add_traces(quarter, 1, OCTOBER)
    assert report_on().fingerprint != before.fingerprint


def test_a_report_is_a_row_of_the_audit_log(quarter: Workspace, tmp_path: Path) -> None:
    assert list_reports(quarter.database) == []
    made = make_report(quarter, "answers", "2026-Q4", str(tmp_path / "out"))
    (row,) = list_reports(quarter.database)
    assert (row.subject, row.period, row.fingerprint) == ("answers@1", "2026-Q4", made.fingerprint)
    assert row.path == made.json_path == str(tmp_path / "out" / "evidence-answers@1_2026-Q4.json")


def test_a_report_whose_row_was_blanked_is_still_listed(quarter: Workspace) -> None:
    add_audit_row(quarter, REPORT_MADE, OCTOBER)
    (row,) = list_reports(quarter.database)
    assert (row.fingerprint, row.path) == ("", "")


# --- files -----------------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_written_is_a_sentence(quarter: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RagError, match="cannot"):
        make_report(quarter, "", "", str(tmp_path / "file" / "below"))
    assert list_reports(quarter.database) == []


# --- reading one again ------------------------------------------------------------------------------------


def test_a_written_report_is_read_as_it_was(quarter: Workspace, tmp_path: Path) -> None:
    path = make_report(quarter, "", "2026-Q4", str(tmp_path)).json_path
    read = read_report(path)
    assert json_of(read) == Path(path).read_text()
    assert read == replace(
        gather_report(quarter.database, "", parse_period("2026-Q4"), 1), made_ms=read.made_ms
    )


def test_a_changed_file_is_refused(quarter: Workspace, tmp_path: Path) -> None:
    path = Path(make_report(quarter, "", "2026-Q4", str(tmp_path)).json_path)
    path.write_text(path.read_text().replace("People asked 30 questions", "People asked 31 questions"))
    with pytest.raises(RagError, match="was changed after it was made"):
        read_report(str(path))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "null",
        "5",
        '"ragdeck evidence report 1"',
        '{"format": "ragdeck evidence report 1"}',
        '{"format": "ragdeck evidence report 1", "sections": 5, "sources": []}',
        '{"format": "ragdeck evidence report 1", "sections": [{}], "sources": []}',
        '{"format": "ragdeck evidence report 1", "sections": [], "sources": [{"place": null}]}',
        '{"format": "ragdeck evidence report 1", "sections": [], "sources": [], "notes": [], "more": 1}',
        '{"format": ',
        "<html></html>",
        "\udc80",
        "[" * 9999,
    ],
)
def test_what_is_no_report_is_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(RagError, match="is no evidence report"):
        read_report(str(path))


def test_another_format_and_a_missing_file_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"format": "ragdeck evidence report 2"}')
    with pytest.raises(RagError, match="another version of Ragdeck"):
        read_report(str(tmp_path / "x.json"))
    with pytest.raises(RagError, match="cannot be read"):
        read_report(str(tmp_path / "y.json"))


def test_checking_finds_rows_that_changed_or_are_gone(quarter: Workspace, tmp_path: Path) -> None:
    path = make_report(quarter, "", "2026-Q4", str(tmp_path)).json_path
    before = check_report(quarter.database, path)
    assert (before.changed, before.gone) == ((), ()) and before.same > 30
    assert before.sentence().startswith(f"All {before.same} sources")
    with quarter.store.session() as session:
        session.connection().exec_driver_sql("UPDATE evaluationgate SET passed = 1")
        session.connection().exec_driver_sql("DELETE FROM erasure")
    after = check_report(quarter.database, path)
    assert [key for key, _ in after.changed] == ["evaluationgate:1"]
    assert [key for key, _ in after.gone] == ["erasure:1"]
    assert "1 have changed and 1 are gone" in after.sentence()


def test_a_report_that_names_another_table_reads_nothing_else(quarter: Workspace, tmp_path: Path) -> None:
    path = Path(make_report(quarter, "", "2026-Q4", str(tmp_path)).json_path)
    report = read_report(str(path))
    evil = replace(report.sources[0], table='trace" WHERE 1 --')
    changed = replace(report, sources=(evil, *report.sources[1:]))
    path.write_text(json_of(replace(changed, fingerprint=fingerprint_of(changed))))
    with pytest.raises(NotFoundError, match="has no table"):
        check_report(quarter.database, str(path))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("answers", "evidence-answers@1_2026-Q4"),
        ("my answers", "evidence-my_answers@1_2026-Q4"),
        ("a/b\\c", "evidence-a_b_c@1_2026-Q4"),
        ("../../etc", "evidence-etc@1_2026-Q4"),
        ("Küche", "evidence-Küche@1_2026-Q4"),
        ("a:b*c?", "evidence-a_b_c_@1_2026-Q4"),
        ("???", "evidence-@1_2026-Q4"),
        ("a\nb", "evidence-a_b@1_2026-Q4"),
    ],
)
def test_a_file_is_named_after_the_pipeline_and_stays_in_its_folder(
    quarter: Workspace, tmp_path: Path, name: str, file: str
) -> None:
    with quarter.store.session() as session:
        session.connection().exec_driver_sql("UPDATE pipeline SET name = ?", (name,))
    made = make_report(quarter, name, "2026-Q4", str(tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"{file}.html", f"{file}.json"]
    assert Path(made.pdf_path) == tmp_path / "out" / f"{file}.pdf"
    assert made.subject == f"{name}@1"


@pytest.mark.parametrize(
    ("pipeline", "period", "sentence"),
    [
        ("nothing", "", "There is no pipeline named “nothing”"),
        ("", "some day", "“some day” is not a period"),
        ("", "2026..2025", "ends before it begins"),
    ],
)
def test_a_report_that_cannot_be_made_leaves_nothing(
    quarter: Workspace, tmp_path: Path, pipeline: str, period: str, sentence: str
) -> None:
    with pytest.raises(RagError, match=sentence):
        make_report(quarter, pipeline, period, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists() and list_reports(quarter.database) == []


def test_a_report_that_is_made_again_replaces_its_files_and_both_are_logged(
    quarter: Workspace, tmp_path: Path
) -> None:
    first, second = (make_report(quarter, "", "2026-Q4", str(tmp_path / "out")) for _ in range(2))
    assert first.fingerprint == second.fingerprint
    assert len(list((tmp_path / "out").iterdir())) == 2
    assert [row.path for row in list_reports(quarter.database)] == [first.json_path] * 2


@pytest.mark.parametrize(
    ("field", "value", "same"),
    [
        ("made_ms", 99, True),
        ("fingerprint", "ff" * 32, True),
        ("subject", "everything", False),
        ("period", "2026", False),
        ("since_ms", 1, False),
        ("until_ms", None, False),
        ("notes", (), False),
        ("sections", (), False),
        ("sources", (), False),
        ("format", "another", False),
    ],
)
def test_a_fingerprint_covers_everything_but_the_time_and_itself(
    report: Report, field: str, value: object, same: bool
) -> None:
    changed = replace(report, **{field: value})  # type: ignore[arg-type]
    assert (fingerprint_of(changed) == report.fingerprint) == same


def test_a_name_that_is_no_text_is_written_and_read_again(report: Report, tmp_path: Path) -> None:
    odd = replace(report, subject="half \udc80 \U0001f600")
    odd = replace(odd, fingerprint=fingerprint_of(odd))
    (tmp_path / "x.json").write_text(json_of(odd), "ascii")
    assert read_report(str(tmp_path / "x.json")) == odd
