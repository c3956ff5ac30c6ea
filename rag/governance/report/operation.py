"""Sections on what happened in use: incidents, what people looked at, and what it cost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from rag.costs.rows import money
from rag.evaluation.statistics.agreement import cohens_kappa
from rag.governance.report.measured import EVENTS, audit_rows
from rag.governance.report.period import moment
from rag.governance.report.rows import Block, Gap, Section, Statement
from rag.governance.report.scope import Scope
from rag.governance.report.sources import Book, counting, section, selected, table_row
from rag.governance.report.system import shortened
from rag.monitoring.control_limits import wilson_interval
from rag.review.rows import ReviewVerdict
from rag.text.plurals import counted

_FLAGGED = ("When (UTC)", "Question", "Flagged sentences", "Worst verdict", "Silent failures")
_DOWN = ("When (UTC)", "Question", "By", "Reason", "Note")
_CHANGED = ("When (UTC)", "Endpoint", "Before", "After")
_QUEUES = ("Queue", "Reviewer", "Reviewed", "Correct", "Partly", "Wrong", "Skipped")
_KAPPA = ("Queue", "Reviewers", "Answers of both", "Agree on", "Cohen's kappa")
_COSTS = ("Currency", "Amount", "Of it estimated from time and power", "Answers")
_MOST_FLAGGED = 25
# (key, title, which questions are counted, of which questions)
_RATES = (
    ("flagged", "had a sentence that its sources do not support", "t.flag_count > 0", "t.claim_count > 0"),
    (
        "contradicted",
        "had a sentence that its sources contradict",
        "t.contradicted_count > 0",
        "t.claim_count > 0",
    ),
    ("refused", "were refusals", "t.outcome = 'refused'", "t.status = 'done'"),
    (
        "silent",
        "were silent failures: an answer that looks like one and is none",
        "t.silent_failures != '[]'",
        "t.status = 'done'",
    ),
    ("failed", "ended in an error", "t.status IN ('failed', 'interrupted')", "t.status != 'cancelled'"),
    ("unchecked", "could not be checked", "t.check_error != ''", "t.status = 'done'"),
)


def incidents_section(scope: Scope, book: Book) -> Section:
    """Return rates of faults with intervals, alerts, flagged answers, thumbs down and changed endpoints."""
    rates = tuple(_rates(scope, book))
    alerts = tuple(audit_rows(scope, book, "incidents.alert", "action = 'alert fired'"))
    down = tuple(_thumbs_down(scope, book))
    gaps = []
    if not rates:
        gaps.append(
            Gap("incidents.rates", "No question was asked in this period, so no rate of faults is known.")
        )
    if not alerts:
        gaps.append(Gap("incidents.alerts", "No alert fired in this period."))
    if not down:
        gaps.append(Gap("incidents.down", "Nobody rated an answer down in this period."))
    blocks = [
        Block("How often something went wrong", rates),
        Block("Alerts", alerts, EVENTS, is_log=True),
        Block("The newest flagged answers and failures", tuple(_flagged(scope, book)), _FLAGGED, is_log=True),
        Block("Answers that people rated down", down, _DOWN, is_log=True),
        Block("Endpoints that changed", tuple(_endpoint_changes(scope, book)), _CHANGED, is_log=True),
    ]
    return section("incidents", "Incidents", blocks, gaps)


def _rates(scope: Scope, book: Book) -> list[Statement]:
    made = []
    for key, title, condition, of in _RATES:
        total = len(scope.question_ids(of))
        if not total:
            continue
        hit = scope.question_ids(f"{of} AND {condition}")
        low, high = wilson_interval(len(hit), total)
        text = (
            f"{len(hit):,} of {counted(total, 'answer')} {title}: {100 * len(hit) / total:.1f} % "
            f"(95 % interval {100 * low:.1f} to {100 * high:.1f} %)."
        )
        ids = hit or scope.question_ids(of)
        made.append(
            counting(
                book, f"incidents.rate.{key}", text, "trace", ids, mean=round(len(hit) / total, 6),
                low=round(low, 6), high=round(high, 6), better="lower", count=len(hit), total=total,
            )
        )  # fmt: skip
    return made


def _flagged(scope: Scope, book: Book) -> list[Statement]:
    rows = scope.asked(
        "t.id, t.created_ms, t.question, t.flag_count, t.worst_verdict, t.silent_failures",
        "t.flag_count > 0 OR t.silent_failures != '[]'",
        "t.contradicted_count > 0 DESC, t.created_ms DESC, t.id",
    )
    made = []
    for row in rows[:_MOST_FLAGGED]:
        cells = (
            moment(row["created_ms"]), shortened(row["question"]), str(row["flag_count"]),
            row["worst_verdict"],
            ", ".join(json.loads(row["silent_failures"])),
        )  # fmt: skip
        made.append(
            table_row(f"incidents.flagged.{row['id']}", _FLAGGED, cells, (book.cite("trace", id=row["id"]),))
        )
    return made


def _thumbs_down(scope: Scope, book: Book) -> list[Statement]:
    rows = scope.rows(
        """SELECT f.*, t.question FROM feedback f JOIN trace t ON t.id = f.trace_id
           WHERE NOT f.is_up AND {period} ORDER BY f.created_ms, f.trace_id, f.author""",
        at="f.created_ms",
    )
    made = []
    for row in _of_scope(scope, rows):
        cells = (
            moment(row["created_ms"]),
            shortened(row["question"]),
            row["author"],
            row["reason"],
            row["note"],
        )
        sources = (
            book.cite("feedback", trace_id=row["trace_id"], author=row["author"]),
            book.cite("trace", id=row["trace_id"]),
        )
        made.append(table_row(f"incidents.down.{row['trace_id']}.{row['author']}", _DOWN, cells, sources))
    return made


def _endpoint_changes(scope: Scope, book: Book) -> list[Statement]:
    made = []
    for row in scope.rows("SELECT * FROM endpointchange WHERE {period} ORDER BY id"):
        before, after = (
            " ".join(filter(None, (row[f"model_{when}"], row[f"fingerprint_{when}"])))
            for when in ("before", "after")
        )
        cells = (moment(row["created_ms"]), row["endpoint"], before, after)
        sources = (book.cite("endpointchange", id=row["id"]),)
        made.append(table_row(f"incidents.endpoint.{row['id']}", _CHANGED, cells, sources))
    return made


def _of_scope(scope: Scope, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows whose question is what the report is about, whenever it was asked."""
    if scope.pipeline is None:
        return list(rows)
    asked = set(Scope(scope.database, type(scope.period)(), scope.pipeline).question_ids())
    return [row for row in rows if row["trace_id"] in asked]


# --- what people looked at --------------------------------------------------------------------------------


def oversight_section(scope: Scope, book: Book) -> Section:
    """Return reviews and how far reviewers agree, feedback, and verdicts on flags and on results."""
    reviews = _of_scope(
        scope,
        scope.rows(
            """SELECT r.*, i.trace_id, q.name AS queue FROM review r JOIN reviewitem i ON i.id = r.item_id
               JOIN reviewqueue q ON q.id = i.queue_id
               WHERE {period} ORDER BY q.name, r.item_id, r.reviewer""",
            at="r.created_ms",
        ),
    )
    agreement = tuple(_agreement(book, reviews))
    said = tuple(_feedback(scope, book))
    gaps = []
    if not reviews:
        gaps.append(Gap("oversight.reviews", "No reviewed answers in this period."))
    elif not agreement:
        gaps.append(
            Gap(
                "oversight.kappa",
                "No two people reviewed the same answer, so how far they agree is not known.",
            )
        )
    if not said:
        gaps.append(Gap("oversight.feedback", "Nobody judged an answer, a flag or a result in this period."))
    blocks = [
        Block("Reviews", tuple(_review_counts(book, reviews)), _QUEUES),
        Block("How far reviewers agree", agreement, _KAPPA),
        Block("Other judgements of people", said),
    ]
    return section("oversight", "Human oversight", blocks, gaps)


def _review_counts(book: Book, reviews: Sequence[dict[str, Any]]) -> list[Statement]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in reviews:
        groups.setdefault((row["queue"], row["reviewer"]), []).append(row)
    made = []
    for (queue, reviewer), rows in groups.items():
        verdicts = Counter(row["verdict"] for row in rows)
        counts = [verdicts[verdict] for verdict in ReviewVerdict]
        cells = (queue, reviewer, f"{len(rows):,}", *(f"{count:,}" for count in counts))
        key = f"oversight.review.{queue}.{reviewer}"
        made.append(
            table_row(key, _QUEUES, cells, _cite_reviews(book, (rows[0], rows[-1])), reviews=len(rows))
        )
    return made


def _cite_reviews(book: Book, rows: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    cited = [book.cite("review", item_id=row["item_id"], reviewer=row["reviewer"]) for row in rows]
    return tuple(dict.fromkeys(cited))


def _agreement(book: Book, reviews: Sequence[dict[str, Any]]) -> list[Statement]:
    """Return Cohen's kappa of every two reviewers of a queue, without what either skipped."""
    by_queue: dict[str, dict[str, dict[int, dict[str, Any]]]] = {}
    for row in reviews:
        if row["verdict"] != ReviewVerdict.SKIP:
            by_queue.setdefault(row["queue"], {}).setdefault(row["reviewer"], {})[row["item_id"]] = row
    made = []
    for queue, by_reviewer in by_queue.items():
        for first, second in combinations(sorted(by_reviewer), 2):
            one, other = by_reviewer[first], by_reviewer[second]
            items = sorted(one.keys() & other.keys())
            if not items:
                continue
            pairs = [(one[item]["verdict"], other[item]["verdict"]) for item in items]
            agreed = sum(a == b for a, b in pairs)
            kappa = cohens_kappa([a for a, _ in pairs], [b for _, b in pairs])
            shown = "not defined: both always say the same" if kappa is None else f"{kappa:.2f}"
            cells = (queue, f"{first}, {second}", f"{len(items):,}", f"{agreed:,}", shown)
            text = (
                f"{first} and {second} agree on {agreed:,} of {counted(len(items), 'answer')} of “{queue}”; "
            )
            text += f"Cohen's kappa is {shown}."
            made.append(
                table_row(
                    f"oversight.kappa.{queue}.{first}.{second}", _KAPPA, cells,
                    _cite_reviews(book, (one[items[0]], other[items[0]])), text,
                    kappa=None if kappa is None else round(kappa, 6), items=len(items), agreed=agreed,
                )
            )  # fmt: skip
    return made


def _feedback(scope: Scope, book: Book) -> list[Statement]:
    made: list[Statement] = []
    thumbs = _of_scope(
        scope, scope.rows("SELECT * FROM feedback WHERE {period} ORDER BY created_ms, trace_id, author")
    )
    if thumbs:
        up = sum(row["is_up"] for row in thumbs)
        ids = [row["trace_id"] for row in thumbs]
        text = f"People rated {counted(len(thumbs), 'answer')}: {up:,} up and {len(thumbs) - up:,} down."
        cited = (
            book.cite("feedback", trace_id=row["trace_id"], author=row["author"])
            for row in (thumbs[0], thumbs[-1])
        )
        values = {"up": up, "down": len(thumbs) - up}
        made.append(
            Statement(
                "oversight.thumbs", text, tuple(dict.fromkeys(cited)), (), values, selected("trace", ids)
            )
        )
    flags = _of_scope(
        scope, scope.rows("SELECT * FROM flagopinion WHERE {period} ORDER BY created_ms, trace_id, start")
    )
    if flags:
        right = sum(row["is_right"] for row in flags)
        text = (
            f"People judged {counted(len(flags), 'flag')}: {right:,} right and {len(flags) - right:,} wrong."
        )
        cite = tuple(
            book.cite("flagopinion", trace_id=row["trace_id"], start=row["start"])
            for row in (flags[0], flags[-1])
        )
        made.append(Statement("oversight.flags", text, tuple(dict.fromkeys(cite)), (), {"right": right}))
    verdicts = scope.rows("SELECT * FROM resultverdict WHERE {period} ORDER BY created_ms, result_id")
    if verdicts and scope.pipeline is not None:
        runs = {run["id"] for run in scope.runs}
        of_run = dict(scope.database.cells("SELECT id, run_id FROM evaluationresult"))
        verdicts = [row for row in verdicts if of_run.get(row["result_id"]) in runs]
    if verdicts:
        right = sum(row["is_right"] for row in verdicts)
        text = (
            f"People judged {counted(len(verdicts), 'answer')} of evaluation runs: {right:,} right and "
            f"{len(verdicts) - right:,} wrong."
        )
        ids = [row["result_id"] for row in verdicts]
        made.append(
            counting(book, "oversight.verdicts", text, "resultverdict", ids, "result_id", right=right)
        )
    return made


# --- costs ------------------------------------------------------------------------------------------------


def costs_section(scope: Scope, book: Book) -> Section:
    """Return what the answers cost, by currency, and of how many that is not known."""
    rows = scope.asked(
        "t.id, c.layer, c.amount, c.currency, c.basis, c.seconds, c.input_tokens, c.output_tokens",
        join="JOIN cost c ON c.trace_id = t.id",
        order="t.created_ms, t.id, c.layer",
    )
    if not rows:
        return section(
            "costs", "Costs", (), [Gap("costs.none", "What the answers of this period cost is not stored.")]
        )
    answers = list(dict.fromkeys(row["id"] for row in rows))
    tokens_in, tokens_out = (sum(row[name] for row in rows) for name in ("input_tokens", "output_tokens"))
    seconds = sum(row["seconds"] for row in rows)
    took = f"{seconds / 3600:,.1f} hours" if seconds >= 3600 else f"{seconds:,.1f} seconds"
    text = (
        f"{counted(len(answers), 'answer')} read {counted(tokens_in, 'token')}, wrote "
        f"{counted(tokens_out, 'token')} and took {took} of work."
    )
    use = counting(
        book, "costs.use", text, "trace", answers,
        tokens_in=tokens_in, tokens_out=tokens_out, seconds=round(seconds, 3),
    )  # fmt: skip
    unknown = list(dict.fromkeys(row["id"] for row in rows if row["amount"] is None))
    gaps = []
    if unknown:
        text = (
            f"For {counted(len(unknown), 'answer')} at least one part has no price, so the sums are too low."
        )
        gaps.append(Gap("costs.unknown", text))
    made = []
    for currency in sorted(
        {row["currency"] for row in rows if row["amount"] is not None and row["currency"]}
    ):
        of = [row for row in rows if row["currency"] == currency and row["amount"] is not None]
        amount = sum(row["amount"] for row in of)
        estimated = sum(row["amount"] for row in of if row["basis"] == "estimate")
        ids = len({row["id"] for row in of})
        cells = (currency, money(amount, currency), money(estimated, currency), f"{ids:,}")
        ends = {(row["id"], row["layer"]): None for row in (of[0], of[-1])}
        sources = tuple(book.cite("cost", trace_id=trace, layer=layer) for trace, layer in ends)
        made.append(
            table_row(f"costs.{currency}", _COSTS, cells, sources, amount=round(amount, 9), answers=ids)
        )
    return section("costs", "Costs", [Block("Work", (use,)), Block("Sums", tuple(made), _COSTS)], gaps)
