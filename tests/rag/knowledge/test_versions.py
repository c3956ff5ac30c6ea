"""Versions: never changed, verified when activated, and answering as they did when they were active."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeEmbedder, drive
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.asking.retrieval import retrieve
from rag.errors import NotFoundError, RagError
from rag.evaluation.version_comparison import compare_versions
from rag.index.vector_index import IndexPlace
from rag.knowledge.collections import delete_collection, open_version, tag_version, untag_version
from rag.knowledge.edits import edit_document, exclude_chunks, include_chunks, remove_documents
from rag.knowledge.index_sync import verify_index
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import (
    get_collection,
    list_chunks,
    list_documents,
    list_version_documents,
    list_versions,
    look_up_version,
    read_exclusions,
)
from rag.knowledge.trials import build_trial, discard_version
from rag.knowledge.verification import add_verification_query
from rag.knowledge.versions import activate_version, undo
from rag.settings import RetrievalSettings
from rag.start_up import start_up
from rag.storage.version_content import fts_tokens
from rag.text.search_terms import query_words
from rag.workspace import Workspace

QUESTIONS = ("tide at Bremen", "brightest star", "rye bread", "fact seven", "日本 の 山")


def version(workspace: Workspace, which: str = "active", name: str = "A") -> Any:
    return look_up_version(workspace.database, name, which)


def found(workspace: Workspace, question: str, which: int | str | None = None) -> list[tuple[int, str]]:
    collection, opened = open_version(workspace, "A", which)
    hits = retrieve(workspace, collection, opened, question, RetrievalSettings()).hits
    return [(hit.chunk_id, hit.dropped or "") for hit in hits]


def index_holds_the_active_version(workspace: Workspace) -> bool:
    row = get_collection(workspace.database, "A")
    with workspace.store.session() as session:
        key = session.connection().exec_driver_sql("SELECT index_key FROM collection WHERE id = ?", (row.id,))
        place = IndexPlace(str(key.scalar_one()))
    active = version(workspace)
    content = workspace.content(active.id, active.embedder)
    return sorted(workspace.index.hashes(place)) == sorted(set(content.hashes))


def snapshot(workspace: Workspace, which: str) -> tuple[Any, ...]:
    """Everything about a version that must never change."""
    row = version(workspace, which)
    documents = list_version_documents(workspace.database, row.id)
    return (
        row.number, row.message, row.fingerprint, row.document_count, row.chunk_count, row.token_count,
        sorted((d.source, d.sha256, d.attributes) for d in documents), read_exclusions(workspace.database, row.id),
        [found(workspace, question, row.number) for question in QUESTIONS],
    )  # fmt: skip


def test_every_change_is_a_version_that_says_what_came_and_went(
    workspace: Workspace, documents: Path
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    first = version(workspace)
    assert (first.kind, first.parent_number, first.chunks_added, first.chunks_removed) == (
        "ingest",
        None,
        3,
        0,
    )
    assert first.tokens_added == first.token_count > 0
    assert first.verification_ok
    rows = {d.name: d for d in list_documents(workspace.database, first.id)}
    drive(remove_documents(workspace, "A", [rows["stars.txt"].id]))
    removed = version(workspace)
    assert (removed.kind, removed.parent_number, removed.chunks_removed) == ("remove", 1, 1)
    assert removed.message == "Removed “stars.txt”"
    drive(edit_document(workspace, "A", rows["tides.txt"].id, {"author": "Harbour office", "empty": " "}))
    edited = version(workspace)
    assert (edited.kind, edited.chunks_added, edited.chunks_removed) == ("metadata", 0, 0)
    assert edited.fingerprint != removed.fingerprint
    chunk = list_chunks(workspace.database, rows["bread.md"].id)[0]
    drive(exclude_chunks(workspace, "A", [chunk.id], "outdated"))
    excluded = version(workspace)
    assert (excluded.kind, excluded.excluded_count, excluded.chunk_count) == ("exclude", 1, 1)
    assert chunk.id not in [chunk_id for chunk_id, _ in found(workspace, "rye bread sourdough")]
    drive(include_chunks(workspace, "A", [chunk.id]))
    assert version(workspace).chunk_count == 2
    assert found(workspace, "rye bread sourdough")[0] == (chunk.id, "")
    assert [v.number for v in list_versions(workspace.database, 1)] == [5, 4, 3, 2, 1]


def test_a_removal_is_undone(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    ids = [d.id for d in list_documents(workspace.database, version(workspace).id)]
    drive(remove_documents(workspace, "A", ids[:2]))
    report = drive(undo(workspace, "A"))
    assert report.number == 1
    assert report.verification.ok
    assert index_holds_the_active_version(workspace)
    with pytest.raises(RagError, match="first one"):
        drive(undo(workspace, "A"))


def test_changes_that_change_nothing_are_refused(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    row = list_documents(workspace.database, version(workspace).id)[0]
    chunk = list_chunks(workspace.database, row.id)[0]
    for generator in (
        remove_documents(workspace, "A", [999]),
        edit_document(workspace, "A", row.id, {}),
        edit_document(workspace, "A", 999, {"a": "b"}),
        exclude_chunks(workspace, "A", [999], "why"),
        include_chunks(workspace, "A", [chunk.id]),
    ):
        with pytest.raises(RagError):
            drive(generator)
    with pytest.raises(RagError, match="Say why"):
        exclude_chunks(workspace, "A", [chunk.id], "  ")
    assert len(list_versions(workspace.database, 1)) == 1
    assert workspace.database.query("SELECT pending_kind FROM collection")[0][0] == ""


def test_attributes_and_exclusions_go_with_a_new_revision(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "long.md"
    parts = [f"# Part {n}\n\n" + f"Fact {n} is about item {n}. " * 30 for n in range(4)]
    file.write_text("\n\n".join(parts), "utf-8")
    drive(ingest_files(workspace, "A", [file]))
    document = list_documents(workspace.database, version(workspace).id)[0]
    drive(edit_document(workspace, "A", document.id, {"author": "Ann"}))
    chunks = list_chunks(workspace.database, document.id)
    drive(exclude_chunks(workspace, "A", [chunks[-1].id, chunks[0].id], "wrong"))
    file.write_text("\n\n".join(["# Part 0\n\nNow all is different here.", *parts[1:]]), "utf-8")
    drive(ingest_files(workspace, "A", [file]))
    row = list_documents(workspace.database, version(workspace).id)[0]
    assert json.loads(row.attributes) == {"author": "Ann"}
    assert row.excluded_count == 1  # the last chunk's text is still there, the first one's is not
    assert list(read_exclusions(workspace.database, version(workspace).id).values()) == ["wrong"]


def test_rollback_embeds_nothing_and_is_verified_and_logged(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    before = snapshot(workspace, "1")
    (documents / "tides.txt").write_text("The tide at Emden rises 3 metres.", "utf-8")
    drive(ingest_files(workspace, "A", [documents]))
    assert isinstance(workspace.embedder, FakeEmbedder)
    embedded = workspace.embedder.embedded_count
    report = drive(activate_version(workspace, "A", 1))
    assert workspace.embedder.embedded_count == embedded
    verification = report.verification
    assert (
        verification.ok
        and verification.fingerprint_same
        and verification.vectors_same == verification.vectors_checked == 3
    )
    assert verification.queries_same == verification.query_count >= 3
    assert snapshot(workspace, "1") == before
    assert version(workspace, "1").verification_ok
    log = [
        tuple(row) for row in workspace.database.query("SELECT action, detail FROM auditevent ORDER BY id")
    ]
    assert ("index verified", f"version 1: {verification.sentence()}") in log


def test_a_damaged_index_fails_verification_and_is_filled_anew(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    key = workspace.database.query("SELECT index_key FROM collection")[0][0]
    collection = workspace.index._collection(IndexPlace(key))
    ids = collection.get(include=[])["ids"]
    wrong = np.zeros((1, 1024), dtype=np.float32)
    wrong[0, 5] = 1
    collection.update(ids=ids[:1], embeddings=wrong)
    collection.delete(ids=ids[1:2])
    result = drive(verify_index(workspace, "A"))
    assert result.ok
    assert "filled again" in result.detail
    reports = workspace.database.query(
        "SELECT ok, fingerprint_same FROM verification ORDER BY id DESC LIMIT 3"
    )
    assert [tuple(row) for row in reports] == [(1, 1), (0, 1), (0, 0)]
    assert index_holds_the_active_version(workspace)


def test_the_old_version_answers_until_the_new_one_is_complete(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    (documents / "tides.txt").write_text("The tide at Emden rises 3 metres.", "utf-8")
    before = found(workspace, "tide Bremen")
    events = ingest_files(workspace, "A", [documents])
    seen = set()
    for event in events:
        seen.add(event.stage)
        if event.stage == "indexing":
            assert version(workspace).number == 1
            assert found(workspace, "tide Bremen") == before
            collection, opened = open_version(workspace, "A", None)
            assert retrieve(workspace, collection, opened, "tide", RetrievalSettings()).fallbacks == ()
    assert {"indexing", "cleaning", "verifying"} <= seen
    assert version(workspace).number == 2


@pytest.mark.parametrize("stage", ["indexing", "cleaning", "verifying"])
def test_a_cancelled_activation_leaves_a_whole_version(
    workspace: Workspace, documents: Path, stage: str
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    (documents / "tides.txt").write_text("The tide at Emden rises 3 metres.", "utf-8")
    drive(ingest_files(workspace, "A", [documents]))
    events = activate_version(workspace, "A", 1)
    for event in events:
        if event.stage == stage:
            events.close()
            break
    active = version(workspace).number
    assert active == (2 if stage == "indexing" else 1)
    drive(start_up(workspace))
    assert version(workspace).number == active
    assert index_holds_the_active_version(workspace)


def test_tags_name_versions_and_move(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents / "tides.txt"]))
    drive(ingest_files(workspace, "A", [documents]))
    tag_version(workspace, "A", 1, "baseline")
    tag_version(workspace, "A", None, "released")
    assert version(workspace, "baseline").number == 1
    assert found(workspace, "tide", "baseline") == found(workspace, "tide", 1)
    tag_version(workspace, "A", 2, "baseline")
    assert version(workspace, "2").tags == ("baseline", "released")
    drive(activate_version(workspace, "A", 1))
    with pytest.raises(RagError, match="has the tag"):
        discard_version(workspace, "A", 2)
    untag_version(workspace, "A", "baseline")
    with pytest.raises(NotFoundError):
        untag_version(workspace, "A", "baseline")
    for wrong in ("", "7", "x" * 61):
        with pytest.raises(RagError, match="A tag is"):
            tag_version(workspace, "A", 1, wrong)


def test_a_persons_verification_query_is_kept_for_every_version(
    workspace: Workspace, documents: Path
) -> None:
    drive(ingest_files(workspace, "A", [documents / "tides.txt"]))
    drive(ingest_files(workspace, "A", [documents]))
    add_verification_query(workspace, "A", "How high is the tide at Bremen?")
    results = workspace.database.query(
        "SELECT count(*) FROM verificationresult r JOIN verificationquery p ON p.id = r.query_id WHERE p.by_person"
    )
    assert results[0][0] == 2
    report = drive(activate_version(workspace, "A", 1))
    assert report.verification.ok
    assert report.verification.query_count == report.verification.queries_same


def test_bm25_is_what_a_plain_loop_computes(workspace: Workspace, tmp_path: Path) -> None:
    generator = random.Random(4)
    words = [f"word{n}" for n in range(30)] + ["日本", "café"]
    for number in range(25):
        text = " ".join(generator.choices(words, k=generator.randint(5, 60)))
        (tmp_path / f"{number}.txt").write_text(text, "utf-8")
    drive(ingest_files(workspace, "A", [tmp_path]))
    drive(ingest_files(workspace, "B", [tmp_path / "1.txt", tmp_path / "2.txt"]))  # must not count in A
    active = version(workspace)
    content = workspace.content(active.id, active.embedder)
    rows = workspace.database.query("SELECT c.id, c.text, c.token_count FROM chunk c JOIN document d "
                                   "ON d.id = c.document_id WHERE d.collection_id = 1")  # fmt: skip
    query = "word3 word7 CAFE 日本"
    mean = sum(row[2] for row in rows) / len(rows)
    expected: dict[int, float] = {}
    for word in ("word3", "word7", "café", "日本"):
        counts = {row[0]: row[1].split().count(word) for row in rows}
        holding = sum(1 for count in counts.values() if count)
        idf = np.log(1 + (len(rows) - holding + 0.5) / (holding + 0.5))
        for row in rows:
            tf = counts[row[0]]
            if tf:
                norm = 1.2 * (1 - 0.75 + 0.75 * row[2] / mean)
                expected[row[0]] = expected.get(row[0], 0.0) + idf * tf * 2.2 / (tf + norm)
    with workspace.store.session() as session:
        scored = dict(content.search_words(session, query_words(query), 100))
    assert scored.keys() == expected.keys()
    assert all(abs(scored[i] - expected[i]) < 1e-4 for i in expected)


def test_words_are_folded_as_fts5_folds_them() -> None:
    assert fts_tokens(["Café", "富士山", "foo_bar", "cafe"]) == [
        ("cafe",),
        ("富", "士", "山"),
        ("foo", "bar"),
    ]


# --- what if ----------------------------------------------------------------------------------------------


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


class OtherEmbedder(FakeEmbedder):
    fingerprint = "other-embedder"  # type: ignore[assignment]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.ascontiguousarray(super().encode(texts)[:, ::-1][:, :512] + 1e-3)


def test_another_embedder_has_an_index_of_its_own_and_is_never_mixed_up(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive(ingest_files(workspace, "A", [make_long(tmp_path / "files")]))
    monkeypatch.setattr("rag.knowledge.trials.Embedder", lambda _folder: OtherEmbedder())
    trial = drive(build_trial(workspace, "A", embedder_folder=str(tmp_path)))
    assert version(workspace, str(trial.number)).kind == "embedder"
    drive(activate_version(workspace, "A", trial.number))
    assert index_holds_the_active_version(workspace)
    assert found(workspace, "item 7 of shelf 2")
    assert found(workspace, "item 7 of shelf 2", 1)
    drive(activate_version(workspace, "A", 1))
    assert index_holds_the_active_version(workspace)
    workspace._embedders.clear()
    with pytest.raises(RagError, match=r"is gone|not the one|not installed"):
        found(workspace, "item 7", trial.number)


@pytest.mark.models
def test_a_real_folder_with_another_embedder_is_tried(folder: Path, tmp_path: Path, documents: Path) -> None:
    import shutil

    from rag.models.embedding import starter_embedder_folder

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
    with Workspace(folder, "a test") as workspace, pytest.raises(RagError, match="not the one that made"):
        found(workspace, "How high is the tide?")


# --- any sequence -----------------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(st.sampled_from(["add", "change", "remove", "exclude", "metadata", "rollback", "undo"]), st.integers(0, 99)),
    min_size=1,
    max_size=7,
)  # fmt: skip


@given(steps)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_sequence_of_changes_keeps_what_versions_promise(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[str, int]]
) -> None:
    """Content immutable, index equal to the active version, and version n answers as when it was active."""
    root = tmp_path_factory.mktemp("sequence")
    (root / "data").mkdir()
    files = root / "files"
    files.mkdir()
    (files / "first.txt").write_text("The tide at Bremen. Fact seven. 日本 の 山.", "utf-8")
    from fakes import ScriptedModel

    with Workspace(
        root / "data", "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load
    ) as workspace:
        drive(ingest_files(workspace, "A", [files]))
        promised = {1: snapshot(workspace, "active")}
        for action, number in actions:
            try:
                perform(workspace, files, action, number)
            except RagError:
                continue
            active = version(workspace).number
            promised.setdefault(active, snapshot(workspace, "active"))
            assert index_holds_the_active_version(workspace)
        for which, expected in promised.items():
            assert snapshot(workspace, str(which)) == expected
            assert version(workspace, str(which)).verification_ok in (True, None)


def perform(workspace: Workspace, files: Path, action: str, number: int) -> None:
    active = version(workspace)
    documents = list_documents(workspace.database, active.id)
    present = sorted(files.iterdir())
    if action in ("add", "change"):
        name = f"{number}.txt" if action == "add" or not present else present[number % len(present)].name
        words = ["tide", "star", "bread", "fact", "山", f"n{number}"]
        text = ". ".join(
            f"{random.Random(number + n).choice(words)} {n % 3}" for n in range(number * 7 % 120 + 3)
        )
        (files / name).write_text(text, "utf-8")
        drive(ingest_files(workspace, "A", [files]))
    elif action == "remove":
        drive(remove_documents(workspace, "A", [documents[number % len(documents)].id] if documents else []))
    elif action == "metadata":
        document = documents[number % len(documents)].id if documents else 0
        drive(edit_document(workspace, "A", document, {"note": str(number)}))
    elif action == "exclude":
        chunks = list_chunks(workspace.database, documents[number % len(documents)].id) if documents else []
        drive(exclude_chunks(workspace, "A", [chunks[number % len(chunks)].id] if chunks else [], "why"))
    elif action == "rollback":
        drive(activate_version(workspace, "A", number % len(list_versions(workspace.database, 1)) + 1))
    else:
        drive(undo(workspace, "A"))


def test_deleting_a_collection_takes_all_of_it(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    tag_version(workspace, "A", 1, "baseline")
    row = list_documents(workspace.database, version(workspace).id)[0]
    drive(exclude_chunks(workspace, "A", [list_chunks(workspace.database, row.id)[0].id], "no"))
    delete_collection(workspace, "A")
    for table in ("collection", "document", "chunk", "datasetversion", "versiondocument", "versionexclusion",
                  "versiontag", "verificationquery", "verificationresult", "verification"):  # fmt: skip
        assert workspace.database.query(f"SELECT count(*) FROM {table}")[0][0] == 0, table
    assert workspace.index.collection_names() == []
