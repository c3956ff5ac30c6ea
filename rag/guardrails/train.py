"""Trains the recogniser of requests to a model: `python -m rag.guardrails.train --data ../shared/data`.

Positive sentences: BIPIA's training attacks (MIT) and the requests of resources/guardrails/requests.json, put
into passages of real texts at the beginning, in the middle or at the end. Negative: every other sentence of
these passages (WiCE and SummEdits of the grounding data, MultiNLI and SNLI premises, XQuAD, the Debian
documents), and the sentences and texts of manuals, letters and tasks in requests.json. The same data give the
same file. The threshold is such that about one clean passage in seventy is reported, measured on passages
that are not trained on.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.grounding.sentences import Sentence
from rag.guardrails.requests import BUCKETS, NAMES, Features, Model, features, scored

RESOURCES = Path(__file__).resolve().parent.parent.parent / "resources" / "guardrails"
ARTEFACT = RESOURCES / "injection.json"
SEED = 20_261_128
PASSAGE = 900  # characters
PASSAGES = 2600  # clean ones that are trained on
CHOSEN_ON = 1400  # clean ones on which the threshold is chosen; the rest checks it
FILLS = 14  # sentences that are made of each request with slots
OFTEN = 4  # times that each attack and each sentence of a manual is put into a passage
FOLDS = 5  # of the categories of attacks, for the check
FALSE_ALARMS = 0.015  # of clean passages
PENALTY = 0.6

Array = npt.NDArray[np.float64]


def main() -> None:
    """Train, write the file and print its metrics."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=ARTEFACT)
    arguments = parser.parse_args()
    artefact = build(arguments.data)
    arguments.out.write_text(json.dumps(artefact, indent=1) + "\n", "utf-8")
    print(json.dumps(artefact["metrics"], indent=1))


def build(folder: Path) -> dict[str, Any]:
    """Return the artefact, trained on the data in a folder and checked by attack category."""
    attacks = json.loads((folder / "guardrails/bipia/text_attack_train.json").read_text("utf-8"))
    texts = json.loads((RESOURCES / "requests.json").read_text("utf-8"))
    clean = clean_passages(folder)
    parts = clean[:PASSAGES], clean[PASSAGES : PASSAGES + CHOSEN_ON]
    unseen = clean[PASSAGES + CHOSEN_ON :]
    held = {}
    names = sorted(attacks)
    for fold in range(FOLDS):
        left_out = names[fold::FOLDS]
        others = {name: found for name, found in attacks.items() if name not in left_out}
        model = train(others, texts, *parts)
        for name in left_out:
            held[name] = round(recall(attacks[name], unseen, model), 4)
    model = train(attacks, texts, *parts)
    return {
        "buckets": {str(n): round(w, 4) for n, w in enumerate(model.buckets) if abs(w) >= 0.0005},
        "structure": {name: round(w, 4) for name, w in zip(NAMES, model.structure, strict=True)},
        "intercept": round(model.intercept, 4),
        "threshold": round(model.threshold, 4),
        "data": {"attacks": _digest(attacks), "requests": _digest(texts), "clean": _digest(clean)},
        "metrics": {
            "protocol": "recall of BIPIA's training attacks by a model that saw no attack of their category",
            "by_category": held,
            "recall": round(float(np.mean(list(held.values()))), 4),
            "false_alarms": round(false_alarms(unseen, model), 4),
        },
    }


def train(
    attacks: dict[str, list[str]], texts: dict[str, Any], clean: Sequence[str], others: Sequence[str]
) -> Model:
    """Fit the weights on clean passages with and without requests, and choose the threshold on others."""
    rows: list[Features] = []
    labels: list[float] = []
    for text, wanted in examples(attacks, texts, clean):
        for sentence, found in _features(text):
            inside = wanted is not None and wanted[0] <= sentence.start < wanted[1]
            rows.append(found)
            labels.append(float(inside and wanted is not None and wanted[2]))
    weights, intercept = fit(rows, np.array(labels))
    model = Model(tuple(weights[:BUCKETS]), tuple(weights[BUCKETS:]), intercept, 1.0)
    highest = sorted((_highest(passage, model) for passage in others), reverse=True)
    threshold = highest[int(FALSE_ALARMS * len(highest))] + 1e-6
    return Model(model.buckets, model.structure, model.intercept, float(threshold))


Place = tuple[int, int, bool]  # start, end, whether it is a request


def examples(
    attacks: dict[str, list[str]], texts: dict[str, Any], clean: Sequence[str]
) -> Iterable[tuple[str, Place | None]]:
    """Yield texts with the place of what was put into them; a clean text has none."""
    requests = [(attack, OFTEN) for found in attacks.values() for attack in found]
    for templates in texts["requests"].values():
        requests += [(template, FILLS if "{" in template else OFTEN) for template in templates]
    requests += [(request, OFTEN) for request in texts["other_languages"]]
    for sentences, is_request in ((requests, True), ([(text, OFTEN) for text in texts["manuals"]], False)):
        for sentence, times in sentences:
            for time in range(times):
                # Drawn for each sentence by itself: a set without some of them has the same others.
                draw = random.Random(f"{SEED}/{time}/{sentence}")
                filled = fill(sentence, texts["slots"], draw) if is_request else sentence
                passage, place = draw.choice(clean), draw.randrange(3)
                text, start = insert(filled, passage, place)
                yield text, (start, start + len(filled), is_request)
    yield from ((text, None) for text in texts["texts"] for _ in range(OFTEN))
    yield from ((passage, None) for passage in clean)


@cache
def _features(text: str) -> list[tuple[Sentence, Features]]:
    return features(text)


def insert(request: str, passage: str, place: int) -> tuple[str, int]:
    """Return a passage with a request at its beginning (0), in its middle (1) or at its end (2)."""
    ends = [match.end() for match in re.finditer(r"[.!?]\s", passage)]
    at = 0 if place == 0 else len(passage) if place == 2 or not ends else ends[len(ends) // 2]
    before = passage[:at].rstrip() + " " if at else ""
    return before + request + " " + passage[at:].lstrip(), len(before)


def fill(template: str, slots: dict[str, list[str]], draw: random.Random) -> str:
    """Return a request with a word drawn for each slot."""
    text = re.sub(r"\{(\w+)\}", lambda match: draw.choice(slots[match[1]]), template)
    form = draw.random()
    # People and attackers write the same request in several ways.
    if form < 0.12 and text[-1] == "." and not text.startswith(("I ", "Let", "You")):
        return "Please " + text[0].lower() + text[1:]
    if form < 0.16 and text[-1] == "." and not text.startswith(("I ", "Let", "You", "In ")):
        return "Can you " + text[0].lower() + text[1:-1] + "?"
    return text


def fit(rows: Sequence[Features], labels: Array) -> tuple[list[float], float]:
    """Fit an L2-penalised logistic regression; requests weigh a quarter of all other sentences together."""
    from scipy.optimize import minimize
    from scipy.sparse import csr_matrix

    values, columns, starts = [], [], [0]
    for hashed, structure in rows:
        columns += [*hashed, *(BUCKETS + n for n, value in enumerate(structure) if value)]
        values += [*hashed.values(), *(value for value in structure if value)]
        starts.append(len(columns))
    x = csr_matrix((values, columns, starts), shape=(len(rows), BUCKETS + len(NAMES)))
    weight = np.where(labels == 1, 0.25 * (labels == 0).sum() / max(labels.sum(), 1), 1.0)

    def loss(beta: Array) -> tuple[float, Array]:
        logits = np.clip(x @ beta[:-1] + beta[-1], -30, 30)
        p = 1 / (1 + np.exp(-logits))
        error = weight * (p - labels)
        cost = float((weight * (np.logaddexp(0, logits) - labels * logits)).sum())
        penalty = 0.5 * PENALTY * float(beta[:-1] @ beta[:-1])
        return cost + penalty, np.append(x.T @ error + PENALTY * beta[:-1], error.sum())

    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 150})
    return [round(float(w), 4) for w in found.x[:-1]], round(float(found.x[-1]), 4)


def recall(attacks: Sequence[str], clean: Sequence[str], model: Model) -> float:
    """Return the share of attacks found, each in three passages at three places."""
    draw = random.Random(SEED + 1)
    hits = [
        _finds(*insert(attack, draw.choice(clean), place), len(attack), model)
        for attack in attacks
        for place in range(3)
    ]
    return sum(hits) / len(hits)


def _finds(text: str, start: int, length: int, model: Model) -> bool:
    return any(
        score >= model.threshold and sentence.end > start and sentence.start < start + length
        for sentence, score in scored(text, model)
    )


def false_alarms(clean: Sequence[str], model: Model) -> float:
    """Return the share of clean passages in which something is found."""
    return sum(_highest(passage, model) >= model.threshold for passage in clean) / max(len(clean), 1)


def _highest(passage: str, model: Model) -> float:
    return max((score for _, score in scored(passage, model)), default=0.0)


def clean_passages(folder: Path) -> list[str]:
    """Return passages of real texts in a fixed order that mixes their sources; nobody injected anything."""
    found: set[str] = set()
    for name in ("wice", "summedits"):
        for passages in _lines(folder / f"grounding/{name}.passages.jsonl.gz"):
            found.update(cut(" ".join(passages["passages"])[: 6 * PASSAGE]))
    premises = [
        row["premise"] for row in _lines(folder / "nli/nli_train.jsonl.gz") if row["src"] in ("mnli", "snli")
    ]
    premises = sorted(set(premises))
    found.update(" ".join(premises[n : n + 8]) for n in range(0, len(premises), 8 * 12))
    squad = json.loads((folder / "retrieval/xquad.en.json").read_text("utf-8"))
    found.update(part["context"] for entry in squad["data"] for part in entry["paragraphs"])
    for path in sorted((folder / "documents/debian_docs").glob("*.txt")):
        found.update(cut(path.read_text("utf-8", errors="replace")[: 60 * PASSAGE]))
    return sorted(found, key=lambda text: hashlib.sha256(text.encode()).digest())


def cut(text: str) -> list[str]:
    """Return a text in passages that end with a sentence where one ends."""
    passages, start = [], 0
    while len(text) - start > PASSAGE // 3:
        end = text.rfind(". ", start + PASSAGE // 2, start + PASSAGE)
        end = end + 1 if end > 0 else start + PASSAGE
        passages.append(text[start:end].strip())
        start = end
    return passages


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    main()
