"""Erasing over combinations of versions, trials, shared text and exclusions: it goes, and all else stays."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rag.asking.answer import answer_question
from rag.asking.retrieval import retrieve
from rag.asking.rows import Question
from rag.errors import RagError
from rag.governance.erasure import erase_document
from rag.governance.sentence_search import search_files, sentences_of
from rag.index.vector_index import IndexPlace
from rag.knowledge.collections import open_version
from rag.knowledge.edits import edit_document, exclude_chunks, include_chunks, remove_documents
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import (
    VersionRow,
    get_collection,
    list_chunks,
    list_documents,
    list_version_documents,
    list_versions,
    look_up_version,
    read_exclusions,
)
from rag.knowledge.trials import build_trial
from rag.knowledge.versions import activate_version
from rag.settings import RetrievalSettings
from rag.start_up import needs_start_up, start_up
from rag.workspace import Workspace

EXAMPLES = int(os.environ.get("RAGDECK_EXAMPLES", "5"))  # many more by hand

# Two documents may have a paragraph in common, which is then a chunk that they share.
SHARED = [
    "Every report of this house ends with the same paragraph on the rules of the house, which all must know.",
    "Nobody may copy what is written here without the permission of the owner, who lives in Valparaíso.",
]
OWN = (
    "The secret number {0} of document {1} is kept in drawer {0} of the office in street {1}, says Ms Quill."
)


@dataclass(frozen=True)
class Story:
    """What is done before the erasure: which paragraphs documents begin with, and steps as (kind, number)."""

    documents: tuple[tuple[int, ...], ...]  # numbers of shared paragraphs
    copies: bool  # the last document is a copy of the first
    steps: tuple[tuple[str, int], ...]
    victim: int


STEPS = ("change", "remove", "exclude", "include", "trial", "activate", "describe", "ask", "other collection")


@st.composite
def stories(draw: Callable[..., Any]) -> Story:
    documents = draw(
        st.lists(st.lists(st.integers(0, 1), max_size=2, unique=True).map(tuple), min_size=2, max_size=4)
    )
    steps = draw(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 3)), max_size=6))
    return Story(
        tuple(documents), draw(st.booleans()), tuple(steps), draw(st.integers(0, 3)) % len(documents)
    )


class Teller:
    """Tells a story to a workspace."""

    def __init__(self, workspace: Workspace, folder: Path, story: Story) -> None:
        self.workspace, self.folder, self.story = workspace, folder, story
        self.revisions = [0] * len(story.documents)
        folder.mkdir()
        for number in range(len(story.documents)):
            self.write(number)
        drive(ingest_files(workspace, "A", [folder]))

    def path(self, number: int) -> Path:
        return self.folder / f"doc{number}.txt"

    def write(self, number: int) -> None:
        like = 0 if self.story.copies and number == len(self.story.documents) - 1 else number
        own = [OWN.format(self.revisions[number] * 10 + part, like) for part in (1, 2)]
        shared = [SHARED[one] for one in self.story.documents[like]]
        self.path(number).write_text("\n\n".join([own[0], *shared, own[1]]), "utf-8")

    def present(self) -> dict[str, int]:
        active = look_up_version(self.workspace.database, "A", "active")
        return {row.source: row.id for row in list_documents(self.workspace.database, active.id)}

    def take(self, kind: str, number: int) -> None:
        """Take a step; one that is refused, such as including what is not excluded, changes nothing."""
        path, workspace = self.path(number % len(self.revisions)), self.workspace
        document = self.present().get(str(path))
        chunks = [chunk.id for chunk in list_chunks(workspace.database, document)] if document else []
        try:
            if kind == "change":
                self.revisions[number % len(self.revisions)] += 1
                self.write(number % len(self.revisions))
                drive(ingest_files(workspace, "A", [path]))
            elif kind == "remove" and document:
                drive(remove_documents(workspace, "A", [document]))
            elif kind in ("exclude", "include") and chunks:
                change = {"exclude": lambda: exclude_chunks(workspace, "A", chunks[:1], OWN.format(11, 0)[:40]),
                          "include": lambda: include_chunks(workspace, "A", chunks[:1])}  # fmt: skip
                drive(change[kind]())
            elif kind == "trial":
                drive(build_trial(workspace, "A", max_tokens=32, overlap_tokens=0))
            elif kind == "activate":
                drive(activate_version(workspace, "A", 1))
            elif kind == "describe" and document:
                drive(edit_document(workspace, "A", document, {"author": "Ms Quill"}))
            elif kind == "ask":
                drive(answer_question(workspace, Question(f"What is kept in drawer {number}?", "A")))
            elif kind == "other collection":
                drive(ingest_files(workspace, "B", [path]))
        except RagError:
            pass


def versions(workspace: Workspace) -> list[tuple[str, VersionRow]]:
    names = workspace.database.cells("SELECT name FROM collection ORDER BY name")
    return [
        (name, row)
        for (name,) in names
        for row in list_versions(workspace.database, get_collection(workspace.database, name).id)
    ]


def doomed_sources(workspace: Workspace, victim: str) -> set[str]:
    """Return the sources of the revisions that go: the victim's, and those of the same content."""
    rows = workspace.database.cells("SELECT source, sha256 FROM document")
    contents = {sha256 for source, sha256 in rows if source == victim}
    return {source for source, sha256 in rows if source == victim or sha256 in contents}


def revisions(workspace: Workspace, victim: str) -> set[int]:
    rows = workspace.database.cells("SELECT id, source, sha256 FROM document")
    contents = {sha256 for _, source, sha256 in rows if source == victim}
    return {number for number, source, sha256 in rows if source == victim or sha256 in contents}


def what_stays(workspace: Workspace, doomed: set[int]) -> dict[tuple[str, int], Any]:
    """Return of each version what is not the doomed documents'."""
    found = {}
    for name, row in versions(workspace):
        documents = [d for d in list_version_documents(workspace.database, row.id) if d.id not in doomed]
        chunks = {d.id: [(c.id, c.text) for c in list_chunks(workspace.database, d.id)] for d in documents}
        known = {number for of_one in chunks.values() for number, _ in of_one}
        excluded = {c: why for c, why in read_exclusions(workspace.database, row.id).items() if c in known}
        found[name, row.number] = (
            row.trial, row.active, row.embedder, sorted((d.source, d.sha256, d.attributes) for d in documents), chunks,
            sorted(excluded),
        )  # fmt: skip
    return found


def check_versions(workspace: Workspace, doomed: set[int]) -> None:
    """Hold that counts, vectors and the index fit what each version contains, and that none finds the doomed."""
    for name, row in versions(workspace):
        documents = list_version_documents(workspace.database, row.id)
        excluded = read_exclusions(workspace.database, row.id)
        chunks = [c for d in documents for c in list_chunks(workspace.database, d.id) if c.id not in excluded]
        assert (row.document_count, row.chunk_count) == (len(documents), len(chunks))
        content = workspace.content(row.id, row.embedder)
        assert len(content.hashes) == len(chunks)
        collection, opened = open_version(workspace, name, row.number)
        hits = retrieve(
            workspace, collection, opened, "the number in the drawer of Ms Quill", RetrievalSettings()
        ).hits
        assert not {hit.document_id for hit in hits} & doomed
        if row.active:
            keys = workspace.database.cells("SELECT index_key FROM collection WHERE name = ?", (name,))
            place = IndexPlace(str(keys[0][0]))
            assert sorted(workspace.index.hashes(place)) == sorted(set(content.hashes))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="RAGDECK_EXAMPLES" not in os.environ,
    database=None,
    phases=(Phase.generate,),  # each example takes a second: a story is short enough to read as it is
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(stories())
def test_what_is_erased_is_gone_and_all_else_is_as_it_was(story: Story) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "data").mkdir()
        with Workspace(
            Path(scratch) / "data",
            "a test",
            embedder=FakeEmbedder(),
            load_model=ScriptedModel().load,
            reader=DirectReader(),
        ) as workspace:
            teller = Teller(workspace, Path(scratch) / "files", story)
            for kind, number in story.steps:
                teller.take(kind, number)
            victim = str(teller.path(story.victim))
            doomed = revisions(workspace, victim)
            texts = workspace.database.cells("SELECT id, text FROM document")
            gone = {s for number, text in texts if number in doomed for s in sentences_of(text)}
            kept = {s for number, text in texts if number not in doomed for s in sentences_of(text)}
            before = what_stays(workspace, doomed)
            report = drive(erase_document(workspace, "A", victim))
            assert report.clean, report.found
            assert report.revisions == len(doomed)
            assert drive(search_files(workspace.folder, sorted(gone - kept)))[0] == []
            assert what_stays(workspace, set()) == before
            check_versions(workspace, doomed)
            assert not needs_start_up(workspace)
            assert drive(start_up(workspace)) == []
