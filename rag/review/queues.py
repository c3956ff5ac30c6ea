"""Review queues: answers chosen by source, judged by people, and made into cases of an evaluation set."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

from sqlmodel import Session, select

from rag.asking.applications.rows import traffic
from rag.asking.rows import get_trace
from rag.errors import NotFoundError, RagError
from rag.evaluation.cases import Case
from rag.evaluation.sets import change_set, ensure_set
from rag.evaluation.statistics.agreement import cohens_kappa
from rag.review.feedback import case_of, check_reason, put_case
from rag.review.rows import (
    Reason,
    ReviewDisagreement,
    ReviewerAgreement,
    ReviewRow,
    ReviewSource,
    ReviewVerdict,
    list_reviews,
)
from rag.storage import audit_log
from rag.storage.database import Database
from rag.storage.store import insert_rows, now_ms
from rag.storage.tables.review import Review, ReviewItem, ReviewQueue
from rag.text.spreadsheets import BYTE_ORDER_MARK, guarded
from rag.workspace import Workspace

_MOST = 10_000  # items a source may add at once
# The traces of a source in the order of its choice; the score is the lower of support and best similarity.
_QUERIES = {
    ReviewSource.FLAGGED: """SELECT t.id, NULL FROM trace t WHERE {asked} AND t.flag_count > 0
        ORDER BY t.created_ms DESC, t.id""",
    ReviewSource.THUMBS_DOWN: """SELECT t.id, NULL FROM trace t WHERE {asked} AND EXISTS
        (SELECT 1 FROM feedback f WHERE f.trace_id = t.id AND NOT f.is_up)
        ORDER BY t.created_ms DESC, t.id""",
    ReviewSource.LOW_SCORE: """SELECT id, score FROM (SELECT t.id, t.created_ms,
        min(coalesce(t.support_rate, 1.0), coalesce((SELECT max(h.dense_score) FROM tracehit h
            WHERE h.trace_id = t.id), 1.0)) AS score
        FROM trace t WHERE {asked}) WHERE score < 1 ORDER BY score, created_ms DESC, id""",
    ReviewSource.RANDOM: "SELECT t.id, NULL FROM trace t WHERE {asked} ORDER BY t.id",
}
_ASKED = """{whose} AND t.status IN ('done', 'nothing found')
    AND NOT EXISTS (SELECT 1 FROM reviewitem i WHERE i.queue_id = ? AND i.trace_id = t.id)"""


def fill_queue(
    workspace: Workspace, queue: str, counts: Mapping[str, int], *, collection: str = "", seed: int = 1
) -> int:
    """Add answers to a queue, which is made if it does not exist; return how many were added.

    Answers come newest first, with the lowest scores first, or at random by the seed. Answers already in the
    queue are skipped.

    Args:
        workspace: Where the traces are.
        queue: The queue's name.
        counts: The maximum of each source, see ReviewSource.
        collection: Only answers of this one, or of "application:NAME"; "": of all that was asked here.
        seed: Of the random sample.

    Raises:
        RagError: A name, source or count is refused.
    """
    queue = queue.strip()
    if not queue or len(queue) > 200:
        raise RagError("A review queue needs a name of at most 200 characters.")
    for source, count in counts.items():
        if source not in set(ReviewSource):
            raise RagError(f"“{source}” is not a source. Choose one of: {', '.join(ReviewSource)}.")
        if not 0 <= count <= _MOST:
            raise RagError(f"A source adds 0 to {_MOST:,} answers at once.")
    with workspace.store.session() as session:
        found = session.exec(select(ReviewQueue).where(ReviewQueue.name == queue)).first()
        if found is None:
            found = ReviewQueue(name=queue, created_ms=now_ms())
            session.add(found)
            session.flush()
        added = 0
        for source, count in counts.items():
            chosen = _choose(session, found.id or 0, ReviewSource(source), count, collection, seed)
            rows = [
                {"queue_id": found.id, "trace_id": trace_id, "source": source, "score": score}
                for trace_id, score in chosen
            ]
            insert_rows(session, ReviewItem, rows)
            added += len(chosen)
        audit_log.record(session, audit_log.Action.REVIEW_QUEUE_FILLED, queue, f"{added} answers")
    return added


def _choose(
    session: Session, queue_id: int, source: ReviewSource, count: int, collection: str, seed: int
) -> list[tuple[str, float | None]]:
    """Return (trace id, score) of the answers that a source adds to a queue."""
    whose, values = traffic(collection)
    statement = _QUERIES[source].format(asked=_ASKED.format(whose=whose))
    if source is not ReviewSource.RANDOM:
        statement += f" LIMIT {int(count)}"
    rows = session.connection().exec_driver_sql(statement, (*values, queue_id)).fetchall()
    found = [(str(row[0]), row[1]) for row in rows]
    if source is ReviewSource.RANDOM and len(found) > count:
        found = random.Random(seed).sample(found, count)
    return found


def save_verdict(
    workspace: Workspace,
    item_id: int,
    reviewer: str,
    verdict: str,
    *,
    reason: str = "",
    correction: str = "",
    relevant: Sequence[int] = (),
) -> None:
    """Store a reviewer's verdict; their earlier one on the item is replaced.

    Args:
        workspace: Where the queue is.
        item_id: The item.
        reviewer: Who judges.
        verdict: One of ReviewVerdict.
        reason: One of Reason, or "".
        correction: The right answer, or "".
        relevant: Markers of the passages that contain the answer.

    Raises:
        RagError: There is no such item, or a value is refused.
    """
    reviewer = reviewer.strip()
    if not reviewer or len(reviewer) > 100:
        raise RagError("Enter the reviewer's name, at most 100 characters.")
    if verdict not in set(ReviewVerdict):
        raise RagError(f"“{verdict[:80]}” is not a verdict. Choose one of: {', '.join(ReviewVerdict)}.")
    check_reason(reason)
    with workspace.store.session() as session:
        if session.get(ReviewItem, item_id) is None:
            raise NotFoundError(
                f"There is no review item {item_id}. Run `ragdeck review list QUEUE` to see them."
            )
        before = session.get(Review, (item_id, reviewer))
        session.merge(
            Review(
                item_id=item_id,
                reviewer=reviewer,
                created_ms=now_ms(),
                verdict=verdict,
                reason=reason,
                correction=correction.strip(),
                relevant=json.dumps(sorted(set(relevant))),
                set_name=before.set_name if before else "",
                case_key=before.case_key if before else "",
            )
        )
        audit_log.record(session, audit_log.Action.ANSWER_REVIEWED, str(item_id), f"{verdict} by {reviewer}")


def reviewer_agreement(database: Database, queue: str, reviewer: str = "") -> list[ReviewerAgreement]:
    """Return the agreement of every two reviewers, or of one with every other. Raises NotFoundError."""
    said = list_reviews(database, queue)
    names = sorted({review.reviewer for _, reviews in said for review in reviews})
    found = []
    for first, second in combinations(names, 2):
        if reviewer and reviewer not in (first, second):
            continue
        both = []
        for item, reviews in said:
            verdicts = {r.reviewer: r.verdict for r in reviews if r.verdict is not ReviewVerdict.SKIP}
            if first in verdicts and second in verdicts:
                both.append((item, verdicts[first], verdicts[second]))
        differ = [ReviewDisagreement(i.id, i.trace_id, i.question, a, b) for i, a, b in both if a != b]
        kappa = cohens_kappa([a for _, a, _ in both], [b for _, _, b in both])
        found.append(
            ReviewerAgreement(first, second, len(both), len(both) - len(differ), kappa, tuple(differ))
        )
    return found


def make_review_case(workspace: Workspace, item_id: int, reviewer: str, set_name: str) -> Case:
    """Make a case of one item by this reviewer's verdict. Raises RagError."""
    with workspace.store.session() as session:
        item, review = session.get(ReviewItem, item_id), session.get(Review, (item_id, reviewer.strip()))
        if item is None or review is None:
            raise RagError("Give a verdict first. It decides the right answer of the case.")
        values = review.model_dump()
        values |= {"verdict": ReviewVerdict(review.verdict), "relevant": tuple(json.loads(review.relevant))}
        row = ReviewRow(**values)
        trace_id = item.trace_id
    case = _case(workspace, trace_id, row)
    put_case(workspace, set_name, case)
    _remember(workspace, [(row, case.key)], set_name)
    return case


def make_cases(workspace: Workspace, queue: str, set_name: str) -> tuple[int, int]:
    """Make cases of all items whose reviewers agree, in one new version of a set, made if it does not exist.

    Returns (cases, items left out because reviewers disagree, skipped them, or nobody wrote the right
    answer). Raises NotFoundError.
    """
    cases: list[Case] = []
    made: list[tuple[ReviewRow, str]] = []
    left_out = 0
    for item, reviews in list_reviews(workspace.database, queue):
        said = [review for review in reviews if review.verdict is not ReviewVerdict.SKIP]
        if not said:
            left_out += bool(reviews)
            continue
        best = max(said, key=lambda review: (bool(review.correction), review.created_ms))
        try:
            if len({review.verdict for review in said}) > 1:
                raise RagError("The reviewers disagree.")
            case = _case(workspace, item.trace_id, best)
        except RagError:
            left_out += 1
            continue
        cases.append(case)
        made.append((best, case.key))
    if cases:
        set_name = ensure_set(workspace, set_name)
        change_set(workspace, set_name, put=cases, message=f"From the review queue “{queue}”")
        _remember(workspace, made, set_name)
    return len(cases), left_out


def export_reviews(database: Database, queue: str, path: Path, byte_order_mark: bool = True) -> int:
    """Write a line for each verdict, as CSV or, when the name ends in .jsonl, as JSON; return how many.

    Args:
        database: Where the verdicts are.
        queue: The queue's name.
        path: The file; a CSV is made for spreadsheets, in which no cell is run as a formula.
        byte_order_mark: Whether a CSV begins with one, by which Excel knows UTF-8.

    Raises:
        RagError: Nobody has reviewed anything, or the file cannot be written.
    """
    lines = []
    for item, reviews in list_reviews(database, queue):
        trace = get_trace(database, item.trace_id)
        for review in reviews:
            lines.append(
                {
                    "queue": queue,
                    "item": item.id,
                    "trace_id": item.trace_id,
                    "why": item.why,
                    "question": item.question,
                    "answer": trace.answer,
                    **{name: value for name, value in asdict(review).items() if name != "item_id"},
                }
            )
    if not lines:
        raise RagError(f"Nobody has reviewed anything in “{queue}” yet.")
    try:
        if path.suffix.lower() == ".jsonl":
            path.write_text("".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines), "utf-8")
        else:
            with path.open("w", encoding="utf-8", newline="") as file:
                file.write(BYTE_ORDER_MARK if byte_order_mark else "")
                writer = csv.writer(file)
                writer.writerow(lines[0])
                for line in lines:
                    cells = {**line, "relevant": json.dumps(line["relevant"])}.values()
                    writer.writerow(guarded(cell) if isinstance(cell, str) else cell for cell in cells)
    except OSError as error:
        raise RagError(f"{path} cannot be written: {error.strerror or error}.") from error
    detail = f"{len(lines)} verdicts to {path}"
    audit_log.record_apart(database.path, audit_log.Action.REVIEWS_EXPORTED, queue, detail)
    return len(lines)


def delete_queue(workspace: Workspace, queue: str) -> None:
    """Delete a queue with all its verdicts; cases that were made of them stay. Raises NotFoundError."""
    with workspace.store.session() as session:
        found = session.exec(select(ReviewQueue).where(ReviewQueue.name == queue)).first()
        if found is None:
            raise NotFoundError(f"There is no review queue named “{queue}”.")
        raw = session.connection()
        raw.exec_driver_sql(
            "DELETE FROM review WHERE item_id IN (SELECT id FROM reviewitem WHERE queue_id = ?)", (found.id,)
        )
        raw.exec_driver_sql("DELETE FROM reviewitem WHERE queue_id = ?", (found.id,))
        session.delete(found)
        audit_log.record(session, audit_log.Action.REVIEW_QUEUE_DELETED, queue)


def _case(workspace: Workspace, trace_id: str, review: ReviewRow) -> Case:
    right = review.verdict is ReviewVerdict.CORRECT
    return case_of(
        get_trace(workspace.database, trace_id),
        correction=review.correction,
        is_right=right,
        should_refuse=not right and review.reason == Reason.SHOULD_HAVE_REFUSED,
        relevant=review.relevant,
        tags=("reviewed",),
    )


def _remember(workspace: Workspace, made: Sequence[tuple[ReviewRow, str]], set_name: str) -> None:
    with workspace.store.session() as session:
        for review, key in made:
            row = session.get(Review, (review.item_id, review.reviewer))
            if row is not None:
                row.set_name, row.case_key = set_name, key
                session.add(row)


def review_case(workspace: Workspace, item_id: int, reviewer: str, set_name: str) -> str:
    """Make a case of a reviewed answer for the window; return its key. Raises RagError."""
    return make_review_case(workspace, item_id, reviewer, set_name).key
