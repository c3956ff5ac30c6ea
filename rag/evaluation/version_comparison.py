"""Compares what two dataset versions retrieve for the same questions."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sqlmodel import col, select

from rag.asking.retrieval import retrieve
from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.formats import read_cases
from rag.evaluation.metrics import hit_rate, recall_at_k, reciprocal_rank
from rag.evaluation.rows import QueryComparison, SearchComparison, VersionComparison
from rag.evaluation.sets import set_cases
from rag.evaluation.statistics.paired import compare_runs, summary
from rag.index.rows import Hit
from rag.knowledge.collections import find_collection, open_version
from rag.knowledge.rows import VersionProgress
from rag.knowledge.search_settings import make_parts, retrieval_of, set_retrieval
from rag.settings import RetrievalSettings, preset, preset_of
from rag.storage.tables.knowledge import VerificationQuery
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

_MOST_QUESTIONS = 50
_PAIRED = {"recall": "recall_at_k", "hit rate": "hit_rate", "MRR": "mrr"}  # how the statistics call them


def compare_versions(
    workspace: Workspace,
    collection: str,
    old: int | str,
    new: int | str,
    queries: Sequence[str] = (),
    judged: str = "",
    k: int = 10,
    set_name: str = "",
) -> Generator[VersionProgress, None, VersionComparison]:
    """Search both versions for the same questions and compare their hits.

    Args:
        workspace: Where the collection is.
        collection: Its name.
        old: Number or tag of the version that is compared with.
        new: Number or tag of the other one.
        queries: What is searched for; by default the questions that people asked this collection and its
            verification queries.
        judged: A file of cases in any format of rag.evaluation.formats; empty: none. The shortest one has
            {"question": ..., "documents": [...]} on each line.
        k: How many hits of each version are compared.
        set_name: An evaluation set whose questions are asked too; empty: none.

    Yields:
        Progress, a step for each question.

    Raises:
        RagError: There is no question, no such set, or the file of cases is wrong.
    """
    judgements = _read_judgements(Path(judged)) if judged else {}
    if set_name:
        cases = set_cases(workspace.database, set_name)
        judgements |= _grades(cases)
        queries = [*(case.question for case in cases), *queries]
    asked = list(dict.fromkeys([*judgements, *queries])) or _known_questions(workspace, collection)
    if not asked:
        raise RagError(
            "There are no questions to compare with yet. Type some, or ask the collection something first."
        )
    (found, old_version), (_, new_version) = (
        open_version(workspace, collection, which) for which in (old, new)
    )
    settings = retrieval_of(workspace, found)
    compared = []
    for number, query in enumerate(asked):
        yield VersionProgress("comparing", number, len(asked))
        sides = []
        for version in (old_version, new_version):
            hits = retrieve(workspace, found, version, query, settings).hits
            sides.append([hit for hit in hits if hit.dropped is None][:k])
        compared.append(_compare(query, sides[0], sides[1], judgements.get(query), k))
    return VersionComparison(
        old_version.number, new_version.number, k, tuple(compared), _overlap(compared), _means(compared),
        _verdict(compared, new_version.number),
    )  # fmt: skip


def compare_searches(
    workspace: Workspace,
    collection: str,
    new: RetrievalSettings,
    queries: Sequence[str] = (),
    k: int = 10,
) -> Generator[VersionProgress, None, SearchComparison]:
    """Search the active version as the collection is searched now and as `new` says, and compare the hits.

    Args:
        workspace: Where the collection is.
        collection: Its name.
        new: The other search.
        queries: What is searched for; by default what people asked, and the verification queries.
        k: How many hits of each search are compared.

    Yields:
        Progress, a step for each question.
    """
    found, version = open_version(workspace, collection, None)
    old = retrieval_of(workspace, found)
    asked = list(dict.fromkeys(queries)) or _known_questions(workspace, collection)
    compared = []
    milliseconds = [0.0, 0.0]
    for number, query in enumerate(asked):
        yield VersionProgress("comparing", number, len(asked))
        sides = []
        for side, settings in enumerate((old, new)):
            began = time.perf_counter()
            hits = retrieve(workspace, found, version, query, settings).hits
            milliseconds[side] += (time.perf_counter() - began) * 1000
            sides.append([hit for hit in hits if hit.dropped is None][:k])
        compared.append(_compare(query, sides[0], sides[1], None, k))
    count = max(len(asked), 1)
    return SearchComparison(
        preset_of(old), preset_of(new), k, tuple(compared), _overlap(compared),
        milliseconds[0] / count, milliseconds[1] / count,
    )  # fmt: skip


def upgrade_search(
    workspace: Workspace, collection: str, preset_name: str = "Balanced", keep: bool = True
) -> Generator[VersionProgress, None, SearchComparison]:
    """Make what a preset needs, compare it with the search that the collection has, and change to it.

    Args:
        workspace: Where the collection is.
        collection: Its name.
        preset_name: The preset to change to.
        keep: Whether the collection is searched like that from now on; otherwise both are only compared.

    Yields:
        Progress of the chunks that are read again, then of the questions.
    """
    wanted = preset(preset_name)
    if wanted.pieces or wanted.rerank == "late interaction":
        yield from make_parts(workspace, collection)
    found = yield from compare_searches(workspace, collection, wanted)
    if keep:
        set_retrieval(workspace, collection, preset_name)
    return found


def _known_questions(workspace: Workspace, collection: str) -> list[str]:
    """Return the latest questions of people, then the verification queries."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        questions = session.exec(
            select(Trace.question)
            .where(Trace.collection_id == found.id, Trace.source == "person")
            .order_by(col(Trace.created_ms).desc())
            .limit(10 * _MOST_QUESTIONS)
        ).all()
        queries = session.exec(
            select(VerificationQuery.text).where(VerificationQuery.collection_id == found.id)
        ).all()
    return list(dict.fromkeys([*questions, *queries]))[:_MOST_QUESTIONS]


def _read_judgements(path: Path) -> dict[str, dict[str, int]]:
    """Return the grade of each named document, by question. Raises RagError with the first problem."""
    found = read_cases(path)
    if found.problems:
        raise RagError(f"{path.name}, {found.problems[0].sentence()}")
    return _grades(found.cases)


def _grades(cases: Sequence[Case]) -> dict[str, dict[str, int]]:
    """Return the grade of each document that a case names, by question."""
    return _relevant(
        {case.question: {j.document: j.grade for j in case.judgements if j.document} for case in cases}
    )


def _relevant(named: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {question: grades for question, grades in named.items() if any(g > 0 for g in grades.values())}


def _verdict(compared: Sequence[QueryComparison], number: int) -> str:
    """Return whether the new version is certainly better or worse for the judged questions."""
    old: dict[str, dict[str, list[float | None]]] = {}
    new: dict[str, dict[str, list[float | None]]] = {}
    for query in compared:
        for side, metrics in ((old, query.old_metrics), (new, query.new_metrics)):
            for name, value in (metrics or {}).items():
                side.setdefault(_PAIRED.get(name.split("@")[0], name), {})[query.query] = [value]
    return summary(compare_runs(old, new), f"version {number}") if old else ""


def _compare(
    query: str, old: Sequence[Hit], new: Sequence[Hit], relevant: dict[str, int] | None, k: int
) -> QueryComparison:
    pairs = dict(_matches(old, new))
    changes: list[tuple[str, str, int | None, int | None]] = [
        (hit.document, hit.place, rank, pairs[rank - 1] + 1 if rank - 1 in pairs else None)
        for rank, hit in enumerate(old, 1)
    ]
    taken = set(pairs.values())
    changes += [
        (hit.document, hit.place, None, rank) for rank, hit in enumerate(new, 1) if rank - 1 not in taken
    ]
    found = QueryComparison(query, len(old), len(new), len(pairs), tuple(changes))
    if relevant is None:
        return found
    return replace(found, old_metrics=_metrics(old, relevant, k), new_metrics=_metrics(new, relevant, k))


def _matches(old: Sequence[Hit], new: Sequence[Hit]) -> Iterator[tuple[int, int]]:
    """Yield (old position, new position) of hits that cover the same part of the same file, each once."""
    taken: set[int] = set()
    for a, hit in enumerate(old):
        for b, other in enumerate(new):
            if b in taken or other.path != hit.path:
                continue
            shared = min(hit.end, other.end) - max(hit.start, other.start)
            if shared * 2 >= min(hit.end - hit.start, other.end - other.start):
                taken.add(b)
                yield a, b
                break


def _metrics(hits: Sequence[Hit], relevance: dict[str, int], k: int) -> dict[str, float]:
    """Return the metrics at document level: a document counts where its first passage is."""
    ranked = [hit.path if hit.path in relevance else hit.document for hit in hits]
    return {
        f"recall@{k}": recall_at_k(ranked, relevance, k) or 0.0,
        "hit rate": hit_rate(ranked, relevance, k) or 0.0,
        "MRR": reciprocal_rank(ranked, relevance) or 0.0,
    }


def _overlap(compared: Sequence[QueryComparison]) -> float | None:
    shares = [q.shared / max(q.old_count, q.new_count) for q in compared if max(q.old_count, q.new_count) > 0]
    return sum(shares) / len(shares) if shares else None


def _means(compared: Sequence[QueryComparison]) -> dict[str, tuple[float, float, int]]:
    judged = [q for q in compared if q.old_metrics is not None and q.new_metrics is not None]
    names = list(judged[0].old_metrics or {}) if judged else []
    count = len(judged)
    return {
        name: (
            sum((q.old_metrics or {})[name] for q in judged) / count,
            sum((q.new_metrics or {})[name] for q in judged) / count,
            count,
        )
        for name in names
    }
