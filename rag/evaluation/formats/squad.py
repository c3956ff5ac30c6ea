"""SQuAD 1.1 and 2.0: articles of paragraphs with questions (Rajpurkar et al. 2016, 2018)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.formats.entries import (
    Account,
    Entry,
    Options,
    Problem,
    Unused,
    as_list,
    read_json,
    required_text,
    write_text,
)

_REASONS = {"plausible_answers": "they are not right answers"}


def read_squad(path: Path, options: Options) -> Iterator[Entry]:
    """Yield a case for each question. Raises RagError when the file is not SQuAD."""
    data = read_json(path)
    if not isinstance(data, dict) or not isinstance(data.get("data"), list):
        raise RagError(f"{path.name} is not SQuAD: it has no list “data”.")
    number = 0
    for article in data["data"]:
        title = article.get("title") if isinstance(article, dict) else None
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        for paragraph in paragraphs if isinstance(paragraphs, list) else [None]:
            questions = paragraph.get("qas") if isinstance(paragraph, dict) else None
            for question in questions if isinstance(questions, list) else [None]:
                number += 1
                place = f"item {number}"
                if not isinstance(question, dict):
                    yield place, Problem(place, "an article needs paragraphs, and a paragraph needs qas")
                    continue
                account = Account()
                try:
                    yield place, _squad_case(str(title or ""), paragraph or {}, question)
                except ValueError as error:
                    yield place, Problem(place, f"{question.get('id', 'no id')}: {error}")
                    continue
                account.leave_others(question, ("id", "question", "answers", "is_impossible"), _REASONS)
                account.leave_others(paragraph or {}, ("context", "qas"), _REASONS)
                for name, why in account.left.items():
                    yield place, Unused(name, why)


def _squad_case(title: str, paragraph: Mapping[str, Any], question: Mapping[str, Any]) -> dict[str, Any]:
    """Return a case whose relevant passage is the paragraph; of an unanswerable question it has grade 0."""
    impossible = question.get("is_impossible", False) is True
    answers = as_list(question.get("answers"), "answers")
    if not all(isinstance(answer, dict) for answer in answers):
        raise ValueError("an answer is not an object")
    judgement = {
        "document": title,
        "quote": required_text(paragraph, "context"),
        "grade": 0 if impossible else 1,
    }
    return {
        "key": str(question.get("id", "")),
        "question": required_text(question, "question"),
        "references": [] if impossible else list(dict.fromkeys(required_text(a, "text") for a in answers)),
        "judgements": [judgement],
        "should_refuse": impossible,
        "cluster": title,
    }


def write_squad(cases: Sequence[Case], path: Path) -> None:
    """Write articles of paragraphs.

    A case without a quoted passage gets an empty paragraph, and its answers the place -1.
    """
    version_2 = any(case.should_refuse for case in cases)
    articles: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for case in cases:
        judged = next((j for j in case.judgements if j.quote), None)
        context = judged.quote if judged else ""
        title = case.cluster or (judged.document if judged else "")
        answers = [{"text": text, "answer_start": context.find(text)} for text in case.references]
        question: dict[str, Any] = {"id": case.key, "question": case.question, "answers": answers}
        if version_2:
            question["is_impossible"] = case.should_refuse
        articles.setdefault(title, {}).setdefault(context, []).append(question)
    data = [
        {
            "title": title,
            "paragraphs": [{"context": context, "qas": qas} for context, qas in paragraphs.items()],
        }
        for title, paragraphs in articles.items()
    ]
    document = {"version": "v2.0" if version_2 else "1.1", "data": data}
    write_text(path, json.dumps(document, ensure_ascii=False))
