"""BEIR folders (Thakur et al. 2021) and TREC qrels: questions with the grades of whole documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.formats.entries import (
    Entry,
    Options,
    Problem,
    Unused,
    has_content,
    read_json_lines,
    read_lines,
    write_json_lines,
    write_text,
)

BEIR_FILES = ("corpus.jsonl", "queries.jsonl")


def read_beir(path: Path, options: Options) -> Iterator[Entry]:
    """Yield a case for each query that the split judges. Raises RagError without such a split."""
    folder = path / "qrels"
    splits = sorted(p.stem for p in folder.glob("*.tsv")) if folder.is_dir() else []
    split = options.split or ("test" if "test" in splits else splits[0] if len(splits) == 1 else "")
    if split not in splits:
        raise RagError(
            f"{path.name} has several qrels. Choose one of: {', '.join(splits)}."
            if splits
            else f"{path.name} has no qrels/*.tsv."
        )
    judged: dict[str, dict[str, int]] = {}
    for number, (place, line) in enumerate(read_lines(folder / f"{split}.tsv")):
        cells = line.split("\t")
        if number == 0 and len(cells) == 3 and not _is_whole(cells[2]):
            continue  # the header
        where = f"qrels/{split}.tsv, {place}"
        if len(cells) != 3 or not _is_whole(cells[2]):
            yield (
                where,
                Problem(where, "each line must be query-id, corpus-id and a whole score, separated by tabs"),
            )
            continue
        judged.setdefault(cells[0], {})[cells[1]] = int(cells[2])
    wanted = {document for grades in judged.values() for document in grades}
    texts: dict[str, str] = {}
    if (path / BEIR_FILES[0]).exists():
        for _, item in read_json_lines(path / BEIR_FILES[0]):
            if isinstance(item, dict) and str(item.get("_id")) in wanted:
                texts[str(item["_id"])] = str(item.get("text", ""))[:100_000]
                if has_content(item.get("title")):
                    yield BEIR_FILES[0], Unused("title of a document", "a judgement quotes the text alone")
    for place, item in read_json_lines(path / BEIR_FILES[1]):
        where = f"queries.jsonl, {place}"
        if isinstance(item, Problem):
            yield where, Problem(where, item.message)
        elif not isinstance(item, dict) or str(item.get("_id")) not in judged:
            yield where, Unused("query without a judgement", "it belongs to another split")
        else:
            key = str(item["_id"])
            if has_content(item.get("metadata")):
                yield where, Unused("metadata", "a case has no metadata")
            yield (
                where,
                {
                    "key": key,
                    "question": item.get("text", ""),
                    "judgements": [
                        {"document": document, "grade": grade, "quote": texts.get(document, "")}
                        for document, grade in judged.pop(key).items()
                    ],
                },
            )
    for key in judged:
        yield f"query {key}", Problem(f"query {key}", "it is judged but has no text in queries.jsonl")


def write_beir(cases: Sequence[Case], path: Path) -> None:
    """Write corpus.jsonl, queries.jsonl and qrels/test.tsv into a folder. Raises RagError."""
    corpus = {j.document: j.quote for case in cases for j in case.judgements if j.document}
    write_json_lines(path / BEIR_FILES[0], ({"_id": d, "title": "", "text": t} for d, t in corpus.items()))
    write_json_lines(path / BEIR_FILES[1], ({"_id": case.key, "text": case.question} for case in cases))
    lines = [f"{key}\t{document}\t{grade}\n" for key, document, grade in _qrels(cases, "\t")]
    (path / "qrels").mkdir(exist_ok=True)
    write_text(path / "qrels" / "test.tsv", "query-id\tcorpus-id\tscore\n" + "".join(lines))


def read_trec(path: Path, options: Options) -> Iterator[Entry]:
    """Yield a case for each judged topic.

    Lines of the qrels are "topic iteration document grade", lines of queries.tsv "topic TAB question". Raises
    RagError without a file of questions.
    """
    qrels = path / "qrels.txt" if path.is_dir() else path
    queries = options.queries or qrels.with_name("queries.tsv")
    if not queries.exists():
        raise RagError(f"{qrels.name} has no questions. Put queries.tsv (topic, tab, question) next to it.")
    judged: dict[str, dict[str, int]] = {}
    for place, line in read_lines(qrels):
        cells = line.split()
        if len(cells) != 4 or not _is_whole(cells[3]):
            where = f"{qrels.name}, {place}"
            yield where, Problem(where, "each line must be topic, iteration, document and a whole grade")
            continue
        judged.setdefault(cells[0], {})[cells[2]] = int(cells[3])
    for place, line in read_lines(queries):
        topic, tab, question = line.partition("\t")
        where = f"{queries.name}, {place}"
        if not tab:
            yield where, Problem(where, "each line must be a topic, a tab and its question")
        elif topic.strip() not in judged:
            yield where, Unused("topic without a judgement", "the qrels do not have it")
        else:
            grades = judged.pop(topic.strip())
            yield (
                where,
                {
                    "key": topic.strip(),
                    "question": question.strip(),
                    "judgements": [{"document": d, "grade": grade} for d, grade in grades.items()],
                },
            )
    for topic in judged:
        yield f"topic {topic}", Problem(f"topic {topic}", f"it is judged but has no line in {queries.name}")


def write_trec(cases: Sequence[Case], path: Path) -> None:
    """Write qrels.txt and queries.tsv into a folder. Raises RagError."""
    lines = [f"{key} 0 {document} {grade}\n" for key, document, grade in _qrels(cases, " \t")]
    write_text(path / "qrels.txt", "".join(lines))
    write_text(path / "queries.tsv", "".join(f"{c.key}\t{' '.join(c.question.split())}\n" for c in cases))


def _qrels(cases: Sequence[Case], separators: str) -> list[tuple[str, str, int]]:
    """Return the best grade of each document of each case as (key, document, grade).

    Raises RagError for a name that would read as two cells.
    """
    found: dict[tuple[str, str], int] = {}
    for case in cases:
        for judgement in case.judgements:
            if not judgement.document:
                continue
            for name in (case.key, judgement.document):
                if any(mark in name for mark in (*separators, "\n")):
                    raise RagError(
                        f"“{name}” contains white space, which this format cannot write. Rename it."
                    )
            place = (case.key, judgement.document)
            found[place] = max(judgement.grade, found.get(place, judgement.grade))
    return [(key, document, grade) for (key, document), grade in found.items()]


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"\s*-?\d{1,4}\s*", text) is not None
