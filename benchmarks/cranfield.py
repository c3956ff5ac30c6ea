"""Measures retrieval on Cranfield: `python -m benchmarks.cranfield [--data DIR]`.

1,400 abstracts, 225 questions with graded judgements, through the program's own ingest and retrieval: dense, BM25, and
both fused. nDCG@10, MAP and recall@100 of documents (a document ranks where its best chunk does), computed by
rag.evaluation.metrics and checked against pytrec_eval. Codes 1 (complete answer) to 4 (minimum interest) become the
gains 4 to 1, -1 (no interest) becomes 0. The judgements number the questions 1 to 225 in the order of the file, not
by the numbers in it. Next to it are the same texts in bare rank-bm25 style and bare MiniLM, without chunks.
"""

from __future__ import annotations

import argparse
import math
import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rag.asking.retrieval import retrieve
from rag.evaluation.metrics import Grades, average_precision, ndcg_at_k, recall_at_k
from rag.evaluation.statistics.paired import compare_runs
from rag.knowledge.collections import open_version
from rag.knowledge.ingest import ingest_files
from rag.settings import RetrievalSettings
from rag.text.search_terms import query_words
from rag.workspace import Workspace

DEPTH = 100
METRICS: dict[str, Callable[[Sequence[str], Grades], float | None]] = {
    "nDCG@10": lambda ranked, relevance: ndcg_at_k(ranked, relevance, 10),
    "MAP": average_precision,
    "recall@100": lambda ranked, relevance: recall_at_k(ranked, relevance, DEPTH),
}
Run = dict[str, list[str]]  # question -> documents, best first


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/retrieval/cranfield"))
    arguments = parser.parse_args()
    if not arguments.data.exists():
        parser.error(f"There is no data at {arguments.data}; name its folder with --data.")
    documents, questions, judged = read(arguments.data)
    with tempfile.TemporaryDirectory() as scratch:
        runs, embedder_run = search(Path(scratch), documents, questions)
    runs |= embedder_run | {"bare BM25": bare_bm25(documents, questions)}
    check(runs, judged)
    print(
        f"\n{len(documents):,} documents, {len(questions)} questions; means over questions with a relevant document"
    )
    print(f"{'':14}" + "".join(f"{name:>12}" for name in METRICS))
    for name, run in runs.items():
        values = score(run, judged)
        print(f"{name:14}" + "".join(f"{np.mean(list(values[metric].values())):12.4f}" for metric in METRICS))
    values = {
        name: {metric: one_each(found) for metric, found in score(run, judged).items()}
        for name, run in runs.items()
    }
    for other in ("dense", "BM25"):
        for found in compare_runs(values[other], values["hybrid"]):
            print(
                f"hybrid - {other}, {found.metric}: {found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}], "
                f"p (Holm) = {found.p_holm:.2g}, {found.test}"
            )


def read(folder: Path) -> tuple[dict[str, str], dict[str, str], dict[str, dict[str, int]]]:
    """Documents and questions by number, and grades by question and document."""
    text = (folder / "cran.all.1400").read_text("latin-1")
    documents = {}
    for part in re.split(r"^\.I ", text, flags=re.MULTILINE)[1:]:
        number, _, rest = part.partition("\n")
        title = re.search(r"^\.T\n(.*?)^\.A", rest, re.DOTALL | re.MULTILINE)
        body = re.search(r"^\.W\n(.*)", rest, re.DOTALL | re.MULTILINE)
        name, words = (title.group(1).strip() if title else ""), (body.group(1).strip() if body else "")
        documents[number.strip()] = words if words.startswith(name) else f"{name}\n\n{words}"
    queries = re.split(r"^\.I .*\n\.W\n", (folder / "cran.qry").read_text("latin-1"), flags=re.MULTILINE)[1:]
    questions = {str(number): " ".join(query.split()) for number, query in enumerate(queries, 1)}
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (folder / "cranqrel").read_text("latin-1").splitlines():
        question, document, code = line.split()[:3]
        judged[question][document] = max(5 - int(code), 0) if int(code) > 0 else 0
    return documents, questions, judged


def search(
    folder: Path, documents: dict[str, str], questions: dict[str, str]
) -> tuple[dict[str, Run], dict[str, Run]]:
    """The program's three searches, and MiniLM alone over whole documents."""
    files = folder / "documents"
    files.mkdir()
    for number, text in documents.items():
        if text.strip():
            (files / f"{number}.txt").write_text(text, "utf-8")
    runs: dict[str, Run] = {}
    (folder / "data").mkdir()
    with Workspace(folder / "data") as workspace:
        begin = time.perf_counter()
        for _ in ingest_files(workspace, "Cranfield", [files]):
            pass
        print(f"ingest {time.perf_counter() - begin:.1f} s")
        collection, version = open_version(workspace, "Cranfield", None)
        for kind in ("dense", "BM25", "hybrid"):
            # Twice the depth: several chunks of one document count once.
            settings = RetrievalSettings(search=kind, candidates=2 * DEPTH, min_similarity=-1.0)
            begin = time.perf_counter()
            runs[kind] = {}
            for number, question in questions.items():
                hits = retrieve(workspace, collection, version, question, settings).hits
                ranked = dict.fromkeys(Path(hit.path).stem for hit in hits)
                runs[kind][number] = list(ranked)[:DEPTH]
            print(f"{kind} {(time.perf_counter() - begin) / len(questions) * 1000:.1f} ms a question")
        whole = workspace.encode(list(documents.values()))
        asked = workspace.encode(list(questions.values()))
    names = list(documents)
    order = np.argsort(-(asked @ whole.T), axis=1, kind="stable")[:, :DEPTH]
    bare = {number: [names[place] for place in row] for number, row in zip(questions, order, strict=True)}
    return runs, {"bare MiniLM": bare}


def bare_bm25(documents: dict[str, str], questions: dict[str, str], k1: float = 1.2, b: float = 0.75) -> Run:
    """Okapi BM25 over whole documents, no stemming: the reference that a search has to reach."""
    counts = {name: Counter(re.findall(r"\w+", text.lower())) for name, text in documents.items()}
    lengths = {name: sum(count.values()) for name, count in counts.items()}
    mean = sum(lengths.values()) / len(lengths)
    holders: dict[str, int] = Counter(word for count in counts.values() for word in count)
    run: Run = {}
    for number, question in questions.items():
        words = query_words(question)
        scores = {
            name: sum(
                math.log(1 + (len(counts) - holders[word] + 0.5) / (holders[word] + 0.5))
                * count[word] * (k1 + 1) / (count[word] + k1 * (1 - b + b * lengths[name] / mean))
                for word in words
                if count[word]
            )
            for name, count in counts.items()
        }  # fmt: skip
        run[number] = sorted((name for name in scores if scores[name] > 0), key=lambda n: -scores[n])[:DEPTH]
    return run


def score(run: Run, judged: dict[str, dict[str, int]]) -> dict[str, dict[str, float]]:
    """Values by metric and question; questions without a relevant document have none."""
    values: dict[str, dict[str, float]] = {name: {} for name in METRICS}
    for question, ranked in run.items():
        for name, metric in METRICS.items():
            value = metric(ranked, judged[question])
            if value is not None:
                values[name][question] = value
    return values


def one_each(values: dict[str, float]) -> dict[str, list[float | None]]:
    return {question: [value] for question, value in values.items()}


def check(runs: dict[str, Run], judged: dict[str, dict[str, int]]) -> None:
    """Every value equals pytrec_eval's, or this stops."""
    import pytrec_eval

    names = {"nDCG@10": "ndcg_cut_10", "MAP": "map", "recall@100": "recall_100"}
    evaluator = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut.10", "map", "recall.100"})
    worst = 0.0
    for run in runs.values():
        ranked = {
            q: {d: float(DEPTH - place) for place, d in enumerate(docs)} for q, docs in run.items() if docs
        }
        theirs, ours = evaluator.evaluate(ranked), score(run, judged)
        for metric, name in names.items():
            for question, value in ours[metric].items():
                if question in theirs:
                    worst = max(worst, abs(value - theirs[question][name]))
    if worst > 1e-9:
        raise SystemExit(f"differs from pytrec_eval by {worst:.2e}")
    print(f"equal to pytrec_eval within {worst:.0e}")


if __name__ == "__main__":
    main()
