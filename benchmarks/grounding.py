"""Measures the quality and speed of the grounding detector: `python -m benchmarks.grounding [--data DIR] [--part N]`.

RAGTruth QA (development half of its test split) by grouped cross-validation: no source is in training and test at
once, thresholds are chosen inside the training folds. FRANK, SummEdits and WiCE with the shipped detector, which saw
none of them; what needs a threshold there takes one from the other sources of the same set, in five folds by source.
Intervals: 95 %, percentile bootstrap over sources. Published numbers are given next to them, with what differs in
protocol. Then milliseconds per sentence, MiniLM included, and how the time grows with the answer.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.grounding.detector import Detector
from rag.grounding.train import (
    ARTEFACT,
    FOLDINGS,
    FOLDS,
    MEASURED,
    TRAINED,
    Array,
    Examples,
    Flags,
    auroc,
    average_precision,
    best_example_threshold,
    bucket,
    cross_validate,
    example_scores,
    expected_calibration_error,
    load_examples,
    load_minilm,
    subset,
)

SENTENCES, PASSAGES, PASSAGE_WORDS = 5, 6, 135  # about 180 tokens
RESAMPLES = 1000

PUBLISHED = """
Published, example-level F1 on RAGTruth QA: GPT-4-turbo prompt 0.456, Luna 0.513, HHEM-2.1 0.600,
LettuceDetect-base 0.655, LettuceDetect-large 0.702. What differs: theirs is the whole test split, trained on the
training split (5,034 QA answers; GPT-4 and HHEM on other data) with fixed models; ours is half of that test split's
sources, trained on four fifths of the same half (about 340 answers) in each fold.
Published, character spans over all three tasks of RAGTruth: LettuceDetect-large F1 0.589, Llama-2-13B tuned for it
0.527 (arXiv:2502.17125). They label tokens; ours marks whole sentences, of QA alone.
Published, SummEdits balanced accuracy: GPT-4 0.82, a human 0.91 (Laban et al. 2023, all ten domains, zero-shot prompts).
FRANK: the published metrics below were computed by its authors on the same summaries (Pagnoni et al. 2021).
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/grounding"))
    parser.add_argument(
        "--part", type=int, default=6, help="of FRANK, SummEdits and WiCE, use one source in N"
    )
    parser.add_argument("--answers", type=int, default=40, help="for the speed")
    arguments = parser.parse_args()
    if not arguments.data.exists():
        parser.error(f"There is no data at {arguments.data}; name its folder with --data.")
    detector, encode = Detector.load(ARTEFACT), load_minilm()
    _print_speed(detector, encode, load_cases(arguments.data, arguments.answers))
    _print_growth(detector)
    _print_trained(load_examples(arguments.data, TRAINED, encode), arguments.data)
    for name in MEASURED:
        data = load_examples(arguments.data, name, encode, arguments.part)
        _print_other(data, scores_of(detector, data))
        if name == "frank":
            _print_peers(arguments.data, data, scores_of(detector, data))
    print(PUBLISHED)


# --- quality ----------------------------------------------------------------------------------------------


def scores_of(detector: Detector, data: Examples) -> Array:
    """What the shipped detector says of every row; what claims nothing scores 0."""
    found = np.array([detector.score(row) for row in data.x])
    result: Array = np.where(data.claimed, found, 0.0)
    return result


def _print_trained(data: Examples, folder: Path) -> None:
    foldings = [cross_validate(data, folding) for folding in range(FOLDINGS)]
    scores = np.mean([score for score, _ in foldings], axis=0)
    _title(f"{data.name}: grouped {FOLDS}-fold cross-validation, {FOLDINGS} foldings", data)
    f1 = [example_scores(flags, data) for _, flags in foldings]
    ends = example_intervals(data, foldings[0][1])
    for name, (low, high) in zip(("precision", "recall", "f1"), ends, strict=True):
        values = [each[name] for each in f1]
        print(
            f"  example {name:<20} {np.mean(values):.3f}   [{low:.3f}, {high:.3f}] by source, "
            f"{min(values):.3f} to {max(values):.3f} by folding"
        )
    _print_ranking(data, scores)
    _show("ECE", expected_calibration_error(scores, data.y), data,
          lambda part: expected_calibration_error(scores[part], data.y[part]))  # fmt: skip
    flags = foldings[0][1]
    _show("balanced accuracy", balanced_accuracy(flags, data.y), data,
          lambda part: balanced_accuracy(flags[part], data.y[part]))  # fmt: skip
    overlap = span_overlap(folder, data, flags)
    _show_spans("character span, threshold of F1", overlap, data)
    spans = [span_threshold(folder, data, folding) for folding in range(2)]
    _show_spans("character span, threshold of spans", spans[0], data)


def span_threshold(folder: Path, data: Examples, folding: int) -> Array:
    """Overlaps (n, 3) with the threshold that has the best span F1 on the other folds."""
    scores, _ = cross_validate(data, folding)
    fold_of = np.array([bucket(f"{folding}/{group}", FOLDS) for group in data.groups])
    everything = span_overlap(folder, data, np.ones(len(data.y), dtype=np.bool_))
    result = everything.copy()
    for fold in range(FOLDS):
        seen = fold_of != fold
        thresholds = np.unique(np.quantile(scores[seen], np.linspace(0.7, 0.995, 150)))
        best = max(
            thresholds,
            key=lambda limit: _span_scores(_cut(everything[seen], scores[seen] >= limit))[2],
        )
        result[~seen] = _cut(everything[~seen], scores[~seen] >= best)
    return result


def span_overlap(folder: Path, data: Examples, flags: Flags) -> Array:
    """(n, 3): characters flagged and labelled, flagged, labelled. A flag marks its whole sentence."""
    with gzip.open(folder / f"{data.name}.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    found = np.zeros((len(rows), 3))
    for number, row in enumerate(rows):
        labelled: set[int] = set()
        for span in row["meta"]["spans"]:
            labelled |= set(range(max(span[0], row["start"]), min(span[1], row["end"])))
        found[number] = len(labelled), row["end"] - row["start"], len(labelled)
    return _cut(found, flags)


def _cut(overlap: Array, flags: Flags) -> Array:
    result = overlap.copy()
    result[~flags, :2] = 0
    return result


def _span_scores(overlap: Array) -> tuple[float, float, float]:
    both, flagged, labelled = overlap.sum(axis=0)
    precision, recall = both / max(flagged, 1), both / max(labelled, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def _show_spans(title: str, overlap: Array, data: Examples) -> None:
    low, high = interval(data, lambda part: _span_scores(overlap[part])[2])
    precision, recall, f1 = _span_scores(overlap)
    print(f"  {title}: precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}   [{low:.3f}, {high:.3f}]")


def _print_other(data: Examples, scores: Array) -> None:
    _title(f"{data.name}: shipped detector, trained on none of it", data)
    _print_ranking(data, scores)
    calibrated, flags, balanced = _by_fold(data, scores)
    for name, value in example_scores(flags, data).items():
        print(f"  example {name:<20} {value:.3f}")
    _show("balanced accuracy", balanced_accuracy(balanced, data.y), data,
          lambda part: balanced_accuracy(balanced[part], data.y[part]))  # fmt: skip
    print(
        f"  ECE as it is {expected_calibration_error(scores, data.y):.3f} (another share of unsupported claims)"
    )
    print(
        f"  ECE with slope and intercept fitted in folds {expected_calibration_error(calibrated, data.y):.3f}"
    )


def _by_fold(data: Examples, scores: Array) -> tuple[Array, Flags, Flags]:
    """Scores recalibrated, flags by the best example F1, flags by the best balanced accuracy: of the other folds."""
    from rag.asking.flag_limits import fit_platt
    from rag.grounding.detector import log_odds, sigmoid

    fold_of = np.array([bucket(f"0/{group}", FOLDS) for group in data.groups])
    calibrated = scores.copy()
    flags, balanced = np.zeros(len(scores), dtype=np.bool_), np.zeros(len(scores), dtype=np.bool_)
    for fold in range(FOLDS):
        seen, held = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        slope, intercept = fit_platt(np.array([log_odds(s) for s in scores[seen]]), data.y[seen])
        calibrated[held] = [sigmoid(slope * log_odds(score) + intercept) for score in scores[held]]
        flags[held] = scores[held] >= best_example_threshold(scores[seen], subset(data, fold_of != fold))
        limits = np.unique(np.quantile(scores[seen], np.linspace(0.02, 0.98, 97)))
        best = max(limits, key=lambda limit: balanced_accuracy(scores[seen] >= limit, data.y[seen]))
        balanced[held] = scores[held] >= best
    return calibrated, flags, balanced


def _print_peers(folder: Path, data: Examples, scores: Array) -> None:
    """AUROC of FRANK's published metrics on the same rows: a high score of theirs means supported."""
    with gzip.open(folder / "frank.jsonl.gz", "rt", encoding="utf-8") as file:
        known = {(row["rid"], row["sid"]): row["meta"]["peers"] for row in map(json.loads, file)}
    with gzip.open(folder / "frank.jsonl.gz", "rt", encoding="utf-8") as file:
        order = [
            (row["rid"], row["sid"]) for row in map(json.loads, file) if row["group"] in set(data.groups)
        ]
    rows = [known[key] for key in order]
    if len(rows) != len(scores):
        raise SystemExit("FRANK's rows are not in the order of its features; say --part 1.")
    print(f"  AUROC on the rows that have a value: this detector {auroc(scores, data.y):.3f}")
    found = []
    for name in sorted({name for row in rows for name in row}):
        has = np.array([row.get(name) is not None for row in rows])
        values = np.array([float(row[name]) for row in rows if row.get(name) is not None])
        found.append((auroc(-values, data.y[has]), name, int(has.sum())))
    print("    " + ", ".join(f"{name} {value:.3f}" for value, name, _ in sorted(found, reverse=True)))


def _print_ranking(data: Examples, scores: Array) -> None:
    _show("sentence AUROC", auroc(scores, data.y), data, lambda part: auroc(scores[part], data.y[part]))
    _show("average precision", average_precision(scores, data.y), data,
          lambda part: average_precision(scores[part], data.y[part]))  # fmt: skip


def example_intervals(data: Examples, flags: Flags) -> list[tuple[float, float]]:
    """95 % bootstrap over sources of example precision, recall and F1."""
    answers: dict[tuple[str, str], list[bool]] = defaultdict(lambda: [False, False])
    for group, response, label, flag in zip(data.groups, data.responses, data.y, flags, strict=True):
        answer = answers[group, response]
        answer[0], answer[1] = answer[0] or bool(label), answer[1] or bool(flag)
    counts: dict[str, npt.NDArray[np.int64]] = defaultdict(lambda: np.zeros(3, dtype=np.int64))
    for (group, _), (unsupported, flagged) in answers.items():
        counts[group] += (unsupported and flagged, flagged, unsupported)
    table = np.array(list(counts.values()))
    drawn = np.random.default_rng(0).integers(0, len(table), (RESAMPLES, len(table)))
    hits, flagged, unsupported = table[drawn].sum(axis=1).T
    values = (hits / flagged.clip(1), hits / unsupported.clip(1), 2 * hits / (flagged + unsupported).clip(1))
    return [(float(low), float(high)) for low, high in (np.quantile(v, [0.025, 0.975]) for v in values)]


def balanced_accuracy(flags: Flags, labels: Array) -> float:
    """Mean of the recalls of both classes."""
    wanted = labels == 1
    return float((flags[wanted].mean() + (~flags[~wanted]).mean()) / 2)


def interval(data: Examples, measure: Callable[[npt.NDArray[np.int64]], float]) -> tuple[float, float]:
    """95 % percentile bootstrap of a measure of row numbers, sources drawn with replacement."""
    rows: dict[str, list[int]] = defaultdict(list)
    for number, group in enumerate(data.groups):
        rows[group].append(number)
    parts = [np.array(part) for part in rows.values()]
    generator = np.random.default_rng(0)
    values = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate([parts[n] for n in generator.integers(0, len(parts), len(parts))])
        if 0 < data.y[drawn].sum() < len(drawn):
            values.append(measure(drawn))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _title(text: str, data: Examples) -> None:
    print(
        f"\n{text}\n  {len(data.y)} sentences, {int(data.y.sum())} unsupported, {len(set(data.responses))} answers, "
        f"{len(set(data.groups))} sources"
    )


def _show(name: str, value: float, data: Examples, measure: Callable[[npt.NDArray[np.int64]], float]) -> None:
    low, high = interval(data, measure)
    print(f"  {name:<28} {value:.3f}   [{low:.3f}, {high:.3f}]")


# --- speed ------------------------------------------------------------------------------------------------


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
