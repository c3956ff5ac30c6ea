"""Says what is known of an answer of a run, and why a case scored differently in two runs."""

from __future__ import annotations

from collections.abc import Sequence

from rag.evaluation.cases import Case, Judgement
from rag.evaluation.rows import CaseOutcome, ResultRow
from rag.evaluation.verdicts.rows import AnswerMark, ShownPassage
from rag.text.plurals import counted

_MOST_NAMED = 2  # passages in a sentence; the others are counted


def mark_of(result: ResultRow, case: Case | None) -> tuple[AnswerMark, str]:
    """Return what is known of an answer, and how: people first, then the case, its checks and the judge."""
    if result.outcome in _NO_ANSWER:
        return _NO_ANSWER[result.outcome], result.error
    if result.verdict is not None:
        word = "right" if result.verdict else "wrong"
        return (AnswerMark.RIGHT if result.verdict else AnswerMark.WRONG), f"a person called it {word}"
    if case is not None and case.should_refuse:
        declined = result.metrics.get("correct_refusal")
        if declined is not None:
            said = "it declined, as it should" if declined else "it should have declined"
            return (AnswerMark.RIGHT if declined else AnswerMark.WRONG), said
    if result.outcome == CaseOutcome.REFUSED:
        return AnswerMark.DECLINED, "it declined although the documents answer this"
    failed = next((reason for _, passed, reason in result.checks if not passed), None)
    if failed is not None:
        return AnswerMark.CHECK_FAILED, failed
    judged = result.metrics.get("judge")
    if judged is not None:
        word = "right" if judged else "wrong"
        return (AnswerMark.RIGHT if judged else AnswerMark.WRONG), f"the judge called it {word}"
    if result.metrics.get("exact_match") == 1:
        return AnswerMark.RIGHT, "it equals a reference answer"
    if result.checks:
        return AnswerMark.CHECKS_PASSED, f"it passes {counted(len(result.checks), 'check')} of the case"
    return AnswerMark.RAN, "it ran; nothing says yet whether the answer is right"


_NO_ANSWER = {CaseOutcome.ERROR: AnswerMark.ERROR, CaseOutcome.TIMEOUT: AnswerMark.TIMEOUT}


def explain_change(
    case: Case | None,
    first: ResultRow,
    last: ResultRow,
    passages: dict[str, list[ShownPassage]],
    flags: dict[str, int],
) -> tuple[str, ...]:
    """Return why a case scored differently, a reason each, what probably matters most first.

    Args:
        case: The case, None when its set was deleted.
        first: Its answer in the baseline.
        last: Its answer in the other run.
        passages: What was in the prompts, by trace.
        flags: How many sentences of each trace's answer are flagged.
    """
    before, after = passages.get(first.trace_id, []), passages.get(last.trace_id, [])
    old, new = {(p.path, p.text) for p in before}, {(p.path, p.text) for p in after}
    reasons = [
        _mark_change(mark_of(first, case), mark_of(last, case)),
        _passages_change("lost", [p for p in before if (p.path, p.text) not in new], case),
        _passages_change("gained", [p for p in after if (p.path, p.text) not in old], case),
        _order_change(before, after),
        _flags_change(flags.get(first.trace_id), flags.get(last.trace_id)),
    ]
    if first.outcome not in _NO_ANSWER and last.outcome not in _NO_ANSWER:
        same = " ".join(first.answer.split()) == " ".join(last.answer.split())
        reasons.append("the answer is the same" if same else "the answer differs")
    return tuple(reason for reason in reasons if reason)


def _mark_change(first: tuple[AnswerMark, str], last: tuple[AnswerMark, str]) -> str:
    if first[0] == last[0]:
        return ""
    why = f" ({last[1]})" if last[1] else ""
    return f"{first[0]} before, {last[0]} now{why}"


def _passages_change(verb: str, passages: Sequence[ShownPassage], case: Case | None) -> str:
    """Return which passages a prompt lost or gained; those that the case names come first."""
    if not passages:
        return ""
    relevant = [p for p in passages if case is not None and any(_covers(j, p) for j in case.judgements)]
    shown = relevant or passages
    names = list(dict.fromkeys(p.name for p in shown))
    listed = ", ".join(names[:_MOST_NAMED]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
    if relevant:
        others = len(passages) - len(relevant)
        more = f", and {counted(others, 'other')}" if others else ""
        return f"{verb} {counted(len(relevant), 'relevant passage')} ({listed}){more}"
    return f"{verb} {counted(len(passages), 'passage')} ({listed})"


def _covers(judgement: Judgement, passage: ShownPassage) -> bool:
    """Return whether a passage shows what a judgement calls relevant."""
    if judgement.grade <= 0 or judgement.document not in ("", passage.path, passage.document):
        return False
    if judgement.quote and " ".join(judgement.quote.split()) in " ".join(passage.text.split()):
        return True
    if judgement.start is not None and judgement.end is not None:
        return judgement.start < passage.end and passage.start < judgement.end
    return not judgement.quote


def _order_change(before: Sequence[ShownPassage], after: Sequence[ShownPassage]) -> str:
    old, new = [(p.path, p.text) for p in before], [(p.path, p.text) for p in after]
    return "the same passages in another order" if old != new and sorted(old) == sorted(new) else ""


def _flags_change(before: int | None, after: int | None) -> str:
    if before is None or after is None or before == after:
        return ""
    return f"{counted(after, 'flagged sentence')} instead of {before}"
