"""Models with their hashes and licences, pipelines, prompts and settings."""

from collections.abc import Callable

from evidence import OCTOBER
from report_texts import cells, gaps
from stored_traces import add_traces

from rag.governance.report.rows import Report
from rag.workspace import Workspace

GatherReport = Callable[..., Report]


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
