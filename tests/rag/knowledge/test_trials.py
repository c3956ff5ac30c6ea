"""Trials: other settings next to the current version, activated or deleted like any version."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEmbedder, drive
from versions_of_a import (
    chunk_of,
    documents_of,
    found,
    index_holds_the_active_version,
    log,
    pending,
    snapshot,
    version,
)

from rag.errors import NotFoundError, RagError
from rag.evaluation.version_comparison import compare_versions
from rag.knowledge.collections import tag_version
from rag.knowledge.edits import edit_document, exclude_chunks, remove_documents
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import attributes_of, list_documents, list_versions, read_exclusions
from rag.knowledge.trials import build_trial, discard_version, orphan_documents
from rag.knowledge.versions import activate_version
from rag.models.embedding import starter_embedder_folder
from rag.workspace import Workspace


def make_long(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for number in range(3):
        lines = [
            f"Fact {number}.{line}: item {line} of shelf {number} weighs {line * 3} grams."
            for line in range(40)
        ]
        (folder / f"shelf-{number}.txt").write_text("\n".join(lines), "utf-8")
    return folder


def test_other_chunks_are_tried_beside_and_switched_to_or_discarded(
    workspace: Workspace, tmp_path: Path
) -> None:
    files = make_long(tmp_path / "files")
    drive(ingest_files(workspace, "A", [files]))
    for file in files.iterdir():
        file.unlink()  # a trial is built from the stored texts
    before = snapshot(workspace, "1")
    trial = drive(build_trial(workspace, "A", max_tokens=64, overlap_tokens=0))
    assert version(workspace).number == 1
    row = version(workspace, str(trial.number))
    assert row.trial
    assert row.kind == "rechunk"
    assert row.chunk_count > version(workspace).chunk_count
    comparison = drive(
        compare_versions(workspace, "A", 1, trial.number, ["weight of item 7 of shelf 2", "item 12"])
    )
    assert comparison.overlap is not None
    assert 0 < comparison.overlap <= 1
    assert any(
        old is None or new is None or old != new for q in comparison.queries for *_, old, new in q.changes
    )
    judged = tmp_path / "judged.jsonl"
    judged.write_text('{"question": "item 7 of shelf 2", "documents": ["shelf-2.txt"]}\n', "utf-8")
    measured = drive(compare_versions(workspace, "A", 1, trial.number, judged=str(judged)))
    assert set(measured.metrics) == {"recall@10", "hit rate", "MRR"}
    assert measured.metrics["recall@10"] == (1.0, 1.0, 1)
    judged.write_text('{"question": "item 7 of shelf 2", "documents": 5}\n', "utf-8")
    with pytest.raises(RagError, match=r"judged.jsonl, line 1: documents is not a list"):
        drive(compare_versions(workspace, "A", 1, trial.number, judged=str(judged)))
    report = drive(activate_version(workspace, "A", trial.number))
    assert report.verification.ok
    assert index_holds_the_active_version(workspace)
    assert snapshot(workspace, "1") == before
    assert workspace.index.collection_names() == [
        workspace.database.query("SELECT index_key FROM collection")[0][0]
    ]
    (files / "new.txt").write_text("Fact 9: a new file. " * 40, "utf-8")
    drive(ingest_files(workspace, "A", [files]))
    assert json.loads(version(workspace).chunking)["max_tokens"] == 64
    other = drive(build_trial(workspace, "A", max_tokens=128, overlap_tokens=0))
    deleted = discard_version(workspace, "A", other.number)
    assert deleted == 4
    with pytest.raises(NotFoundError):
        version(workspace, str(other.number))
    assert len(workspace.index.collection_names()) == 1
    with pytest.raises(RagError, match="is active"):
        discard_version(workspace, "A", version(workspace).number)
    with pytest.raises(RagError, match="already"):
        drive(build_trial(workspace, "A"))
    with pytest.raises(RagError, match="32 to 2,048"):
        drive(build_trial(workspace, "A", max_tokens=3))


def test_encoded_text_is_tried_with_and_the_account_follows(workspace: Workspace, tmp_path: Path) -> None:
    blob = "".join(f"{chr(65 + n % 26)}{chr(97 + n * 7 % 26)}{n * 3 % 10}" for n in range(300))
    (tmp_path / "key.txt").write_text(f"The key of the harbour:\n{blob}\n", "utf-8")
    drive(ingest_files(workspace, "A", [tmp_path / "key.txt"]))
    (before,) = list_documents(workspace.database, version(workspace).id)
    assert before.left_out == 1
    trial = drive(build_trial(workspace, "A", keep_encoded=True))
    assert trial.message == "With encoded text"
    (after,) = list_documents(workspace.database, version(workspace, str(trial.number)).id)
    assert (after.left_out, after.account_lines) == (0, ("Nothing was left out.",))
    assert after.token_count > before.token_count


def test_settings_from_before_a_setting_existed_are_the_same_settings(
    workspace: Workspace, tmp_path: Path
) -> None:
    drive(ingest_files(workspace, "A", [make_long(tmp_path / "files")]))
    with workspace.store.session() as session:
        session.connection().exec_driver_sql(
            """UPDATE datasetversion SET chunking = '{"max_tokens":200,"overlap_tokens":24}'"""
        )
    with pytest.raises(RagError, match="already"):
        drive(build_trial(workspace, "A"))


class OtherEmbedder(FakeEmbedder):
    fingerprint = "other-embedder"  # type: ignore[assignment]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.ascontiguousarray(super().encode(texts)[:, ::-1][:, :512] + 1e-3)


def test_another_embedder_has_an_index_of_its_own_and_is_never_mixed_up(
    workspace: Workspace, tmp_path: Path
) -> None:
    drive(ingest_files(workspace, "A", [make_long(tmp_path / "files")]))
    trial = drive(build_trial(workspace, "A", str(tmp_path), load_embedder=lambda _folder: OtherEmbedder()))
    assert version(workspace, str(trial.number)).kind == "embedder"
    drive(activate_version(workspace, "A", trial.number))
    assert index_holds_the_active_version(workspace)
    assert found(workspace, "item 7 of shelf 2")
    assert found(workspace, "item 7 of shelf 2", 1)
    drive(activate_version(workspace, "A", 1))
    assert index_holds_the_active_version(workspace)
    workspace._embedders.clear()
    with pytest.raises(RagError, match=r"is gone|no longer the one|not installed"):
        found(workspace, "item 7", trial.number)


@pytest.mark.models
def test_a_real_folder_with_another_embedder_is_tried(folder: Path, tmp_path: Path, documents: Path) -> None:
    other = tmp_path / "mean-to-cls"
    shutil.copytree(starter_embedder_folder(), other)
    pooling = other / "1_Pooling" / "config.json"
    config = json.loads(pooling.read_text())
    config.update(pooling_mode_cls_token=True, pooling_mode_mean_tokens=False)
    pooling.write_text(json.dumps(config))
    with Workspace(folder, "a test") as workspace:
        drive(ingest_files(workspace, "A", [documents]))
        trial = drive(build_trial(workspace, "A", embedder_folder=str(other)))
        drive(activate_version(workspace, "A", trial.number))
        assert found(workspace, "How high is the tide?")
    with Workspace(folder, "a test") as workspace:  # it is found again by its folder
        assert found(workspace, "How high is the tide?")
    pooling.write_text(
        json.dumps({**config, "word_embedding_dimension": 384, "include_prompt": True, "x": 1})
    )
    with (
        Workspace(folder, "a test") as workspace,
        pytest.raises(RagError, match="no longer the one that made"),
    ):
        found(workspace, "How high is the tide?")


# --- building ---------------------------------------------------------------------------------------------


def test_a_trial_is_not_active_and_says_what_is_different(ingested: Workspace) -> None:
    made = drive(build_trial(ingested, "A", max_tokens=64, overlap_tokens=8))
    assert (made.number, made.kind, made.document_count) == (2, "rechunk", 3)
    assert made.message == "Chunks of 64 tokens, 8 shared"
    row = version(ingested, "2")
    assert (row.trial, row.active, row.parent_number) == (True, False, 1)
    assert json.loads(row.chunking) == {
        **json.loads(version(ingested).chunking),
        "max_tokens": 64,
        "overlap_tokens": 8,
    }
    assert version(ingested).number == 1
    assert pending(ingested) == ("", None)
    assert ("trial built", "A", "version 2: Chunks of 64 tokens, 8 shared") in log(ingested)
    assert len(ingested.index.collection_names()) == 2


def test_a_trial_has_the_attributes_and_the_exclusions_of_the_active_version(ingested: Workspace) -> None:
    drive(edit_document(ingested, "A", documents_of(ingested)["bread.md"].id, {"author": "Ann"}))
    drive(exclude_chunks(ingested, "A", [chunk_of(ingested, "stars.txt")], "old"))
    made = drive(build_trial(ingested, "A", max_tokens=64))
    documents = documents_of(ingested, str(made.number))
    assert attributes_of(documents["bread.md"].attributes) == {"author": "Ann"}
    assert documents["stars.txt"].excluded_count == 1
    assert list(read_exclusions(ingested.database, version(ingested, str(made.number)).id).values()) == [
        "old"
    ]


def test_an_exclusion_that_matches_no_chunk_any_more_is_counted(workspace: Workspace, tmp_path: Path) -> None:
    drive(ingest_files(workspace, "A", [make_long(tmp_path / "files")]))
    drive(exclude_chunks(workspace, "A", [chunk_of(workspace, "shelf-1.txt")], "old"))
    made = drive(build_trial(workspace, "A", max_tokens=64, overlap_tokens=0))
    assert made.message.endswith("1 excluded chunk no longer matched, so included again")
    assert version(workspace, str(made.number)).excluded_count == 0


@pytest.mark.parametrize(("tokens", "overlap"), [(31, 0), (2049, 0), (64, 513), (64, -1)])
def test_sizes_out_of_range_are_refused(ingested: Workspace, tokens: int, overlap: int) -> None:
    with pytest.raises(RagError, match="32 to 2,048"):
        drive(build_trial(ingested, "A", max_tokens=tokens, overlap_tokens=overlap))
    assert len(list_versions(ingested.database, 1)) == 1


def test_the_settings_of_the_active_version_are_no_trial(ingested: Workspace) -> None:
    settings = json.loads(version(ingested).chunking)
    with pytest.raises(RagError, match="already has these settings"):
        drive(build_trial(ingested, "A", "", settings["max_tokens"], settings["overlap_tokens"]))


@pytest.mark.parametrize("stage", ["chunking and embedding", "indexing"])
def test_a_cancelled_trial_leaves_no_version_and_no_index(ingested: Workspace, stage: str) -> None:
    events = build_trial(ingested, "A", max_tokens=64)
    for event in events:
        if event.stage == stage:
            events.close()
            break
    assert [row.number for row in list_versions(ingested.database, 1)] == [1]
    assert len(ingested.index.collection_names()) == 1
    assert drive(build_trial(ingested, "A", max_tokens=64)).number == 2


def test_a_trial_that_is_built_again_embeds_nothing(ingested: Workspace) -> None:
    first = drive(build_trial(ingested, "A", max_tokens=64))
    drive(activate_version(ingested, "A", 1))
    assert isinstance(ingested.embedder, FakeEmbedder)
    before = ingested.embedder.embedded_count
    second = drive(build_trial(ingested, "A", max_tokens=64))
    assert ingested.embedder.embedded_count == before
    assert (
        version(ingested, str(first.number)).fingerprint == version(ingested, str(second.number)).fingerprint
    )


class BrokenEmbedder(OtherEmbedder):
    """An embedder whose folder is no model: it fails at the first text."""

    fingerprint = "broken-embedder"  # type: ignore[assignment]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        raise KeyError("weights")


def test_an_embedder_that_does_not_work_is_a_sentence(ingested: Workspace, tmp_path: Path) -> None:
    with pytest.raises(RagError, match="cannot be used: 'weights'"):
        drive(build_trial(ingested, "A", str(tmp_path), load_embedder=lambda _folder: BrokenEmbedder()))
    assert len(list_versions(ingested.database, 1)) == 1


# --- deleting ---------------------------------------------------------------------------------------------


def test_a_deleted_version_takes_what_only_it_contained(ingested: Workspace, tmp_path: Path) -> None:
    (tmp_path / "rain.txt").write_text("Rain falls in April.", "utf-8")
    drive(ingest_files(ingested, "A", [tmp_path / "rain.txt"]))
    drive(remove_documents(ingested, "A", [documents_of(ingested)["rain.txt"].id]))
    assert discard_version(ingested, "A", 2) == 1
    assert [(row.number, row.parent_number) for row in list_versions(ingested.database, 1)] == [
        (3, 1),
        (1, None),
    ]
    for table in ("versiondocument", "versionexclusion", "verificationresult", "verification"):
        assert ingested.database.cells(f"SELECT count(*) FROM {table} WHERE version_id = 2") == [(0,)]
    assert ("version deleted", "A", "version 2: Added 1") in log(ingested)
    assert index_holds_the_active_version(ingested)
    (tmp_path / "rain.txt").write_text("Rain falls in May.", "utf-8")
    assert (
        drive(ingest_files(ingested, "A", [tmp_path / "rain.txt"])).version_number == 4
    )  # 2 is not used again


def test_an_active_or_tagged_version_is_not_deleted(ingested: Workspace) -> None:
    with pytest.raises(RagError, match="Version 1 is active"):
        discard_version(ingested, "A", "1")
    drive(remove_documents(ingested, "A", [documents_of(ingested)["bread.md"].id]))
    for tag in ("baseline", "released"):
        tag_version(ingested, "A", 1, tag)
    with pytest.raises(RagError, match="has the tag baseline, released"):
        discard_version(ingested, "A", 1)
    with pytest.raises(NotFoundError):
        discard_version(ingested, "A", 9)


def test_orphans_are_the_documents_that_no_version_contains(ingested: Workspace, tmp_path: Path) -> None:
    with ingested.store.session() as session:
        assert orphan_documents(session) == []
    (tmp_path / "rain.txt").write_text("Rain falls in April.", "utf-8")
    events = ingest_files(ingested, "A", [tmp_path / "rain.txt"])
    for event in events:
        if event.stage == "indexing":
            events.close()
            break
    with ingested.store.session() as session:
        (orphan,) = orphan_documents(session)
        assert orphan_documents(session, 1) == [orphan]
        assert orphan_documents(session, 2) == []
    assert ingested.database.cells("SELECT name FROM document WHERE id = ?", (orphan,)) == [("rain.txt",)]
