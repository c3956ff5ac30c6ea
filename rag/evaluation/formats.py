"""Evaluation sets as files: this program's JSONL and CSV, SQuAD, BEIR, TREC, RAGAS, promptfoo and DeepEval.

Reading never stops at a bad entry: it is named with its place and what is wrong, and the caller decides whether the
good ones are imported. Writing tells what the format could not hold, found by reading the file again. Nothing that
a file asks for is run or fetched: promptfoo's scripts and file:// references become problems.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rag.errors import RagError
from rag.evaluation.cases import Case, make_case
from rag.parsing.text import decode
from rag.text.plurals import counted

MOST_CASES = 100_000
MOST_BYTES = 200_000_000
_MOST_YAML_BYTES = 20_000_000  # the parser takes about 10 s for these
_MOST_PROBLEMS = 1000
_BEIR = ("corpus.jsonl", "queries.jsonl")


@dataclass(frozen=True)
class Problem:
    """place: "line 7", "item 3"; message: what is wrong there, without a full stop."""

    place: str
    message: str

    def sentence(self) -> str:
        return f"{self.place}: {self.message}."


@dataclass(frozen=True)
class Imported:
    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]


@dataclass
class _Options:
    columns: Mapping[str, str] = field(default_factory=dict)
    split: str = ""
    queries: Path | None = None


Entry = tuple[str, dict[str, Any] | Problem]  # its place, and the values of a case or what is wrong


@dataclass(frozen=True)
class Format:
    """A file format. pattern: what its files are called; folder: whether it is written as a folder."""

    name: str
    label: str
    pattern: str
    folder: bool
    read: Callable[[Path, _Options], Iterator[Entry]]
    write: Callable[[Sequence[Case], Path], None]


def read_cases(
    path: Path,
    format_name: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    split: str = "",
    queries: Path | None = None,
) -> Imported:
    """The cases of a file or folder, with keys, and the problems by place.

    format_name: of FORMATS; empty: told by the file. columns: of a CSV, field -> header. split: of a BEIR folder.
    queries: the questions of TREC qrels; default: queries.tsv beside them. Raises RagError when the file as a whole
    cannot be read.
    """
    chosen = format_of(path, format_name)
    cases: dict[str, Case] = {}
    places: dict[str, str] = {}
    problems: list[Problem] = []
    for place, found in chosen.read(path, _Options(columns or {}, split, queries)):
        if isinstance(found, Problem):
            problems.append(found)
        else:
            try:
                case = _with_key(make_case({"origin": f"file:{path.name}", **found}), cases)
            except ValueError as error:
                problems.append(Problem(place, str(error)))
            else:
                if case.key in cases:
                    problems.append(Problem(place, f"the key {case.key} is that of {places[case.key]}, too"))
                else:
                    cases[case.key], places[case.key] = case, place
        if len(cases) > MOST_CASES:
            raise RagError(f"{path.name} holds more than {MOST_CASES:,} cases; split it.")
        if len(problems) >= _MOST_PROBLEMS:
            problems.append(Problem(place, "more problems follow; the rest was not read"))
            break
    return Imported(tuple(cases.values()), tuple(problems))


def write_cases(cases: Sequence[Case], path: Path, format_name: str) -> tuple[str, ...]:
    """Write a file, or a new folder; returns what the format could not hold, as "checks (of 3 cases)".

    Raises RagError when it cannot be written at all.
    """
    if format_name not in FORMATS:
        raise RagError(f"There is no format {format_name}; choose one of {', '.join(FORMATS)}.")
    chosen = FORMATS[format_name]
    scratch = path.with_name(f".{path.name}.new")
    try:
        if chosen.folder:
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise RagError(f"{path} is not an empty folder; choose another.")
            path.mkdir(parents=True, exist_ok=True)
            chosen.write(cases, path)
        else:
            chosen.write(cases, scratch)
            scratch.replace(path)  # a kill leaves the old file
    except OSError as error:
        raise RagError(f"{path} cannot be written ({error.strerror or error}).") from error
    return _losses(cases, read_cases(path, format_name).cases)


def format_of(path: Path, name: str = "") -> Format:
    """The named format, or the one that the file looks like."""
    if not path.exists():
        raise RagError(f"{path} does not exist.")
    if name:
        if name not in FORMATS:
            raise RagError(f"There is no format {name}; choose one of {', '.join(FORMATS)}.")
        return FORMATS[name]
    guessed = _guess(path)
    if guessed is None:
        raise RagError(f"It cannot be told what {path.name} is; name its format: {', '.join(FORMATS)}.")
    return FORMATS[guessed]


def _guess(path: Path) -> str | None:
    if path.is_dir():
        return "beir" if (path / _BEIR[1]).exists() else "trec" if (path / "qrels.txt").exists() else None
    suffix = path.suffix.lower()
    by_suffix = {".csv": "csv", ".tsv": "csv", ".yaml": "promptfoo", ".yml": "promptfoo", ".qrels": "trec"}
    if suffix in by_suffix:
        return by_suffix[suffix]
    with path.open("rb") as file:
        head = file.read(4096).decode("utf-8", "replace")
    if suffix == ".jsonl":
        return "ragas" if '"user_input"' in head else "ragdeck"
    if suffix == ".json":
        return "squad" if '"paragraphs"' in head or '"data"' in head else "deepeval"
    return "trec" if re.match(r"\S+\s+\S+\s+\S+\s+-?\d+\s*\n", head) else None


def _with_key(case: Case, taken: Mapping[str, Case]) -> Case:
    """A case without a key gets one by its question, the same at every import."""
    if case.key:
        return case
    key = base = hashlib.sha256(case.question.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    number = 1
    while key in taken:
        number += 1
        key = f"{base}-{number}"
    return case.model_copy(update={"key": key})


def _losses(cases: Sequence[Case], again: Sequence[Case]) -> tuple[str, ...]:
    by_key, by_question = {c.key: c for c in again}, {c.question.strip(): c for c in again}
    counts: dict[str, int] = {}
    for case in cases:
        back = by_key.get(case.key) or by_question.get(case.question.strip())
        if back is None:
            counts["the whole case"] = counts.get("the whole case", 0) + 1
            continue
        for name in type(case).model_fields:
            if name != "origin" and getattr(case, name) != getattr(back, name):
                counts[name] = counts.get(name, 0) + 1
    return tuple(f"{name} (of {counted(count, 'case')})" for name, count in counts.items())


# --- files ------------------------------------------------------------------------------------------------


def _text(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """Any encoding, with or without a byte order mark; line ends become \\n."""
    try:
        size = path.stat().st_size
        if size > most_bytes:
            raise RagError(f"{path.name} has {size:,} bytes; at most {most_bytes:,} are read.")
        data = path.read_bytes()
    except OSError as error:
        raise RagError(f"{path} cannot be read ({error.strerror or error}).") from error
    return decode(data).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """(place, line) of lines that hold something. Not splitlines: U+2028 may stand inside a JSON text."""
    for number, line in enumerate(_text(path).split("\n"), 1):
        if line.strip():
            yield f"line {number}", line


def _json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    for place, line in _lines(path):
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield place, Problem(place, f"this is not JSON ({error})")
            continue
        yield place, item if isinstance(item, dict) else Problem(place, "each line is a JSON object")


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def _write_json_lines(path: Path, items: Iterable[Mapping[str, Any]]) -> None:
    _write(path, "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items))


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise RagError(f"{path.name} is not JSON ({error}).") from error


def _items(value: Any, name: str) -> list[Any]:
    """A list, or what is wrong. Raises ValueError."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"{name} is not a list")
    return value


def _texts(value: Any, name: str) -> list[str]:
    found = [value] if isinstance(value, str) else _items(value, name)
    if not all(isinstance(text, str) for text in found):
        raise ValueError(f"{name} is not a list of texts")
    return [text for text in found if text.strip()]


def _field(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} is missing or not a text")
    return value


def _each(
    entries: Iterable[tuple[str, Any]], convert: Callable[[dict[str, Any]], dict[str, Any]]
) -> Iterator[Entry]:
    """Convert each entry; one that cannot be is a problem at its place."""
    for place, item in entries:
        if isinstance(item, Problem):
            yield place, item
        elif not isinstance(item, dict):
            yield place, Problem(place, "this is not an object")
        else:
            try:
                yield place, convert(item)
            except ValueError as error:
                yield place, Problem(place, str(error))


# --- this program's own -----------------------------------------------------------------------------------


def _read_own(path: Path, options: _Options) -> Iterator[Entry]:
    return _each(_json_lines(path), _own_case)


def _own_case(item: dict[str, Any]) -> dict[str, Any]:
    """Also the short form {"question": …, "documents": [name, …]} that `trial compare --judged` reads."""
    if "documents" not in item:
        return item
    names = _texts(item["documents"], "documents")
    rest = {key: value for key, value in item.items() if key != "documents"}
    more = [{"document": name} for name in names]
    return {**rest, "judgements": [*_items(item.get("judgements"), "judgements"), *more]}


def _write_own(cases: Sequence[Case], path: Path) -> None:
    _write_json_lines(path, (case.model_dump(mode="json", exclude_defaults=True) for case in cases))


# Fields of a CSV and the headers that are taken for them. A cell holds one value a line.
CSV_FIELDS = {
    "key": ("key", "id"),
    "question": ("question", "query", "user_input", "input", "prompt"),
    "references": ("references", "reference", "answer", "expected_output", "ground_truth"),
    "documents": ("documents", "document", "source"),
    "quotes": ("quotes", "reference_contexts", "contexts", "context"),
    "should_refuse": ("should_refuse", "is_impossible", "unanswerable"),
    "tags": ("tags",),
    "weight": ("weight",),
    "cluster": ("cluster",),
}
_PLACE = re.compile(r"(?P<name>.+)#(?P<start>\d+)-(?P<end>\d+)")
_TRUE, _FALSE = ("true", "yes", "1", "y"), ("false", "no", "0", "n", "")


def csv_headers(path: Path) -> list[str]:
    """The headers of a CSV, for a mapping by hand."""
    return next(_csv_rows(path), ("", []))[1]


def _csv_rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    text = _text(path)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        begin = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise RagError(f"{path.name}, line {begin}: this is no row of a CSV ({error}).") from error
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield f"line {begin}", row


def _read_csv(path: Path, options: _Options) -> Iterator[Entry]:
    rows = _csv_rows(path)
    _, headers = next(rows, ("", []))
    places = _csv_columns(path, [header.strip() for header in headers], options.columns)
    for place, row in rows:
        if len(row) > len(headers):
            yield place, Problem(place, f"{len(row)} cells under {len(headers)} headers; quote the delimiter")
            continue
        cells = {name: row[n].strip() for name, n in places.items() if n < len(row)}
        try:
            yield place, _csv_case(cells)
        except ValueError as error:
            yield place, Problem(place, str(error))


def _csv_columns(path: Path, headers: list[str], wanted: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, header in wanted.items():
        if name not in CSV_FIELDS:
            raise RagError(f"A case has no field {name}; there are {', '.join(CSV_FIELDS)}.")
        if header not in headers:
            raise RagError(f"{path.name} has no column “{header}”; it has {', '.join(headers)}.")
        found[name] = headers.index(header)
    folded = [header.casefold().replace(" ", "_") for header in headers]
    for name, known in CSV_FIELDS.items():
        match = next((folded.index(header) for header in known if header in folded), None)
        if name not in found and match is not None and match not in found.values():
            found[name] = match
    if "question" not in found:
        raise RagError(f"{path.name}: say which column holds the question; it has {', '.join(headers)}.")
    return found


def _csv_case(cells: dict[str, str]) -> dict[str, Any]:
    refuse = cells.get("should_refuse", "").lower()
    if refuse not in (*_TRUE, *_FALSE):
        raise ValueError(f"should_refuse is “{refuse}”, neither true nor false")
    try:
        weight = float(cells.get("weight") or 1)
    except ValueError:
        raise ValueError(f"weight is “{cells['weight']}”, not a number") from None

    def values(name: str) -> list[str]:
        return [line.strip() for line in cells.get(name, "").split("\n") if line.strip()]

    judgements: list[dict[str, Any]] = [_csv_judgement(text) for text in values("documents")]
    judgements += [{"quote": text} for text in values("quotes")]
    return {
        "key": cells.get("key", ""),
        "question": cells.get("question", ""),
        "references": values("references"),
        "judgements": judgements,
        "should_refuse": refuse in _TRUE,
        "tags": values("tags"),
        "weight": weight,
        "cluster": cells.get("cluster", ""),
    }


def _csv_judgement(text: str) -> dict[str, Any]:
    match = _PLACE.fullmatch(text)
    if match is None:
        return {"document": text}
    return {"document": match["name"], "start": int(match["start"]), "end": int(match["end"])}


def _write_csv(cases: Sequence[Case], path: Path) -> None:
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(CSV_FIELDS)
    for case in cases:
        named = [j for j in case.judgements if j.document]
        documents = [f"{j.document}#{j.start}-{j.end}" if j.end else j.document for j in named]
        quotes = [j.quote for j in case.judgements if not j.document]
        writer.writerow(
            [
                case.key,
                case.question,
                "\n".join(case.references),
                "\n".join(documents),
                "\n".join(quotes),
                "true" if case.should_refuse else "",
                "\n".join(case.tags),
                "" if case.weight == 1 else repr(case.weight),
                case.cluster,
            ]
        )
    _write(path, target.getvalue())


# --- SQuAD 1.1 and 2.0 ------------------------------------------------------------------------------------


def _read_squad(path: Path, options: _Options) -> Iterator[Entry]:
    data = _json(path)
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
                    yield place, Problem(place, "an article has paragraphs, and a paragraph has qas")
                    continue
                try:
                    yield place, _squad_case(str(title or ""), paragraph or {}, question)
                except ValueError as error:
                    yield place, Problem(place, f"{question.get('id', 'no id')}: {error}")


def _squad_case(title: str, paragraph: Mapping[str, Any], question: Mapping[str, Any]) -> dict[str, Any]:
    """The paragraph is the relevant passage; for an unanswerable question it is judged not relevant."""
    impossible = question.get("is_impossible", False) is True
    answers = _items(question.get("answers"), "answers")
    if not all(isinstance(answer, dict) for answer in answers):
        raise ValueError("an answer is not an object")
    judgement = {
        "document": title,
        "quote": _field(paragraph, "context"),
        "grade": 0 if impossible else 1,
    }
    return {
        "key": str(question.get("id", "")),
        "question": _field(question, "question"),
        "references": [] if impossible else list(dict.fromkeys(_field(a, "text") for a in answers)),
        "judgements": [judgement],
        "should_refuse": impossible,
        "cluster": title,
    }


def _write_squad(cases: Sequence[Case], path: Path) -> None:
    """A case without a quoted passage gets an empty paragraph, and its answers the place -1."""
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
    _write(path, json.dumps(document, ensure_ascii=False))


# --- BEIR and TREC ----------------------------------------------------------------------------------------


def _read_beir(path: Path, options: _Options) -> Iterator[Entry]:
    folder = path / "qrels"
    splits = sorted(p.stem for p in folder.glob("*.tsv")) if folder.is_dir() else []
    split = options.split or ("test" if "test" in splits else splits[0] if len(splits) == 1 else "")
    if split not in splits:
        raise RagError(
            f"{path.name} has the qrels {', '.join(splits)}; name one."
            if splits
            else f"{path.name} has no qrels/*.tsv."
        )
    judged: dict[str, dict[str, int]] = {}
    for number, (place, line) in enumerate(_lines(folder / f"{split}.tsv")):
        cells = line.split("\t")
        if number == 0 and len(cells) == 3 and not _is_whole(cells[2]):
            continue  # the header
        where = f"qrels/{split}.tsv, {place}"
        if len(cells) != 3 or not _is_whole(cells[2]):
            yield (
                where,
                Problem(where, "each line is query-id, corpus-id and a whole score, with tabs between"),
            )
            continue
        judged.setdefault(cells[0], {})[cells[1]] = int(cells[2])
    wanted = {document for grades in judged.values() for document in grades}
    texts: dict[str, str] = {}
    if (path / _BEIR[0]).exists():
        for _, item in _json_lines(path / _BEIR[0]):
            if isinstance(item, dict) and str(item.get("_id")) in wanted:
                texts[str(item["_id"])] = str(item.get("text", ""))[:100_000]
    for place, item in _json_lines(path / _BEIR[1]):
        where = f"queries.jsonl, {place}"
        if isinstance(item, Problem):
            yield where, Problem(where, item.message)
        elif str(item.get("_id")) in judged:  # the others belong to another split
            key = str(item["_id"])
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
        yield f"query {key}", Problem(f"query {key}", "it has judgements but no text in queries.jsonl")


def _write_beir(cases: Sequence[Case], path: Path) -> None:
    corpus = {j.document: j.quote for case in cases for j in case.judgements if j.document}
    _write_json_lines(path / _BEIR[0], ({"_id": d, "title": "", "text": t} for d, t in corpus.items()))
    _write_json_lines(path / _BEIR[1], ({"_id": case.key, "text": case.question} for case in cases))
    lines = [f"{key}\t{document}\t{grade}\n" for key, document, grade in _qrels(cases, "\t")]
    (path / "qrels").mkdir(exist_ok=True)
    _write(path / "qrels" / "test.tsv", "query-id\tcorpus-id\tscore\n" + "".join(lines))


def _read_trec(path: Path, options: _Options) -> Iterator[Entry]:
    """Lines "topic iteration document grade"; the questions stand in queries.tsv as "topic TAB question"."""
    qrels = path / "qrels.txt" if path.is_dir() else path
    queries = options.queries or qrels.with_name("queries.tsv")
    if not queries.exists():
        raise RagError(f"{qrels.name} has no questions: put queries.tsv (topic, tab, question) beside it.")
    judged: dict[str, dict[str, int]] = {}
    for place, line in _lines(qrels):
        cells = line.split()
        if len(cells) != 4 or not _is_whole(cells[3]):
            where = f"{qrels.name}, {place}"
            yield where, Problem(where, "each line is topic, iteration, document and a whole grade")
            continue
        judged.setdefault(cells[0], {})[cells[2]] = int(cells[3])
    for place, line in _lines(queries):
        topic, tab, question = line.partition("\t")
        where = f"{queries.name}, {place}"
        if not tab:
            yield where, Problem(where, "each line is a topic, a tab and its question")
        elif topic.strip() in judged:
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
        yield f"topic {topic}", Problem(f"topic {topic}", f"it has judgements but no line in {queries.name}")


def _write_trec(cases: Sequence[Case], path: Path) -> None:
    lines = [f"{key} 0 {document} {grade}\n" for key, document, grade in _qrels(cases, " \t")]
    _write(path / "qrels.txt", "".join(lines))
    _write(path / "queries.tsv", "".join(f"{c.key}\t{' '.join(c.question.split())}\n" for c in cases))


def _qrels(cases: Sequence[Case], separators: str) -> list[tuple[str, str, int]]:
    """The best grade of each document of each case. Raises RagError for a name that would read as two cells."""
    found: dict[tuple[str, str], int] = {}
    for case in cases:
        for judgement in case.judgements:
            if not judgement.document:
                continue
            for name in (case.key, judgement.document):
                if any(mark in name for mark in (*separators, "\n")):
                    raise RagError(f"“{name}” holds white space, which this format cannot write; rename it.")
            place = (case.key, judgement.document)
            found[place] = max(judgement.grade, found.get(place, judgement.grade))
    return [(key, document, grade) for (key, document), grade in found.items()]


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"\s*-?\d{1,4}\s*", text) is not None


# --- RAGAS and DeepEval -----------------------------------------------------------------------------------


def _read_ragas(path: Path, options: _Options) -> Iterator[Entry]:
    return _each(_json_lines(path), _ragas_case)


def _ragas_case(item: dict[str, Any]) -> dict[str, Any]:
    if isinstance(item.get("user_input"), list):
        raise ValueError("user_input is a conversation; only single questions are evaluated")
    quotes = _texts(item.get("reference_contexts"), "reference_contexts")
    ids = [str(value) for value in _items(item.get("reference_context_ids"), "reference_context_ids")]
    if quotes and ids and len(quotes) != len(ids):
        raise ValueError("reference_contexts and reference_context_ids differ in length")
    width = max(len(quotes), len(ids))
    pairs = zip(ids or [""] * width, quotes or [""] * width, strict=True)
    return {
        "question": _field(item, "user_input"),
        "references": _texts(item.get("reference"), "reference"),
        "judgements": [{"document": document, "quote": quote} for document, quote in pairs],
    }


def _write_ragas(cases: Sequence[Case], path: Path) -> None:
    def plain(case: Case) -> dict[str, Any]:
        relevant = [j for j in case.judgements if j.grade > 0]
        item: dict[str, Any] = {"user_input": case.question}
        if case.references:
            item["reference"] = case.references[0]
        if relevant and all(j.quote for j in relevant):
            item["reference_contexts"] = [j.quote for j in relevant]
        if relevant and all(j.document for j in relevant):
            item["reference_context_ids"] = [j.document for j in relevant]
        return item

    _write_json_lines(path, map(plain, cases))


def _read_deepeval(path: Path, options: _Options) -> Iterator[Entry]:
    """A JSON list of goldens, or an object that holds one, or JSONL; snake_case or camelCase."""
    if path.suffix.lower() == ".jsonl":
        return _each(_json_lines(path), _deepeval_case)
    data = _json(path)
    if isinstance(data, dict):
        data = data.get("goldens", data.get("data"))
    if not isinstance(data, list):
        raise RagError(f"{path.name} is no list of DeepEval goldens.")
    return _each(((f"item {number}", item) for number, item in enumerate(data, 1)), _deepeval_case)


def _deepeval_case(item: dict[str, Any]) -> dict[str, Any]:
    if "scenario" in item:
        raise ValueError("this is a conversational golden; only single questions are evaluated")
    source = item.get("source_file", item.get("sourceFile")) or ""
    quotes = _texts(item.get("context"), "context")
    judgements = [{"document": source, "quote": quote} for quote in quotes]
    return {
        "key": str(item.get("name") or ""),
        "question": _field(item, "input"),
        "references": _texts(item.get("expected_output", item.get("expectedOutput")), "expected_output"),
        "judgements": judgements or ([{"document": source}] if source else []),
        "cluster": source,
    }


def _write_deepeval(cases: Sequence[Case], path: Path) -> None:
    items = []
    for case in cases:
        quotes = [j.quote for j in case.judgements if j.quote and j.grade > 0]
        document = case.cluster or next((j.document for j in case.judgements if j.document), None)
        items.append(
            {
                "input": case.question,
                "expected_output": case.references[0] if case.references else None,
                "context": quotes or None,
                "source_file": document,
                "name": case.key,
            }
        )
    _write(path, json.dumps(items, ensure_ascii=False, indent=1))


# --- promptfoo --------------------------------------------------------------------------------------------

_QUESTION_VARS = ("question", "query", "input", "prompt", "q", "user_input")
_SAME_CHECKS = ("contains", "not-contains", "equals", "regex", "not-regex", "is-json")


def _read_promptfoo(path: Path, options: _Options) -> Iterator[Entry]:
    """The tests of a configuration, or a bare list of tests."""
    text = _text(path, _MOST_YAML_BYTES)
    try:
        # Aliases of aliases make a small file a large value ("billion laughs"), so there are none.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise RagError(f"{path.name} uses YAML aliases (*name); write the values out.")
        root = yaml.compose(text, yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RagError(f"{path.name} is not YAML ({' '.join(str(error).split())}).") from error
    tests, node = data, root
    if isinstance(data, dict) and isinstance(root, yaml.MappingNode):
        tests = data.get("tests")
        node = next((value for key, value in root.value if key.value == "tests"), None)
    if not isinstance(tests, list) or not isinstance(node, yaml.SequenceNode):
        raise RagError(f"{path.name} has no list of tests; tests in other files are not followed.")
    for test, own in zip(tests, node.value, strict=True):
        place = f"line {own.start_mark.line + 1}"
        try:
            values, unknown = _promptfoo_case(test)
        except ValueError as error:
            yield place, Problem(place, str(error))
            continue
        yield place, values
        if unknown:
            kinds = ", ".join(dict.fromkeys(unknown))
            yield place, Problem(place, f"the case comes without its assertions {kinds}, unknown here")


def _promptfoo_case(test: Any) -> tuple[dict[str, Any], list[str]]:
    """The values of a case and the types of the assertions that are not evaluated here."""
    if not isinstance(test, dict) or not isinstance(test.get("vars"), dict):
        raise ValueError("a test has vars")
    name = next((v for v in _QUESTION_VARS if v in test["vars"]), None)
    if name is None:
        raise ValueError(f"none of the vars is called {', '.join(_QUESTION_VARS)}")
    question = test["vars"][name]
    if not isinstance(question, str) or question.startswith("file://"):
        raise ValueError(f"{name} is not a text")
    metadata = test.get("metadata") or {}
    kept = metadata.get("ragdeck", {}) if isinstance(metadata, dict) else {}
    if not isinstance(kept, dict):
        raise ValueError("metadata.ragdeck is not an object")
    checks: list[Any] = list(_items(kept.get("checks"), "metadata.ragdeck.checks"))
    references: list[str] = []
    unknown: list[str] = []
    refuse = False
    for item in _items(test.get("assert"), "assert"):
        kind, value = (item.get("type"), item.get("value")) if isinstance(item, dict) else (None, None)
        if isinstance(value, str) and value.startswith("file://"):
            unknown.append(f"{kind} of a file")
        elif kind in _SAME_CHECKS:
            checks.append({"type": kind, "value": value})
        elif kind == "similar":
            references += _texts(value, "similar")
        elif kind == "is-refusal":
            refuse = True
        else:
            unknown.append(str(kind))
    values = {
        **{key: value for key, value in kept.items() if key != "checks"},
        "question": question,
        "references": references,
        "checks": checks,
        "should_refuse": refuse,
    }
    return values, unknown


def _write_promptfoo(cases: Sequence[Case], path: Path) -> None:
    tests = []
    for case in cases:
        asserts: list[dict[str, Any]] = [{"type": "similar", "value": list(case.references)}] * bool(
            case.references
        )
        asserts += [
            {"type": c.type, **({} if c.value is None else {"value": c.value})}
            for c in case.checks
            if c.type in _SAME_CHECKS
        ]
        asserts += [{"type": "is-refusal"}] * case.should_refuse
        kept = case.model_dump(
            mode="json", exclude_defaults=True, include={"key", "judgements", "tags", "weight", "cluster"}
        )
        own = [c.model_dump(mode="json") for c in case.checks if c.type not in _SAME_CHECKS]
        if own:
            kept["checks"] = own
        test = {"vars": {"question": case.question}, "assert": asserts, "metadata": {"ragdeck": kept}}
        tests.append({key: value for key, value in test.items() if value})
    _write(path, yaml.dump({"tests": tests}, Dumper=_NoAliases, allow_unicode=True, sort_keys=False))


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


FORMATS: dict[str, Format] = {
    found.name: found
    for found in (
        Format("ragdeck", "Ragdeck JSONL", "*.jsonl", False, _read_own, _write_own),
        Format("csv", "CSV", "*.csv", False, _read_csv, _write_csv),
        Format("squad", "SQuAD 1.1 or 2.0", "*.json", False, _read_squad, _write_squad),
        Format("beir", "BEIR folder", "queries.jsonl", True, _read_beir, _write_beir),
        Format("trec", "TREC qrels and queries", "qrels.txt", True, _read_trec, _write_trec),
        Format("ragas", "RAGAS JSONL", "*.jsonl", False, _read_ragas, _write_ragas),
        Format("promptfoo", "promptfoo tests", "*.yaml", False, _read_promptfoo, _write_promptfoo),
        Format("deepeval", "DeepEval goldens", "*.json", False, _read_deepeval, _write_deepeval),
    )
}
