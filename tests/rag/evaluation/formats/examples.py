"""A file of each format, as the tool that it comes from writes it."""

import json
from pathlib import Path

from rag.evaluation.cases import Case, Check, Judgement
from rag.evaluation.formats import read_cases, write_cases
from rag.evaluation.formats.entries import Imported

SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Bread",
            "paragraphs": [
                {
                    "context": "Rye bread needs sourdough and 12 hours of rest.",
                    "qas": [
                        {
                            "id": "q1",
                            "question": "What does rye bread need?",
                            "answers": [
                                {"text": "sourdough", "answer_start": 16},
                                {"text": "sourdough", "answer_start": 16},
                            ],
                            "is_impossible": False,
                        },
                        {"id": "q2", "question": "Who baked it?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        }
    ],
}
PROMPTFOO = """
# yaml-language-server: $schema=https://promptfoo.dev/config-schema.json
prompts: [a.txt]
tests:
  - vars: {question: "What does rye bread need?"}
    assert:
      - type: contains
        value: sourdough
      - type: is-json
        value: {type: object}
      - type: similar
        value: sourdough and rest
  - vars:
      question: Who baked it?
    assert: [{type: is-refusal}]
"""


def squad(folder: Path) -> Path:
    path = folder / "squad.json"
    path.write_text(json.dumps(SQUAD), "utf-8")
    return path


def beir(folder: Path) -> Path:
    made = folder / "beir"
    (made / "qrels").mkdir(parents=True)
    (made / "corpus.jsonl").write_text(
        '{"_id": "d1", "title": "", "text": "Rye"}\n{"_id": "d9", "text": "-"}\n'
    )
    (made / "queries.jsonl").write_text('{"_id": "1", "text": "Which?"}\n{"_id": "2", "text": "Train"}\n')
    (made / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\td1\t2\n1\td2\t0\n")
    return made


def trec(folder: Path) -> Path:
    made = folder / "trec"
    made.mkdir()
    (made / "qrels.txt").write_text("401 0 FT-1 1\n401 0 FT-2 -1\n402\t0\tFT-3\t0\n")
    (made / "queries.tsv").write_text("401\tforeign minorities\n402\tgenetics\n403\tunused\n")
    return made


def ragas(folder: Path) -> Path:
    path = folder / "ragas.jsonl"
    item = {
        "user_input": "Line\u2028separated?",
        "reference": "Yes.",
        "reference_contexts": ["One", "Two"],
        "response": "ignored",
    }
    ids = {"user_input": "By id?", "reference_context_ids": ["a.txt", 7]}
    path.write_text("\n".join(json.dumps(i, ensure_ascii=False) for i in (item, ids)), "utf-8")
    return path


def promptfoo(folder: Path) -> Path:
    path = folder / "promptfoo.yaml"
    path.write_text(PROMPTFOO, "utf-8")
    return path


def deepeval(folder: Path) -> Path:
    path = folder / "goldens.json"
    goldens = [
        {"input": "One?", "expectedOutput": "1", "context": ["It is one."], "sourceFile": "numbers.txt"},
        {"input": "Two?", "expected_output": "2", "name": "two", "additional_metadata": {"x": 1}},
    ]
    path.write_text(json.dumps(goldens), "utf-8")
    return path


FULL = Case(
    key="k1",
    question="Was heißt „Brot“?\nZeile zwei",
    references=("bread", "loaf"),
    judgements=(
        Judgement(document="a b.txt", start=3, end=9, grade=2, quote="quoted"),
        Judgement(quote="nur ein Zitat"),
        Judgement(document="whole.pdf", grade=0),
    ),
    should_refuse=True,
    tags=("hard", "de"),
    weight=2.5,
    checks=(Check(type="length", value={"max": 80}), Check(type="regex", value="^B")),
    cluster="a b.txt",
)


def own(folder: Path) -> Path:
    path = folder / "own.jsonl"
    write_cases([FULL, Case(key="k2", question="Short?")], path, "ragdeck")
    return path


def table(folder: Path) -> Path:
    path = folder / "cases.csv"
    path.write_bytes(
        "\ufeffQuery;Answer;Source;Unanswerable;Weight\r\n"
        '"Was, wie?";"eins\r\nzwei";tides.txt#4-18;no;2\r\n'
        ";leer;;;\r\n"
        "Wer?;;;YES;\r\n".encode("utf-16")
    )
    return path


def langfuse(folder: Path) -> Path:
    path = folder / "items.json"
    items = [
        {"id": "i1", "input": {"question": "What does rye bread need?", "lang": "en"},
         "expectedOutput": {"answer": "sourdough"}, "metadata": {"page": 1}, "status": "ACTIVE"},
        {"id": "i2", "input": "Who baked it?", "expectedOutput": "the baker", "metadata": None,
         "status": "ARCHIVED"},
    ]  # fmt: skip
    path.write_text(json.dumps(items), "utf-8")
    return path


MAKERS = {
    "langfuse": langfuse,
    "squad": squad,
    "beir": beir,
    "trec": trec,
    "ragas": ragas,
    "promptfoo": promptfoo,
    "deepeval": deepeval,
    "ragdeck": own,
    "csv": table,
}


def read_text_as(folder: Path, name: str, text: str, format_name: str = "") -> Imported:
    """Write a text to a file of this name and read it."""
    path = folder / name
    path.write_text(text, "utf-8")
    return read_cases(path, format_name)
