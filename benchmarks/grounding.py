"""Speed and quality of the grounding detector: `python -m benchmarks.grounding [--data DIR]`.

Milliseconds a sentence, MiniLM included, for an answer of five sentences over six passages of about 180 tokens,
and how the time grows with the answer. Then the metrics in the detector's file, beside published ones.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.grounding import Detector
from rag.grounding.train import ARTEFACT, load_minilm

# Example-level F1 on RAGTruth QA's whole test split; ours is cross-validated on half of that split's sources.
PUBLISHED = {
    "GPT-4-turbo prompt": 0.456,
    "Luna": 0.513,
    "HHEM-2.1": 0.600,
    "LettuceDetect-base": 0.655,
    "LettuceDetect-large": 0.702,
}
SENTENCES, PASSAGES, PASSAGE_WORDS = 5, 6, 135  # about 180 tokens


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/grounding"))
    parser.add_argument("--answers", type=int, default=40)
    arguments = parser.parse_args()
    detector, encode = Detector.load(ARTEFACT), load_minilm()
    if arguments.data.exists():
        _print_speed(detector, encode, load_cases(arguments.data, arguments.answers))
        _print_growth(detector)
    else:
        print(f"No data at {arguments.data}: speed not measured.")
    print(json.dumps(detector.metrics, indent=1))
    print("Published example F1 on the whole test split of RAGTruth QA:", PUBLISHED)


def load_cases(folder: Path, count: int) -> list[tuple[str, str, list[str]]]:
    """Question, answer of five sentences and six passages, made of RAGTruth QA's own text."""
    with gzip.open(folder / "ragtruth_qa_test.passages.jsonl.gz", "rt", encoding="utf-8") as file:
        passages = {row["doc"]: row["passages"] for row in map(json.loads, file)}
    words = " ".join(text for texts in passages.values() for text in texts).split()
    answers: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(folder / "ragtruth_qa_test.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            answers[row["rid"]].append(row)
    cases = []
    for number, rows in enumerate(rows for rows in answers.values() if len(rows) >= SENTENCES):
        own = " ".join(passages[rows[0]["doc"]]).split()
        text = own + words[1000 * number : 1000 * number + PASSAGES * PASSAGE_WORDS]
        cut = [" ".join(text[n * PASSAGE_WORDS : (n + 1) * PASSAGE_WORDS]) for n in range(PASSAGES)]
        cases.append((rows[0]["question"], " ".join(row["claim"] for row in rows[:SENTENCES]), cut))
    return cases[:count]


def _print_speed(detector: Detector, encode: Any, cases: Sequence[tuple[str, str, list[str]]]) -> None:
    encoded: list[int] = []

    def counting(texts: list[str]) -> npt.NDArray[np.float32]:
        encoded.append(len(texts))
        vectors: npt.NDArray[np.float32] = encode(texts)
        return vectors

    detector.check(*cases[0], counting)
    encoded.clear()
    milliseconds = []
    for case in cases:
        begin = time.perf_counter()
        claims = detector.check(*case, counting)
        milliseconds.append((time.perf_counter() - begin) * 1000 / len(claims))
    print(
        f"{statistics.median(milliseconds):.1f} ms a sentence in the median, {max(milliseconds):.1f} at most, "
        f"{statistics.mean(encoded):.1f} texts encoded an answer ({len(cases)} answers)"
    )


def _print_growth(detector: Detector) -> None:
    """Time without the encoder for longer and longer answers: it should grow as they do."""
    for words in (1_000, 4_000, 10_000):
        answer = " ".join(
            f"The pump number {n} moves {n % 97} litres of water an hour." for n in range(words // 11)
        )
        begin = time.perf_counter()
        detector.check(
            "How much?", answer, [answer[:20_000]], lambda texts: np.zeros((len(texts), 384), np.float32)
        )
        print(f"{words} words: {time.perf_counter() - begin:.2f} s without the encoder")


if __name__ == "__main__":
    main()
