"""Models with their hashes and licences, pipelines, prompts and settings."""

from collections.abc import Callable
from typing import Any

import pytest
from evidence import HOUR, OCTOBER
from hypothesis import given
from hypothesis import strategies as st
from report_texts import cells, gaps, run, statement
from stored_traces import add_traces

from rag.governance.report.rows import Report
from rag.governance.report.system import flat, shortened
from rag.workspace import Workspace

GatherReport = Callable[..., Report]


def titles(report: Report) -> list[str]:
    return [block.title for section in report.sections for block in section.blocks]


def test_models_have_hashes_licences_and_origins_where_they_are_known(report: Report) -> None:
    rows = {row[0]: row for row in cells(report, "Models that answer")}
    known = rows["qwen2.5-0.5b-instruct-q4_k_m.gguf"]
    assert known[2:5] == (
        "ab" * 32,
        "Apache-2.0 (by the name of the file)",
        "Qwen/Qwen2.5-0.5B-Instruct-GGUF",
    )
    assert known[5:] == ("30", "0") and rows["qwen.gguf"][5:] == ("0", "1")
    assert (
        gaps(report)["models.licence.qwen.gguf"] == "The licence of the model “qwen.gguf” is not known here."
    )


def test_a_known_hash_gives_the_licence_whatever_the_file_is_called(
    quarter: Workspace, report_on: GatherReport
) -> None:
    known = "74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db"
    add_traces(quarter, 1, OCTOBER, model="mine.gguf", model_sha256=known)
    (row,) = [row for row in cells(report_on(), "Models that answer") if row[0] == "mine.gguf"]
    assert row[3] == "Apache-2.0"


def test_a_model_elsewhere_is_told_by_its_host_and_one_without_a_hash_is_a_gap(
    quarter: Workspace, report_on: GatherReport
) -> None:
    add_traces(quarter, 1, OCTOBER, model="gpt", sent_to="api.example")
    add_traces(quarter, 1, OCTOBER, model="bare.gguf")
    report = report_on()
    assert ("gpt", "answers at api.example", "", "", "api.example", "1", "0") in cells(
        report, "Models that answer"
    )
    assert "models.hash.bare.gguf" in gaps(report) and "models.hash.gpt" not in gaps(report)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({}, {}),
        ({"a": 1}, {"a": "1"}),
        ({"a": "text"}, {"a": "text"}),
        ({"a": ""}, {"a": ""}),
        ({"a": True, "b": None}, {"a": "true", "b": "null"}),
        ({"a": 0.5}, {"a": "0.5"}),
        ({"a": ["ü", 1]}, {"a": '["ü", 1]'}),
        ({"a": {"b": 1}}, {"a.b": "1"}),
        ({"a": {"b": {"c": "x"}, "d": 2}}, {"a.b.c": "x", "a.d": "2"}),
        ({"a": {}}, {}),
        ({"a": [{"b": 1}]}, {"a": '[{"b": 1}]'}),
    ],
)
def test_settings_are_named_by_their_way_down(values: dict[str, Any], shown: dict[str, str]) -> None:
    assert flat(values) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("one", "one"),
        ("one\n\n  two\tthree ", "one two three"),
        ("x" * 160, "x" * 160),
        ("x" * 161, "x" * 159 + "…"),
        ("x " * 200, "x " * 79 + "x…"),
        (" " * 500, ""),
    ],
)
def test_long_texts_are_cut_to_one_line(text: str, shown: str) -> None:
    assert shortened(text) == shown


@given(st.text())
def test_a_shortened_text_fits_and_is_not_shortened_again(text: str) -> None:
    once = shortened(text)
    assert len(once) <= 160 and "\n" not in once
    assert shortened(once) == once


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ((), "People asked 30 questions of A."),
        (("B",), "People asked 31 questions of A, B."),
        (("B", "B", "A"), "People asked 33 questions of A, B."),
        (("B", "C", "D", "E", "F"), "People asked 35 questions of A, B, C, D, E and 1 more."),
    ],
)
def test_whose_documents_were_asked_is_told(
    quarter: Workspace, report_on: GatherReport, asked: tuple[str, ...], sentence: str
) -> None:
    for collection in asked:
        add_traces(quarter, 1, OCTOBER, collection=collection)
    assert statement(report_on(), "system.questions").text == sentence


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ((), "The questions of this period were answered with 1 different setting."),
        (('{"retrieval": {"max_passages": 9}}',), "The questions of this period were answered with 2 different settings."),
    ],
)  # fmt: skip
def test_how_often_settings_changed_is_counted(
    quarter: Workspace, report_on: GatherReport, settings: tuple[str, ...], sentence: str
) -> None:
    for one in settings:
        add_traces(quarter, 1, OCTOBER, settings=one)
    assert statement(report_on(), "settings.different").text == sentence


def test_settings_are_those_of_the_newest_question_of_each_collection(
    quarter: Workspace, report_on: GatherReport
) -> None:
    later = OCTOBER + 31 * HOUR
    add_traces(quarter, 1, later, settings='{"retrieval": {"max_passages": 9}}')
    add_traces(quarter, 1, later, collection="B", settings='{"retrieval": {"max_passages": 2}}')
    report = report_on()
    for collection, shown in (("A", "9"), ("B", "2")):
        title = f"Settings of the newest question of “{collection}”"
        assert cells(report, title) == [("retrieval.max_passages", shown)]


def test_a_question_without_settings_is_no_fault(quarter: Workspace, report_on: GatherReport) -> None:
    add_traces(quarter, 1, OCTOBER, collection="bare", settings="")
    assert cells(report_on(), "Settings of the newest question of “bare”") == []


def test_the_settings_of_a_pipeline_are_its_own(report: Report) -> None:
    rows = dict(cells(report, "Settings of the pipeline"))
    assert rows["collection"] == "A"
    assert not any(one.startswith("Settings of the newest") for one in titles(report))


@pytest.mark.parametrize(
    ("model", "shown", "gap"),
    [
        ("/models/Qwen2.5-0.5B-Instruct-Q4_K_M.GGUF", "Apache-2.0 (by the name of the file)", False),
        ("C:\\models\\qwen2.5-0.5b-instruct-q4_k_m.gguf", "Apache-2.0 (by the name of the file)", False),
        ("/models/unheard-of.gguf", "", True),
    ],
)
def test_a_licence_is_found_by_the_name_of_a_file_in_any_folder(
    quarter: Workspace, report_on: GatherReport, model: str, shown: str, gap: bool
) -> None:
    add_traces(quarter, 1, OCTOBER, model=model, model_sha256="12" * 32)
    report = report_on()
    (row,) = [row for row in cells(report, "Models that answer") if row[2] == "12" * 32]
    assert row[3] == shown
    assert (f"models.licence.{row[0]}" in gaps(report)) == gap


def test_one_model_here_and_elsewhere_is_two_rows(quarter: Workspace, report_on: GatherReport) -> None:
    add_traces(quarter, 2, OCTOBER, model="gpt", sent_to="api.example")
    add_traces(quarter, 3, OCTOBER, model="gpt", model_sha256="34" * 32)
    report = report_on()
    rows = [row for row in cells(report, "Models that answer") if row[0] == "gpt"]
    assert [(row[1], row[5]) for row in rows] == [
        ("answers at api.example", "2"),
        ("answers on this computer", "3"),
    ]
    keys = [one.key for _, _, one in report.statements() if one.key.startswith("models.gpt")]
    assert keys == ["models.gpt", "models.gpt#2"]


@pytest.mark.parametrize(
    ("change", "gap"),
    [
        ("DELETE FROM trace", "models.answering"),
        ("DELETE FROM datasetversion", "models.embedding"),
        ("UPDATE trace SET prompt_version_id = NULL", "prompts.none"),
    ],
)
def test_what_was_not_in_use_is_a_gap(
    quarter: Workspace, report_on: GatherReport, change: str, gap: str
) -> None:
    assert gap not in gaps(report_on())
    run(quarter, change, "DELETE FROM evaluationrun")
    assert gap in gaps(report_on())


def test_a_prompt_is_told_with_its_labels_and_its_instructions_on_one_line(
    quarter: Workspace, report_on: GatherReport
) -> None:
    run(quarter, "UPDATE promptversion SET system = 'Be kind.' || char(10) || '  Be short.', author = 'mira'")
    (row,) = cells(report_on(), "Versions in use")[-1:]
    assert (row[0], row[1], row[3], row[6]) == ("default", "1", "mira", "Be kind. Be short.")
