"""Measures the cache's rules for similar questions: `python -m benchmarks.cache [--data FOLDER] [--show N]`.

Pairs of questions are made from XQuAD and from the sample of questions by rules of this script, which share no
list with the product: paraphrases, and near misses by number, negation, role, unit, entity, question word and
neighbour (another real question about the same paragraph). One half of the articles is for development, the other
is held out. A pair is a hit when its cosine reaches the threshold of the settings and the rules find no difference.
Also measures how long an exact hit takes. Goals: false hits at most 0.5 % where at least 60 % of the paraphrases are
found; an exact hit within 20 ms.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from rag.asking.cache.agreement import differences
from rag.asking.cache.answering import answer_or_recall
from rag.asking.cache.rows import hit_of
from rag.asking.rows import Question
from rag.knowledge.ingest import ingest_files
from rag.models.embedding import Embedder, starter_embedder_folder
from rag.monitoring.control_limits import wilson_interval
from rag.settings import CacheSettings
from rag.workspace import Workspace

GOAL_FALSE, GOAL_FOUND, GOAL_MS = 0.005, 0.60, 20.0
WH = r"(?:what|which|who|whom|when|where|why|how)"
AUX = r"(?:did|does|do|is|are|was|were|can|could|will|would|should|has|have|had|must|may)"


@dataclass(frozen=True)
class Asked:
    """A question with the group that decides its half, its paragraph, and the answers that XQuAD gives."""

    text: str
    group: str
    paragraph: str
    answers: frozenset[str]


@dataclass(frozen=True)
class Pair:
    """Two questions; kind says by which rules the second was made."""

    one: str
    other: str
    kind: str
    is_same: bool
    half: str


def main() -> None:
    """Make the pairs, judge them and print the figures of both halves."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--show", type=int, default=0, help="Print so many wrong pairs of development.")
    parser.add_argument("--threshold", type=float, default=CacheSettings().threshold)
    arguments = parser.parse_args()
    if not arguments.data.exists():
        parser.error(f"There is no data at {arguments.data}; name its folder with --data.")
    pairs = make_pairs(read_questions(arguments.data))
    cosines = cosines_of(pairs)
    for half in ("development", "held out"):
        chosen = [(pair, cosine) for pair, cosine in zip(pairs, cosines, strict=True) if pair.half == half]
        report(half, chosen, arguments.threshold, arguments.show if half == "development" else 0)
    measure_hits()


# --- questions --------------------------------------------------------------------------------------------


def read_questions(data: Path) -> list[Asked]:
    """Return the questions of XQuAD and of the sample that stand alone and are in English."""
    found: dict[str, Asked] = {}
    articles = json.loads((data / "retrieval" / "xquad.en.json").read_text("utf-8"))["data"]
    for number, article in enumerate(articles):
        for place, paragraph in enumerate(article["paragraphs"]):
            for asked in paragraph["qas"]:
                text = " ".join(asked["question"].split())
                answers = frozenset(_plain(answer["text"]) for answer in asked["answers"])
                found.setdefault(text, Asked(text, f"article {number}", f"{number}.{place}", answers))
    for line in (data / "questions" / "questions.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["type"] not in ("followup", "foreign", "keywords", "typo"):
            group = f"sample {row['id']}"
            found.setdefault(row["question"], Asked(row["question"], group, group, frozenset(row["quotes"])))
    return list(found.values())


def half_of(group: str) -> str:
    """Return the half of an article: all its questions are in one."""
    return "held out" if hashlib.sha256(group.encode()).digest()[0] % 2 else "development"


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()


# --- pairs ------------------------------------------------------------------------------------------------

Rule = Callable[[str, random.Random], str]


def make_pairs(questions: Sequence[Asked]) -> list[Pair]:
    """Return paraphrases and near misses of all questions, the same in every run."""
    names = sorted({name for asked in questions for name in _names(asked.text)})
    pairs: list[Pair] = []
    for asked in questions:
        rng = random.Random(asked.text)
        half = half_of(asked.group)
        for text, kind in _paraphrases(asked.text, rng):
            pairs.append(Pair(asked.text, text, kind, True, half))
        for kind, rule in NEAR_MISSES.items():
            text = rule(asked.text, rng) if kind != "entity" else _other_name(asked.text, names, rng)
            if text and _plain(text) != _plain(asked.text):
                pairs.append(Pair(asked.text, text, kind, False, half))
    by_paragraph: dict[str, list[Asked]] = {}
    for asked in questions:
        by_paragraph.setdefault(asked.paragraph, []).append(asked)
    for group in by_paragraph.values():
        for one, other in combinations(group, 2):
            if one.answers.isdisjoint(other.answers) and not _overlap(one, other):
                pairs.append(Pair(one.text, other.text, "neighbour", False, half_of(one.group)))
    return pairs


def _overlap(one: Asked, other: Asked) -> bool:
    return any(a in b or b in a for a in one.answers for b in other.answers)


def _paraphrases(text: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield up to three paraphrases: of one rule, of two, and of three together."""
    for count in (1, 2, 3):
        made, used = text, []
        names = list(PARAPHRASES)
        rng.shuffle(names)
        names.sort(key=lambda name: name in LAST)
        for name in names:
            changed = PARAPHRASES[name](made, rng)
            if changed and changed != made:
                made, used = changed, [*used, name]
            if len(used) == count:
                break
        if len(used) == count:
            yield made, " + ".join(sorted(used))


def _frame(text: str, rng: random.Random) -> str:
    """Put an indirect question behind a polite beginning: its auxiliary verb moves behind the subject."""
    begin = rng.choice(
        (
            "Can you tell me", "Could you tell me", "Please tell me", "Do you know", "I would like to know",
            "I'd like to know", "I want to know", "Does anyone know", "I was wondering",
        )
    )  # fmt: skip
    inner = text[:1].lower() + text[1:].rstrip("?")
    who = re.match(rf"({WH}(?: \w+)??) (is|was|are|were) ((?:the|a|an) [\w' -]+|[A-Z][\w' -]+)$", inner)
    if who:
        inner = f"{who[1]} {who[3]} {who[2]}"
    return f"{begin} {inner}?" if re.match(WH, inner) else ""


def _politeness(text: str, rng: random.Random) -> str:
    return rng.choice((f"{text.rstrip('?')}, please?", f"Please, {text[:1].lower()}{text[1:]}"))


def _contraction(text: str, rng: random.Random) -> str:
    changed = re.sub(r"^(What|Who|Where|When|How) is\b", r"\1's", text)
    return re.sub(r"\b(did|does|do|is|was|are|were|could|should) not\b", r"\1n't", changed)


def _lower(text: str, rng: random.Random) -> str:
    return text.lower().rstrip("?")


def _fronting(text: str, rng: random.Random) -> str:
    """Move a phrase of time or place from the end to the beginning."""
    found = re.match(
        r"^(?!In\b|On\b|During\b|At\b)(.{15,}?) ((?:in|during|on|before|after) (?:the )?[\w' ]{3,30}?)\?$",
        text,
    )
    if (
        not found
        or re.search(rf"\b{AUX}\b", found[2])
        or re.match(r"^(What|Which|Who|When|Where|Why|How)", found[1]) is None
    ):
        return ""
    return f"{found[2][:1].upper()}{found[2][1:]}, {found[1][:1].lower()}{found[1][1:]}?"


def _question_word(text: str, rng: random.Random) -> str:
    """Ask with other question words."""
    ways = [
        (r"^Which (\w+)", r"What \1"), (r"^What (\w+) (did|was|were|is|are|does|do|has|have)\b", r"Which \1 \2"),
        (r"^How many (\w+)", r"What number of \1"), (r"^Why\b", "For what reason"), (r"^Why\b", "How come"),
        (r"^Where\b", "In which place"), (r"^Who\b", "Which person"), (r"^When\b", "On what date"),
        (r"^In what year\b", "In which year"), (r"^What year\b", "In what year"),
        (r"^What is the name of\b", "What's the name of"), (r"^How much\b", "What amount of"),
        (r"^What (kind|type|sort) of\b", r"Which kind of"), (r"^Whom\b", "Who"),
    ]  # fmt: skip
    fitting = [(a, b) for a, b in ways if re.match(a, text)]
    if not fitting:
        return ""
    pattern, new = rng.choice(fitting)
    return re.sub(pattern, new, text, count=1)


def _of_phrase(text: str, rng: random.Random) -> str:
    """Say "the X of N" as "N's X"."""
    return re.sub(r"\bthe (\w+) of ([A-Z]\w+)\b(?! [A-Z])", r"\2's \1", text, count=1)


def _relative(text: str, rng: random.Random) -> str:
    """Say "that" for "which" in the middle, and the other way round, or leave it out."""
    return re.sub(
        r"(?<=\w) (that|which) (was|were|is|are)\b",
        lambda m: f" {'which' if m[1] == 'that' else 'that'} {m[2]}",
        text,
        count=1,
    )


def _cleft(text: str, rng: random.Random) -> str:
    """Say "What did N V?" as "What was it that N V-ed?" for regular verbs."""
    found = re.match(r"^(What|Who|Where|When) did ((?:the )?[\w ]{2,25}?) (\w+?)(e?)\?$", text)
    return f"{found[1]} was it that {found[2]} {found[3]}ed?" if found and len(found[3]) > 3 else ""


def _synonym(text: str, rng: random.Random) -> str:
    """Replace a word by one that means the same; this list is the script's own."""
    options = [(a, b) for a, b in SYNONYMS if re.search(rf"\b{a}\b", text)]
    if not options:
        return ""
    old, new = rng.choice(options)
    return re.sub(rf"\b{old}\b", new, text, count=1)


_SYNONYM_ROWS = """
big=large; large=big; begin=start; began=started; started=began; start=begin; happened=occurred; occur=happen;
build=construct; built=constructed; important=significant; main=principal; primary=main; country=nation;
nation=country; job=occupation; called=named; named=called; help=assist; kind=type; type=kind; sort=kind;
located=situated; beat=defeat; defeated=beat; defeat=beat; created=made; made=created; created=produced; city=town;
film=movie; needed=required; required=needed; use=employ; used=utilized; caused=led to; difficult=hard;
small=little; quickly=rapidly; fast=quickly; received=got; gave=provided; provided=supplied; area=region;
region=area; group=team; part=portion; won=gained; people=persons; children=kids; died=passed away; end=finish;
ended=finished; show=display; showed=displayed; said=stated; think=believe; thought=believed; wrote=authored;
purpose=aim; goal=aim; allowed=permitted; often=frequently; about=roughly; only=solely; rule=law; get=obtain;
buy=purchase; choose=select; increase=rise; decrease=decline; change=alter; changes=modifications; keep=retain;
contain=include; contains=includes; leader=head; war=conflict; money=funds; company=firm; illness=disease;
discovered=found; became=turned into; describe=explain; remove=delete; install=set up; error=fault;
settings=options; option=setting; picture=image; fix=repair; opened=started; founded=established;
established=founded; movement=motion; student=pupil; students=pupils; teacher=instructor; teachers=instructors;
term=word; word=term; attempt=try; given=provided; increased=grew; largest=biggest; biggest=largest
"""
SYNONYMS = [
    (old.strip(), new.strip()) for entry in _SYNONYM_ROWS.split(";") for old, new in [entry.split("=")]
]
PARAPHRASES: dict[str, Rule] = {
    "frame": _frame, "politeness": _politeness, "contraction": _contraction, "lower case": _lower,
    "fronting": _fronting, "question word": _question_word, "of-phrase": _of_phrase, "relative": _relative,
    "cleft": _cleft, "synonym": _synonym,
}  # fmt: skip
LAST = ("frame", "politeness", "lower case")  # they hide from the other rules how a question begins

# --- near misses ------------------------------------------------------------------------------------------

_WORD_NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()
_OPPOSITES = """
first/last; before/after; enable/disable; increase/decrease; increased/decreased; largest/smallest; most/least;
won/lost; win/lose; with/without; north/south; northern/southern; east/west; eastern/western; maximum/minimum;
more/less; always/never; import/export; buy/sell; open/close; include/exclude; begin/end; began/ended; start/stop;
started/stopped; highest/lowest; old/new; oldest/newest; early/late; rich/poor; high/low; long/short; major/minor;
male/female; men/women; above/below; inside/outside; public/private; positive/negative; strong/weak; up/down;
left/right; past/future; birth/death; born/die; add/remove; create/delete; install/uninstall; accept/reject;
possible/impossible; legal/illegal; good/bad; best/worst; over/under; many/few; same/different; join/leave;
allowed/forbidden; necessary/unnecessary; used/unused; known/unknown; top/bottom; majority/minority; all/some;
rise/fall; gain/lose; gained/lost; attack/defend; employer/employee; mother/father; son/daughter; king/queen
"""
OPPOSITES = [
    pair
    for entry in _OPPOSITES.split(";")
    for a, b in [entry.strip().split("/")]
    for pair in ((a, b), (b, a))
]
UNITS = ["years", "months", "days", "weeks", "hours", "minutes", "seconds", "miles", "kilometers", "feet",
         "meters", "pounds", "kilograms", "dollars", "euros", "percent", "million", "billion", "tons"]  # fmt: skip


def _other_number(text: str, rng: random.Random) -> str:
    digits = re.search(r"\d+(?:,\d{3})*", text)
    if digits:
        value = int(digits[0].replace(",", ""))
        new = str(value + rng.choice((-1, 1, 2, 10)) or 7)
        return text[: digits.start()] + new + text[digits.end() :]
    word = re.search(rf"\b({'|'.join(_WORD_NUMBERS[1:])}|first|second|third)\b", text, re.IGNORECASE)
    if word:
        order = (
            ["first", "second", "third"] if word[0].lower() in ("first", "second", "third") else _WORD_NUMBERS
        )
        new = rng.choice([one for one in order if one != word[0].lower()])
        return text[: word.start()] + new + text[word.end() :]
    year = rng.randint(1400, 2015)
    return f"{text.rstrip('?')} in {year}?" if " in " not in text else ""


def _negated(text: str, rng: random.Random) -> str:
    options = [(a, b) for a, b in OPPOSITES if re.search(rf"\b{a}\b", text)]
    if options and rng.random() < 0.6:
        old, new = rng.choice(options)
        return re.sub(rf"\b{old}\b", new, text, count=1)
    if re.search(r"\bnot\b|n't\b", text):
        return re.sub(r" not\b|n't\b", "", text, count=1)
    found = re.search(rf"\b({AUX})\b", text)
    if not found or not re.match(WH, text, re.IGNORECASE):
        return ""
    if found[1] in ("did", "does", "do") and (
        rest := re.match(r"( (?:the |a |an )?[\w-]+)", text[found.end() :])
    ):
        place = found.end() + rest.end()
        return f"{text[:place]} not{text[place:]}"
    return f"{text[: found.end()]} not{text[found.end() :]}"


def _swapped(text: str, rng: random.Random) -> str:
    """Exchange who does something and whom it is done to."""
    names = [n for n in _names(text) if len(n) > 2]
    if len(names) >= 2 and "between" not in text and " and " not in text and " or " not in text:
        one, other = names[0], names[1]
        if one not in other and other not in one:
            return text.replace(one, "\0").replace(other, one).replace("\0", other)
    asked = re.match(
        r"^(Who|What|Which \w+|What \w+) did ((?:the |a )?[\w ]{2,30}?) (\w+?)(e?)( .*)?\?$", text
    )
    if asked and len(asked[3]) > 2 and not asked[3].endswith("ed"):
        return f"{asked[1]} {asked[3]}ed {asked[2]}{asked[5] or ''}?"
    done = re.match(
        r"^(Who|Which \w+|What \w+) (\w{3,}?)ed (the [\w ]+?|[A-Z]\w+)( (?:in|at|on|from) .*)?\?$", text
    )
    if done:
        return f"{done[1]} did {done[3]} {done[2]}{done[4] or ''}?"
    both = re.search(r"\bfrom ([\w ]+?) to ([\w ]+?)(?=\?| in\b| on\b)", text)
    return text.replace(both[0], f"from {both[2]} to {both[1]}") if both else ""


def _other_unit(text: str, rng: random.Random) -> str:
    units = [unit for unit in UNITS if re.search(rf"\b{unit}\b", text, re.IGNORECASE)]
    if units:
        new = rng.choice([unit for unit in UNITS if unit != units[0]])
        return re.sub(rf"\b{units[0]}\b", new, text, count=1, flags=re.IGNORECASE)
    if re.match(r"^How (long|far|tall|high|big|large|old|deep|fast)\b", text):
        new = rng.choice(
            [one for one in ("long", "far", "high", "old", "deep", "fast", "wide") if one not in text]
        )
        return re.sub(r"^How \w+", f"How {new}", text, count=1)
    found = re.match(r"^How (?:many|much) (\w+)", text)
    if found:
        return text.replace(
            found[1], rng.choice(("percent of the", "kinds of", "tons of")) + " " + found[1], 1
        )
    return re.sub(r"^(What year|In what year|When)\b", "In which month", text) if text[:1] in "WI" else ""


def _other_question_word(text: str, rng: random.Random) -> str:
    others = {"Who": ("When", "Where", "Why"), "When": ("Where", "Why", "How"), "Where": ("When", "Why"),
              "Why": ("When", "How"), "How": ("Why", "When"), "What": ("Who",), "Which": ("How many",)}  # fmt: skip
    first = text.split()[0]
    if first not in others or re.match(r"^How (many|much|long|old|far)\b", text):
        return ""
    return rng.choice(others[first]) + text[len(first) :]


NEAR_MISSES: dict[str, Rule] = {
    "number": _other_number, "negation": _negated, "role": _swapped, "unit": _other_unit,
    "entity": lambda text, rng: "", "question word": _other_question_word,
}  # fmt: skip


def _names(text: str) -> list[str]:
    """Return the runs of words with capital letters after the first word."""
    found = re.findall(r"(?<=\s)(?:[A-Z][\w.-]*\w(?: (?=[A-Z]))?)+", text)
    return list(dict.fromkeys(name.strip() for name in found))


def _other_name(text: str, names: Sequence[str], rng: random.Random) -> str:
    own = _names(text)
    if own:
        old = rng.choice(own)
        new = rng.choice([name for name in names if name not in text and old not in name])
        return text.replace(old, new, 1)
    nouns = re.findall(r"\b(?:the|a|an) ([a-z]{4,})\b", text)
    if not nouns:
        return ""
    new = rng.choice("treaty engine river mineral password harbour festival protein invoice planet".split())
    return re.sub(rf"\b{rng.choice(nouns)}\b", new, text, count=1)


# --- judging ----------------------------------------------------------------------------------------------


def cosines_of(pairs: Sequence[Pair]) -> list[float]:
    """Return the cosines of the pairs by the starter embedder."""
    embedder = Embedder(starter_embedder_folder())
    texts = sorted({text for pair in pairs for text in (pair.one, pair.other)}, key=len)
    vectors = np.concatenate([embedder.encode(texts[i : i + 256]) for i in range(0, len(texts), 256)])
    place = {text: number for number, text in enumerate(texts)}
    return [float(vectors[place[pair.one]] @ vectors[place[pair.other]]) for pair in pairs]


def is_hit(pair: Pair, cosine: float, threshold: float) -> bool:
    """Return whether the second question would be answered by the answer to the first."""
    return cosine >= threshold and not differences(pair.one, pair.other)


def report(half: str, judged: Sequence[tuple[Pair, float]], threshold: float, show: int) -> None:
    """Print how many paraphrases are found and how many near misses are taken for one, by kind."""
    hits = [(pair, cosine, is_hit(pair, cosine, threshold)) for pair, cosine in judged]
    print(f"\n{half}, threshold {threshold:g}")
    for is_same, what, goal in ((True, "paraphrases found", GOAL_FOUND), (False, "false hits", GOAL_FALSE)):
        mine = [(pair, hit) for pair, _, hit in hits if pair.is_same is is_same]
        _print_share(what, [hit for _, hit in mine])
        alone = sum(cosine >= threshold for pair, cosine, _ in hits if pair.is_same is is_same)
        share = sum(hit for _, hit in mine) / max(len(mine), 1)
        kept = share >= goal if is_same else share <= goal
        print(
            f"  goal {100 * goal:g} %: {'reached' if kept else 'MISSED'}; by the cosine alone {alone} of {len(mine)}"
        )
        kinds = sorted(
            {kind for pair, _ in mine for kind in (pair.kind.split(" + ") if is_same else [pair.kind])}
        )
        for kind in kinds:
            _print_share(f"  {kind}", [hit for pair, hit in mine if kind in pair.kind.split(" + ")])
    wrong = [(pair, cosine) for pair, cosine, hit in hits if hit != pair.is_same]
    random.Random(1).shuffle(wrong)
    wrong.sort(key=lambda one: one[0].is_same)
    for pair, cosine in wrong[:show]:
        found = [f"{one.rule}: {one.reason}" for one in differences(pair.one, pair.other)]
        label = "missed" if pair.is_same else "FALSE"
        print(
            f"{label} [{pair.kind}] {cosine:.2f}\n    {pair.one}\n    {pair.other}\n    {'; '.join(found)[:200]}"
        )


def _print_share(what: str, hits: Sequence[bool]) -> None:
    low, high = wilson_interval(sum(hits), len(hits)) if hits else (0.0, 1.0)
    share = 100 * sum(hits) / max(len(hits), 1)
    print(f"{what:30s} {sum(hits):5d} of {len(hits):5d}  {share:6.2f} %  [{100 * low:.2f}, {100 * high:.2f}]")


# --- speed ------------------------------------------------------------------------------------------------


def measure_hits(repeats: int = 50) -> None:
    """Print how long an exact hit takes with the starter models, from the question to its finished trace."""
    question = Question("How high does the tide at Bremen rise?", "A")
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as folder:
        times, first = _times(Path(data), Path(folder), question, repeats)
    clock = sorted(by_clock for by_clock, _ in times)
    median, slow = statistics.median(clock), clock[int(0.95 * repeats)]
    processor = statistics.median(of_processor for _, of_processor in times)
    print(
        f"\nexact hit: median {median:.1f} ms ({processor:.1f} ms of the processor), 95 % within {slow:.1f} ms; "
        f"the first answer took {first:,.0f} ms"
    )
    print(f"  goal {GOAL_MS:g} ms: {'reached' if median <= GOAL_MS else 'MISSED'}")


def _times(
    data: Path, folder: Path, question: Question, repeats: int
) -> tuple[list[tuple[float, float]], float]:
    """Return the milliseconds of each hit by the clock and of the processor, and those of the first answer."""
    (folder / "tides.txt").write_text("The tide at Bremen rises 3.5 metres. Boats leave at noon.", "utf-8")
    times = []
    with Workspace(data) as workspace:
        _last(ingest_files(workspace, "A", [folder]))
        for _ in range(repeats + 1):
            begin, processor = time.perf_counter(), time.process_time()
            result = _last(answer_or_recall(workspace, question))
            times.append((1000 * (time.perf_counter() - begin), 1000 * (time.process_time() - processor)))
            assert (hit_of(workspace.database, result.trace_id) is None) is (len(times) == 1)
    return times[1:], times[0][0]


def _last(events: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(events)
        except StopIteration as end:
            return end.value


if __name__ == "__main__":
    main()
