"""Finds judgements that a dataset version no longer contains, and what they seem to be about now.

A renamed document, a corrected sentence or a typo makes a judgement stale. Ranking metrics leave it out and
become better without a word. So stale judgements are counted, named, and corrected when a person says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from rag.errors import RagError
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.relevance import JudgedDocument, JudgedVersion
from rag.evaluation.rows import JudgementCheck, StaleJudgement, list_set_versions
from rag.evaluation.sets import change_set, set_cases
from rag.knowledge.collections import open_version
from rag.storage.tables.knowledge import Collection, DatasetVersion
from rag.text.plurals import counted
from rag.workspace import Workspace

_NEAR_NAME = 75  # of 100: how alike two file names must be
_NEAR_QUOTE = 85  # of 100: how alike a quote and a passage must be
_MOST_ALIGNED = 3  # documents that a quote is aligned with; it takes a second for a megabyte
_LONG_WORD = 5  # letters


def check_judgements(
    workspace: Workspace, set_name: str, collection: str, version: str = ""
) -> JudgementCheck:
    """Return which judgements of a set are not found in a dataset version.

    Args:
        workspace: Where both are.
        set_name: The evaluation set; its current version is checked.
        collection: Whose version they are looked for in.
        version: Its number or tag; empty: the active one.

    Raises:
        NotFoundError: There is no such set, collection or version.
    """
    opened, found, cases = _open(workspace, set_name, collection, version)
    finder = _Finder(workspace, opened, found)
    stale = tuple(
        StaleJudgement(case.key, case.question, judgement.label, finder.proposal(judgement)[1])
        for case, judgement in finder.stale(cases)
    )
    judged = sum(len(case.judgements) for case in cases)
    numbers = list_set_versions(workspace.database, set_name)
    number = numbers[0].number if numbers else 0
    return JudgementCheck(set_name, number, opened.name, found.number, judged, stale)


def correct_judgements(workspace: Workspace, set_name: str, collection: str, version: str = "") -> str:
    """Replace every stale judgement that seems to be about something else now; return a sentence.

    It makes a new version of the set. Raises RagError when no judgement can be corrected.
    """
    opened, found, cases = _open(workspace, set_name, collection, version)
    finder = _Finder(workspace, opened, found)
    changed: dict[str, Case] = {case.key: case for case in cases}
    count = 0
    for case, judgement in finder.stale(cases):
        new, _ = finder.proposal(judgement)
        if new is None:
            continue
        count += 1
        now = changed[case.key]
        judgements = tuple(new if one == judgement else one for one in now.judgements)
        cluster = new.document if now.cluster == judgement.document else now.cluster
        changed[case.key] = now.model_copy(update={"judgements": judgements, "cluster": cluster})
    if not count:
        raise RagError(
            f"No judgement of “{set_name}” can be corrected. Edit or remove the stale ones by hand."
        )
    what = counted(count, "judgement")
    message = f"Corrected {what} for version {found.number} of {opened.name}"
    row = change_set(workspace, set_name, put=list(changed.values()), message=message)
    return f"{message}. “{set_name}” now has version {row.number if row else 0}."


def _open(
    workspace: Workspace, set_name: str, collection: str, version: str
) -> tuple[Collection, DatasetVersion, tuple[Case, ...]]:
    cases = set_cases(workspace.database, set_name)
    return *open_version(workspace, collection, version or None), cases


class _Finder:
    """Looks for what stale judgements could be about in one dataset version."""

    def __init__(self, workspace: Workspace, collection: Collection, version: DatasetVersion) -> None:
        self._workspace, self._collection = workspace, collection
        self._judged = JudgedVersion(workspace.store, version.id or 0)

    def stale(self, cases: tuple[Case, ...]) -> Iterator[tuple[Case, Judgement]]:
        """Yield every judgement that is not found, with its case."""
        for case in cases:
            for judgement in self._judged.relevance(case.judgements).stale:
                yield case, judgement

    def proposal(self, judgement: Judgement) -> tuple[Judgement | None, str]:
        """Return the judgement as it seems to be now and a sentence about it; None and "" without any."""
        if judgement.quote:
            return self._near_quote(judgement)
        document = self._same_content(judgement) or self._near_name(judgement)
        if document is None or (judgement.end or 0) > len(self._judged.text(document)):
            return None, ""
        is_path = "/" in judgement.document or "\\" in judgement.document
        called = document.source if is_path else document.name
        new = judgement.model_copy(update={"document": called})
        return new, f"The document seems to be called {document.name} now."

    def _same_content(self, judgement: Judgement) -> JudgedDocument | None:
        """Return the document with the content that the judged one had in an earlier version."""
        with self._workspace.store.session() as session:
            row = session.connection().exec_driver_sql(
                """SELECT new.id FROM document old
                   JOIN document new ON new.collection_id = old.collection_id AND new.sha256 = old.sha256
                   WHERE old.collection_id = ? AND ? IN (old.source, old.name)""",
                (self._collection.id, judgement.document),
            )
            ids = {one[0] for one in row.fetchall()}
        return next((d for d in self._judged.documents if d.id in ids), None)

    def _near_name(self, judgement: Judgement) -> JudgedDocument | None:
        """Return the document whose file name is most alike, if one is and no other name is as much."""
        from rapidfuzz import fuzz

        wanted = _bare(judgement.document)
        ranked = sorted(
            ((fuzz.ratio(wanted, _bare(d.name)), d.id, d) for d in self._judged.documents), reverse=True
        )
        best = [(score, document) for score, _, document in ranked if score == ranked[0][0]]
        if not best or best[0][0] < _NEAR_NAME or len({document.name for _, document in best}) > 1:
            return None
        return best[0][1]

    def _near_quote(self, judgement: Judgement) -> tuple[Judgement | None, str]:
        """Return the passage that is most like the quote, of the document that was named or of any."""
        from rapidfuzz import fuzz

        best, place = _NEAR_QUOTE - 1e-9, None
        for document in self._likely(judgement):
            text = self._judged.text(document)
            found = fuzz.partial_ratio_alignment(judgement.quote, text, score_cutoff=best)
            if found is not None and found.score > best and found.dest_end > found.dest_start:
                best, place = found.score, (document, found.dest_start, found.dest_end)
        if place is None:
            return None, ""
        document, start, end = place
        quote = self._judged.text(document)[start:end]
        new = judgement.model_copy(
            update={"document": document.source, "start": start, "end": end, "quote": quote}
        )
        return new, f"{best:.0f} % alike in {document.name}: “{' '.join(quote.split())[:120]}”"

    def _likely(self, judgement: Judgement) -> list[JudgedDocument]:
        """Return the few documents with the most long words of the quote; a named one comes first."""
        words = {word for word in judgement.quote.lower().split() if len(word) >= _LONG_WORD}
        ranked = []
        for document in self._judged.documents:
            text = self._judged.text(document).lower()
            is_named = judgement.document in (document.source, document.name)
            share = sum(word in text for word in words) / len(words) if words else 0.0
            if is_named or share >= 0.5:
                ranked.append((is_named, share, document))
        ranked.sort(key=lambda one: one[:2], reverse=True)
        return [document for *_, document in ranked[:_MOST_ALIGNED]]


def _bare(name: str) -> str:
    """Return a file name in small letters, without its folders, its suffix and what stands between words."""
    stem = PurePath(name.replace("\\", "/")).stem.casefold()
    return "".join(c for c in stem if c.isalnum())
