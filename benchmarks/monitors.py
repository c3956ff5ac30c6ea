"""Measures how often monitors alarm when nothing changed, and when something did: `python -m benchmarks.monitors [--data DIR]`.

Limits of rates exactly, of medians by simulation, both next to the usual three sigma; alarms of a rule that is
evaluated after every question; the energy test on real questions (XQuAD, with a share of Cranfield's as the new topic); silent
failures among real answers (RAGTruth QA); the cost of evaluating all rules after an answer.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.stats import binom

from rag.grounding.silent_failures import silent_failures
from rag.grounding.train import load_minilm
from rag.monitoring.alerts import check_quickly, set_reference
from rag.monitoring.control_limits import energy_test, median_limits, rate_limits
from rag.monitoring.rows import beyond
from rag.storage.store import insert_rows, now_ms
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

RATES = (0.005, 0.02, 0.05, 0.1, 0.3, 0.5)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--traces", type=int, default=100_000)
    arguments = parser.parse_args()
    print_rates()
    print_medians()
    print_overlapping()
    if arguments.data.exists():
        print_drift(arguments.data / "retrieval")
        print_silent(arguments.data / "grounding" / "ragtruth_qa_test.jsonl.gz")
    print_cost(arguments.traces)


def print_rates() -> None:
    print("windows beyond the upper limit with no change, worst of six rates (exact): ours, p + 3 sigma")
    for reference, window in ((20, 20), (50, 50), (200, 50), (1000, 50)):
        ours, usual = (
            max(upper_alarms(reference, window, rate, of) for rate in RATES) for of in (_ours, _three_sigma)
        )
        print(f"  reference {reference:5}, window {window}: {ours:.4f}  {usual:.4f}")


def upper_alarms(reference: int, window: int, rate: float, limit: Callable[[int, int, int], float]) -> float:
    chances = binom.pmf(np.arange(reference + 1), reference, rate)
    return float(
        sum(
            chance * binom.sf(np.floor(limit(count, reference, window) * window + 1e-9), window, rate)
            for count, chance in enumerate(chances)
            if chance > 1e-12
        )
    )


def _ours(count: int, reference: int, window: int) -> float:
    high = rate_limits(count, reference, window).high
    return 1.0 if high is None else high


def _three_sigma(count: int, reference: int, window: int) -> float:
    rate = count / reference
    return float(rate + 3 * np.sqrt(rate * (1 - rate) / window))


def print_medians(rounds: int = 4000) -> None:
    print(
        "windows beyond either limit with no change, latencies (lognormal), by simulation: ours, mean ± 3 sigma"
    )
    generator = np.random.default_rng(0)
    for reference, window in ((50, 20), (200, 50), (1000, 50)):
        ours = usual = 0
        for _ in range(rounds):
            old, new = (generator.lognormal(8, 0.8, size=n) for n in (reference, window))
            limits = median_limits(list(old), window)
            ours += beyond(float(np.sort(new)[(window - 1) // 2]), limits.low, limits.high)
            usual += bool(abs(new.mean() - old.mean()) > 3 * old.std() / np.sqrt(window))
        print(f"  reference {reference:5}, window {window}: {ours / rounds:.4f}  {usual / rounds:.4f}")


def print_overlapping(rounds: int = 300, asks: int = 1000) -> None:
    """Count false alarms of a rule that is evaluated after every question, so that its windows overlap."""
    generator = np.random.default_rng(0)
    alarms = 0
    for _ in range(rounds):
        count = int((generator.random(200) < 0.1).sum())
        high = rate_limits(count, 200, 50).high or 1.0
        windows = np.convolve(generator.random(asks) < 0.1, np.ones(50), "valid") / 50
        outside = windows > high + 1e-9
        alarms += int((outside & ~np.concatenate([[False], outside[:-1]])).sum())
    print(f"false alarms of one rule in {asks:,} questions, rate 10 %, reference 200: {alarms / rounds:.2f}")


def print_drift(folder: Path, rounds: int = 200) -> None:
    articles = json.loads((folder / "xquad.en.json").read_text("utf-8"))["data"]
    usual = [q["question"] for a in articles for p in a["paragraphs"] for q in p["qas"]]
    queries = re.split(r"\.I \d+\s+\.W\s+", (folder / "cranfield" / "cran.qry").read_text("utf-8"))[1:]
    encode = load_minilm()
    known, foreign = (
        np.asarray(encode(texts), dtype=np.float32)
        for texts in (usual, [" ".join(q.split()) for q in queries])
    )
    generator = np.random.default_rng(0)
    print(
        f"energy test, {len(usual)} questions of XQuAD, reference 100: share of tests with p < 0.05 and p < 0.01"
    )
    for share in (0.0, 0.1, 0.2, 0.5):
        parts = []
        for count in (20, 50, 100):
            found = []
            for round_ in range(rounds):
                order = generator.permutation(len(known))
                new = round(share * count)
                fresh = foreign[generator.permutation(len(foreign))[:new]]
                sample = np.concatenate([known[order[100 : 100 + count - new]], fresh])
                found.append(energy_test(sample, known[order[:100]], seed=round_)[1])
            rates = [float(np.mean(np.array(found) < level)) for level in (0.05, 0.01)]
            parts.append(f"{count} questions {rates[0]:.2f} {rates[1]:.2f}")
        print(f"  {share:4.0%} on a new topic: " + "   ".join(parts))


def print_silent(path: Path) -> None:
    answers: dict[str, tuple[str, str]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            answers[row["rid"]] = (row["question"], row["meta"]["resp"])
    found = [(rid, silent_failures(*pair, "stop", 99)) for rid, pair in answers.items()]
    alarms = [(rid, names) for rid, names in found if names]
    print(f"silent failures among {len(answers)} real answers (RAGTruth QA): {len(alarms)}")
    for rid, names in alarms:
        print(f"  {', '.join(names)}: {answers[rid][0]} | {' '.join(answers[rid][1].split())[:160]}")


def print_cost(count: int) -> None:
    """Time the evaluation of every rule after an answer, with `count` traces stored."""
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as folder, Workspace(Path(folder), "a benchmark") as workspace:
        now = now_ms()
        rows = [
            Trace(
                id=secrets.token_hex(16), session_id="s", created_ms=now - (count - n) * 60_000, status="done",
                question="What is it?", answer="It is bread. " * 20, prompt="p" * 3000, collection="A", model="m",
                outcome="answered", claim_count=2, flag_count=int(draw.random() < 0.1), best_score=draw.random(),
                total_ms=draw.lognormvariate(8, 0.4), passage_count=3,
            ).model_dump()
            for n in range(count)
        ]  # fmt: skip
        with workspace.store.session() as session:
            insert_rows(session, Trace, rows)
        set_reference(workspace, "", "40d", "20d")
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            check_quickly(workspace)
            times.append(time.perf_counter() - begin)
        print(f"evaluating all rules after an answer, {count:,} traces: {1000 * sorted(times)[2]:.0f} ms")


if __name__ == "__main__":
    main()
