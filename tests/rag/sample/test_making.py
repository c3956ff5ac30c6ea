"""The sample: every question has its place in the documents, and two pipelines wait to be compared."""

from pathlib import Path

from fakes import FakeEmbedder, drive

from rag.asking.retrieval import retrieve
from rag.evaluation.pipelines import find_pipeline
from rag.evaluation.relevance import JudgedVersion
from rag.evaluation.rows import list_pipelines, list_set_versions
from rag.evaluation.sets import set_cases
from rag.knowledge.collections import open_version
from rag.knowledge.rows import list_collections
from rag.sample.making import add_sample_evaluation, ingest_sample
from rag.sample.rows import SAMPLE_COLLECTION, SAMPLE_PIPELINES, SAMPLE_SET
from rag.settings import RetrievalSettings
from rag.workspace import Workspace


def test_every_answerable_case_has_its_passage(tmp_path: Path) -> None:
    with Workspace(tmp_path, embedder=FakeEmbedder()) as workspace:
        drive(ingest_sample(workspace))
        (collection,) = list_collections(workspace.database)
        assert collection.name == SAMPLE_COLLECTION
        judged = JudgedVersion(workspace.store, collection.active_version_id)
        cases = set_cases(workspace.database, SAMPLE_SET)
        assert len(cases) >= 30
        assert sum(case.should_refuse for case in cases) >= 5
        for case in cases:
            relevance = judged.relevance(case.judgements)
            assert not relevance.stale, case.key
            assert bool(relevance.grades) != case.should_refuse, case.key
            assert bool(case.references) != case.should_refuse, case.key


def test_the_sample_leaves_what_a_person_changed(tmp_path: Path) -> None:
    with Workspace(tmp_path, embedder=FakeEmbedder()) as workspace:
        drive(ingest_sample(workspace))
        assert sorted(row.name for row in list_pipelines(workspace.database)) == sorted(SAMPLE_PIPELINES)
        before = find_pipeline(workspace, SAMPLE_PIPELINES[1])
        assert before.config.retrieval.search == "BM25"
        add_sample_evaluation(workspace)
        assert find_pipeline(workspace, SAMPLE_PIPELINES[1]) == before
        assert len(list_set_versions(workspace.database, SAMPLE_SET)) == 1


def test_a_search_of_one_kind_asks_nothing_of_the_other(tmp_path: Path) -> None:
    with Workspace(tmp_path, embedder=FakeEmbedder()) as workspace:
        drive(ingest_sample(workspace))
        collection, version = open_version(workspace, SAMPLE_COLLECTION, None)
        found = {
            kind: retrieve(
                workspace, collection, version, "radio range of the Aurora", RetrievalSettings(search=kind)
            )
            for kind in ("hybrid", "dense", "BM25")
        }
    assert [stage.name for stage in found["BM25"].stages] == [
        "query",
        "embed",
        "lexical",
        "identifiers",
        "fuse",
        "rerank",
        "order",
    ]
    assert [stage.name for stage in found["dense"].stages] == [
        "query",
        "embed",
        "dense",
        "identifiers",
        "fuse",
        "rerank",
        "order",
    ]
    assert all(hit.dense_rank is None and hit.bm25_rank for hit in found["BM25"].hits)
    assert all(hit.bm25_rank is None and hit.dense_rank for hit in found["dense"].hits)
    assert {hit.chunk_id for hit in found["hybrid"].hits} == {
        hit.chunk_id for kind in ("dense", "BM25") for hit in found[kind].hits
    }
