"""Trains the detector: `python -m rag.grounding.train --data ../shared/data/grounding`.

Logistic regression with an L2 penalty, on RAGTruth QA with FRANK, SummEdits and WiCE as further examples of
lower weight and their own intercepts. Everything is deterministic: the same data give the same file. The
metrics in the file come from grouped cross-validation: no source is in training and test at once.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.data_folder import RESOURCES
from rag.embedding import Embedder, starter_embedder_folder
from rag.grounding.detector import candidate_cosines
from rag.grounding.features import NAMES, align, features, prepare

Array = npt.NDArray[np.float64]
Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]

MAIN = "ragtruth_qa_test"
WEIGHTS = {MAIN: 1.0, "frank": 0.02, "summedits": 0.02, "wice": 0.02}
PENALTY = 3.0
FOLDS = 5
DATE = "2026-11-23"  # of the data and the recipe; the clock would make every build another file


@dataclass(frozen=True)
class Examples:
    """One data set as features: x (n, features), y (n,) with 1 = not supported."""

    name: str
    x: Array
    y: Array
    groups: list[str]
    responses: list[str]
    sha256: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/grounding"))
    parser.add_argument("--out", type=Path, default=RESOURCES / "grounding" / "detector.json")
    arguments = parser.parse_args()
    embedder = Embedder(starter_embedder_folder())
    sets = [load_examples(arguments.data, name, embedder.encode) for name in WEIGHTS]
    artefact = train(sets, embedder.name)
    arguments.out.write_text(json.dumps(artefact, indent=1) + "\n", "utf-8")
    print(json.dumps(artefact["metrics"], indent=1))


def load_examples(folder: Path, name: str, encode: Encode) -> Examples:
    """Read one data set and compute its features."""
    path = folder / f"{name}.jsonl.gz"
    rows = [json.loads(line) for line in gzip.open(path, "rt", encoding="utf-8")]
    with gzip.open(folder / f"{name}.passages.jsonl.gz", "rt", encoding="utf-8") as file:
        passages = {row["doc"]: row["passages"] for row in map(json.loads, file)}
    contexts = {doc: prepare(texts) for doc, texts in passages.items()}
    by_doc: dict[Any, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        by_doc[row["doc"]].append(index)
    x = np.zeros((len(rows), len(NAMES)))
    for doc, indexes in by_doc.items():
        alignments = [align(rows[index]["claim"], contexts[doc]) for index in indexes]
        cosines = candidate_cosines(alignments, contexts[doc], encode)
        for index, alignment, values in zip(indexes, alignments, cosines, strict=True):
            x[index] = features(alignment, contexts[doc], rows[index]["question"], values)
    return Examples(
        name,
        x,
        np.array([float(row["label"]) for row in rows]),
        [f"{name}/{row['group']}" for row in rows],
        [row["rid"] for row in rows],
        hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def train(sets: Sequence[Examples], embedder_name: str) -> dict[str, Any]:
    """Fit on everything, measure by cross-validation, and return the artefact."""
    main_set = next(s for s in sets if s.name == MAIN)
    out_of_fold = {s.name: np.zeros(len(s.y)) for s in sets}
    for fold in range(FOLDS):
        parts = [(s, np.array([_fold(group) == fold for group in s.groups])) for s in sets]
        model = _fit([(s.x[~held], s.y[~held], WEIGHTS[s.name]) for s, held in parts])
        for number, (s, held) in enumerate(parts):
            out_of_fold[s.name][held] = _predict(model, s.x[held], number)
    unsupported = best_example_threshold(out_of_fold[MAIN], main_set)
    check = float(np.quantile(out_of_fold[MAIN][main_set.y == 1], 0.25))
    thresholds = {"check": round(min(check, unsupported * 0.6), 4), "unsupported": round(unsupported, 4)}
    coefficients, intercepts, mean, scale = _fit([(s.x, s.y, WEIGHTS[s.name]) for s in sets])
    return {
        "embedder": embedder_name,
        "date": DATE,
        "features": list(NAMES),
        "coefficients": [round(float(v), 6) for v in coefficients],
        "intercept": round(float(intercepts[0]), 6),
        "mean": [round(float(v), 6) for v in mean],
        "scale": [round(float(v), 6) for v in scale],
        "thresholds": thresholds,
        "data": {s.name: s.sha256 for s in sets},
        "metrics": {
            "protocol": f"grouped {FOLDS}-fold cross-validation by source",
            **{s.name: _metrics(out_of_fold[s.name], s, thresholds["unsupported"]) for s in sets},
        },
    }


def best_example_threshold(scores: Array, data: Examples) -> float:
    """The threshold with the best example-level F1: an answer is flagged when any sentence of it is."""
    best, best_f1 = 0.5, -1.0
    for threshold in np.unique(np.quantile(scores, np.linspace(0.5, 0.999, 200))):
        f1 = example_scores(scores, data, float(threshold))["f1"]
        if f1 > best_f1:
            best, best_f1 = float(threshold), f1
    return best


def example_scores(scores: Array, data: Examples, threshold: float) -> dict[str, float]:
    """Precision, recall and F1 over answers."""
    truth: dict[str, bool] = defaultdict(bool)
    flagged: dict[str, bool] = defaultdict(bool)
    for response, label, score in zip(data.responses, data.y, scores, strict=True):
        truth[response] |= bool(label)
        flagged[response] |= bool(score >= threshold)
    hits = sum(truth[r] and flagged[r] for r in truth)
    precision = hits / max(sum(flagged.values()), 1)
    recall = hits / max(sum(truth.values()), 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"precision": precision, "recall": recall, "f1": f1}


def auroc(scores: Array, labels: Array) -> float:
    """Area under the ROC curve, ties counted half."""
    from scipy.stats import rankdata

    positives = labels.sum()
    negatives = len(labels) - positives
    ranks = rankdata(scores)
    return float((ranks[labels == 1].sum() - positives * (positives + 1) / 2) / max(positives * negatives, 1))


def average_precision(scores: Array, labels: Array) -> float:
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    precision = hits / np.arange(1, len(labels) + 1)
    return float((precision * labels[order]).sum() / max(labels.sum(), 1))


def expected_calibration_error(scores: Array, labels: Array, bins: int = 10) -> float:
    """ECE with equal-width bins (Naeini, Cooper, Hauskrecht 2015)."""
    index = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = [
        abs(scores[index == b].mean() - labels[index == b].mean()) * (index == b).mean()
        for b in range(bins)
        if (index == b).any()
    ]
    return float(sum(gaps))


def _metrics(scores: Array, data: Examples, threshold: float) -> dict[str, Any]:
    return {
        "n": len(data.y),
        "positives": int(data.y.sum()),
        "auroc": round(auroc(scores, data.y), 4),
        "average_precision": round(average_precision(scores, data.y), 4),
        "ece": round(expected_calibration_error(scores, data.y), 4),
        **{f"example_{k}": round(v, 4) for k, v in example_scores(scores, data, threshold).items()},
    }


Model = tuple[Array, Array, Array, Array]  # coefficients, intercept of each set, mean, scale


def _fit(parts: Sequence[tuple[Array, Array, float]]) -> Model:
    """Weighted L2-penalised logistic regression by Newton's method, one intercept for each data set."""
    main_x = parts[0][0]
    mean, scale = main_x.mean(axis=0), np.maximum(main_x.std(axis=0), 1e-6)
    x = np.concatenate(
        [
            np.concatenate([(px - mean) / scale, np.tile(np.eye(len(parts))[n], (len(px), 1))], axis=1)
            for n, (px, _, _) in enumerate(parts)
        ]
    )
    y = np.concatenate([py for _, py, _ in parts])
    weights = np.concatenate([np.full(len(py), weight) for _, py, weight in parts])
    penalty = np.concatenate([np.full(main_x.shape[1], PENALTY), np.full(len(parts), 1e-3)])
    beta = np.zeros(x.shape[1])
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        gradient = x.T @ (weights * (p - y)) + penalty * beta
        hessian = (x * (weights * p * (1 - p))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        beta -= step
        if np.abs(step).max() < 1e-10:
            break
    return beta[: main_x.shape[1]], beta[main_x.shape[1] :], mean, scale


def _predict(model: Model, x: Array, set_number: int) -> Array:
    coefficients, intercepts, mean, scale = model
    result: Array = 1 / (1 + np.exp(-np.clip((x - mean) / scale @ coefficients + intercepts[set_number], -30, 30)))
    return result


def _fold(group: str) -> int:
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % FOLDS


if __name__ == "__main__":
    main()
