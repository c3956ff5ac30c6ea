"""Measures the guardrails: `python -m benchmarks.guardrails [--data DIR] [--presidio FILE] [--bipia FILE]`.

Personal data: precision, recall and F1 by kind in Presidio's labelled sentences (development half). A labelled place
counts as found when findings of its kind cover at least half of it, and a finding is right when at least half of it is
labelled as its kind; the town, the country and the postal code that Presidio labels apart belong to an address. A
kind that is claimed (rag/guardrails/rows.py) and has an F1 below 0.90, or is worse than what stands there, ends the
benchmark with an error.

Prompt injection: BIPIA's attacks (training half) inserted into ordinary passages of sets that are not trained on, at
the beginning, in the middle and at the end; false alarms on the same passages without an attack, on the questions of
people, and on texts that talk about instructions (benchmarks/guardrails_controls.txt, never trained on). BIPIA's
training attacks are trained on: what the recogniser finds of a category that it has not seen is printed from its own
file. All intervals are Wilson's, 95 %. Then the processor time of a passage and of an answer.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from rag.guardrails import injection, personal_data
from rag.guardrails.rows import LEAST_F1, MEASURED, PersonalData, is_experimental
from rag.guardrails.train import ARTEFACT, cut, insert
from rag.monitoring.control_limits import wilson_interval

CONTROLS = Path(__file__).with_name("guardrails_controls.txt")
KINDS = {
    "EMAIL_ADDRESS": PersonalData.EMAIL,
    "PHONE_NUMBER": PersonalData.PHONE,
    "IBAN_CODE": PersonalData.IBAN,
    "CREDIT_CARD": PersonalData.CARD,
    "US_SSN": PersonalData.NATIONAL_ID,
    "IP_ADDRESS": PersonalData.IP_ADDRESS,
    "STREET_ADDRESS": PersonalData.ADDRESS,
    "PERSON": PersonalData.PERSON,
}
PARTS_OF_ADDRESSES = ("GPE", "ZIP_CODE")
PLACES = ("beginning", "middle", "end")
PASSAGES = 1000  # of each source
INSERTED_INTO = 3  # passages of each source, for each attack and place
TOLERANCE = 0.01  # of precision and recall, below what stands in rows.py

Place = tuple[str, int, int]  # kind, start, end


def main() -> int:
    """Print all rates and return 1 when a kind that is claimed is not found well enough."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--presidio", type=Path, help="another file of labelled sentences")
    parser.add_argument("--bipia", type=Path, help="another file of attacks by category")
    arguments = parser.parse_args()
    folder = arguments.data / "guardrails"
    sentences = arguments.presidio or folder / "presidio/synth_dataset_v2.dev.json"
    attacks = arguments.bipia or folder / "bipia/text_attack_train.json"
    faults = print_personal_data(json.loads(sentences.read_text("utf-8")))
    sources = clean_texts(arguments.data)
    print_injection(json.loads(attacks.read_text("utf-8")), sources)
    print_false_alarms(sources, arguments.data)
    print_costs([text for texts in sources.values() for text in texts])
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def rate(count: int, total: int) -> str:
    """Return a share with its interval."""
    if not total:
        return "none"
    low, high = wilson_interval(count, total)
    return f"{count / total:6.1%} [{low:.1%}, {high:.1%}] ({count} of {total})"


# --- personal data ----------------------------------------------------------------------------------------


def print_personal_data(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Print precision, recall and F1 of each kind, and return what is worse than it may be."""
    found, right, labelled, covered = count_personal_data(rows)
    print(f"Personal data in {len(rows)} labelled sentences")
    faults = []
    for kind in KINDS.values():
        precision = right[kind] / found[kind] if found[kind] else 0.0
        recall = covered[kind] / labelled[kind] if labelled[kind] else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        print(
            f"  {kind:22} F1 {f1:.3f} {'experimental' if is_experimental(kind) else 'claimed':12}"
            f" precision {rate(right[kind], found[kind])}  recall {rate(covered[kind], labelled[kind])}"
        )
        if not labelled[kind]:
            continue
        stated = MEASURED[kind]
        if not is_experimental(kind) and f1 < LEAST_F1:
            faults.append(f"{kind} is claimed and its F1 is {f1:.3f}.")
        if len(rows) and min(precision - stated.precision, recall - stated.recall) < -TOLERANCE:
            faults.append(
                f"{kind}: {precision:.3f}, {recall:.3f} are below what rag/guardrails/rows.py says."
            )
    others = ", ".join(kind for kind in PersonalData if kind not in MEASURED)
    print(f"  not in these sentences, experimental: {others}")
    return faults


def count_personal_data(
    rows: Sequence[dict[str, Any]],
) -> tuple[Counter[str], Counter[str], Counter[str], Counter[str]]:
    """Return by kind what was found, what of it is right, what is labelled and what of that is covered."""
    found, right, labelled, covered = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        text, spans = row["full_text"], row["spans"]
        gold = [place(KINDS[span["entity_type"]], span) for span in spans if span["entity_type"] in KINDS]
        parts = [
            place(PersonalData.ADDRESS, span) for span in spans if span["entity_type"] in PARTS_OF_ADDRESSES
        ]
        own = [(finding.kind, finding.start, finding.end) for finding in personal_data.find(text)]
        for kind, start, end in own:
            found[kind] += 1
            right[kind] += is_covered((kind, start, end), [*gold, *parts])
        for one in gold:
            labelled[one[0]] += 1
            covered[one[0]] += is_covered(one, own)
    return found, right, labelled, covered


def place(kind: str, span: dict[str, Any]) -> Place:
    return kind, span["start_position"], span["end_position"]


def is_covered(one: Place, others: Iterable[Place]) -> bool:
    """Return whether places of the same kind cover at least half of a place."""
    kind, start, end = one
    common = sum(max(0, min(end, e) - max(start, s)) for k, s, e in others if k == kind)
    return 2 * common >= end - start


# --- prompt injection -------------------------------------------------------------------------------------


def clean_texts(folder: Path) -> dict[str, list[str]]:
    """Return ordinary passages by source: none is trained on."""
    abstracts = (
        (folder / "retrieval/cranfield/cran.all.1400").read_text("utf-8", errors="replace").split("\n.I ")
    )
    sources = {
        "RAGTruth (web)": [text for row in lines(folder, "ragtruth_qa_test") for text in row["passages"]],
        "FRANK (news)": [
            part for row in lines(folder, "frank") for text in row["passages"] for part in cut(text[:2000])
        ],
        "Cranfield (abstracts)": [" ".join(text.rpartition("\n.W\n")[2].split()) for text in abstracts],
    }
    return {name: texts[:PASSAGES] for name, texts in sources.items()}


def lines(folder: Path, name: str) -> Iterable[dict[str, Any]]:
    with gzip.open(folder / f"grounding/{name}.passages.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def print_injection(attacks: dict[str, list[str]], sources: dict[str, list[str]]) -> None:
    """Print the share of inserted attacks that is found, by category, by place and by source."""
    draw = random.Random(5)
    by: dict[str, dict[str, list[bool]]] = {
        name: defaultdict(list) for name in ("category", "place", "source")
    }
    for category, texts in attacks.items():
        for attack in texts:
            for number, where in enumerate(PLACES):
                for source, passages in sources.items():
                    for passage in draw.sample(passages, INSERTED_INTO):
                        hit = is_found(*insert(attack, passage, number), len(attack))
                        by["category"][category].append(hit)
                        by["place"][where].append(hit)
                        by["source"][source].append(hit)
    print("\nAttacks found, inserted into ordinary passages")
    for name, groups in by.items():
        for group, hits in groups.items():
            print(f"  {name:9} {group:28} {rate(sum(hits), len(hits))}")
    every = [hit for hits in by["category"].values() for hit in hits]
    print(f"  all attacks {'':26} {rate(sum(every), len(every))}")
    unseen = json.loads(ARTEFACT.read_text("utf-8"))["metrics"]
    print(f"  of a category that was not trained on (from {ARTEFACT.name}): {unseen['recall']:.1%}")


def is_found(text: str, start: int, length: int) -> bool:
    """Return whether something is found that overlaps what was inserted."""
    return any(finding.start < start + length and finding.end > start for finding in injection.find(text))


def print_false_alarms(sources: dict[str, list[str]], folder: Path) -> None:
    """Print the share of texts without an attack in which something is found."""
    print("\nFalse alarms")
    for source, texts in sources.items():
        print(f"  {source:30} {rate(alarms(texts), len(texts))}")
    every = [text for texts in sources.values() for text in texts]
    print(f"  {'all clean passages':30} {rate(alarms(every), len(every))}")
    questions = [
        json.loads(line)["question"] for line in (folder / "questions/questions.jsonl").open(encoding="utf-8")
    ]
    print(f"  {'questions of people':30} {rate(alarms(questions, is_question=True), len(questions))}")
    groups: dict[str, list[str]] = defaultdict(list)
    for line in CONTROLS.read_text("utf-8").splitlines():
        group, _, text = line.partition("\t")
        groups[group].append(text)
    for group, texts in groups.items():
        print(f"  control: {group:21} {rate(alarms(texts), len(texts))}")
    controls = [text for texts in groups.values() for text in texts]
    print(f"  {'all controls':30} {rate(alarms(controls), len(controls))}")


def alarms(texts: Iterable[str], *, is_question: bool = False) -> int:
    return sum(bool(injection.find(text, is_question=is_question)) for text in texts)


# --- costs ------------------------------------------------------------------------------------------------


def print_costs(passages: Sequence[str]) -> None:
    """Print the processor time of both checks, for a passage and for an answer of three passages' length."""
    chosen = random.Random(6).sample(passages, 300)
    print(f"\nProcessor time; a passage has {sum(map(len, chosen)) / len(chosen):,.0f} characters on average")
    checks: dict[str, Callable[[str], object]] = {
        "personal data": personal_data.find,
        "prompt injection": injection.find,
    }
    for name, check in checks.items():
        check(chosen[0])
        answers = ["\n".join(chosen[n : n + 3]) for n in range(0, len(chosen), 3)]
        print(f"  {name:18} passage {milliseconds(check, chosen)}   answer {milliseconds(check, answers)}")


def milliseconds(check: Callable[[str], object], texts: Sequence[str]) -> str:
    took = []
    for text in texts:
        start = time.process_time()
        check(text)
        took.append((time.process_time() - start) * 1000)
    took.sort()
    return f"mean {sum(took) / len(took):5.2f} ms, 95 in 100 below {took[int(0.95 * len(took))]:5.2f} ms"


if __name__ == "__main__":
    sys.exit(main())
