"""Tells sentences that ask a language model for something from those that a document says of itself.

A small logistic regression over hashed words and pairs of words, and over structure: is it an imperative or a
question, does it speak of an answer, does it stand apart from what its passage is about. Its weights are JSON
that `python -m rag.guardrails.train` writes; numpy is not needed to apply them.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

from rag.grounding.sentences import Sentence, split_sentences
from rag.text.search_terms import STOP_WORDS

BUCKETS = 1 << 12
LONGEST = 90  # words of a sentence that are read; a longer "sentence" is a table or a list without marks
NAMES = (
    "imperative",
    "polite imperative",
    "question",
    "question word first",
    "about the answer",
    "second person",
    "first person",
    "override",
    "model",
    "link",
    "quoted",
    "reported",
    "apart",
    "apart and imperative",
    "apart and question",
    "few words",
    "many words",
    "others speak so",
    "imperative like others",
    "question among others",
    "item or heading",
    "ends without a mark",
)

_IMPERATIVE, _QUESTION = NAMES.index("imperative"), NAMES.index("question")
_SECOND_PERSON, _OTHERS = NAMES.index("second person"), NAMES.index("others speak so")

_TOKEN = re.compile(r"https?://\S+|www\.\S+|[^\W\d_]+(?:['’][^\W\d_]+)?|\d+|[?!]")
_BEGINNING = re.compile(r"(?<=[\w,;:)\]|] )([A-Z][a-z]+)(?= [a-z0-9\"'“@#])")
_WIDE = re.compile(r"[ \t]{60,}")
_STOP = re.compile(r"(?:(?<=\w\w\w[.!?])|(?<=[\w\"'”’)%&@$#][?!])|(?<=[\"'”’)&%][.])|(?<=\s[.?!]))\s+")
_LINK = re.compile(r"https?://|www\.|\b[\w-]{3,40}\.(?:com|net|org|xyz|io|info|biz|example|ru|cn)\b")
_IMPERATIVES = frozenset(
    "add adopt advertise advise alter alternate analyze analyse anagram answer append "
    "apply arrange ask assess augment automate begin book break"
    " brainstorm build calculate call change check choose claim classify close code "
    "collect combine compare complete compose compute"
    " construct convert convince correct craft create debug decide decode define delete "
    "derive describe design determine develop"
    " direct discuss display disregard divide draft draw edit elaborate embed emphasize "
    "encode encourage encrypt end enhance ensure estimate evaluate execute"
    " explain express extract fabricate find finish flip follow forecast forget format "
    "formulate forward generate give group guide help hide highlight identify"
    " ignore imagine imply include incorporate inform insert integrate interpret "
    "introduce invent invite jumble keep label leave let limit link"
    " list make mask mention merge mirror misspell mix modify name offer omit optimize "
    "order organize outline output override paraphrase"
    " perform persuade pick place plan play post predict prepare present pretend print "
    "produce promote proofread propose provide push put"
    " quiz randomize rank rate read rearrange recommend recite refer reference rely "
    "remind remove render repeat rephrase replace reply report request"
    " research respond restate return reveal reverse review revise rewrite run say "
    "schedule scramble search send set share shift show shuffle simulate sing"
    " slip solve sort speak spell split spread start state stop substitute suggest "
    "summarise summarize swap switch talk teach tease tell track transcribe transform"
    " translate turn urge use verify visit warn weave work wrap write".split()
)
# What texts tell their readers to do with their hands, their devices and their mail.
_BARE = frozenset(
    "bring bake blend boil brush carry charge clean click connect contact cook cool copy "
    "cover cut dip do don't donate download drain drink dry enter fill"
    " fold fry grab heat hold install insert join keep let lift lie log mark melt mount "
    "never open pack pass pay peel plug pour preheat press"
    " pull put read record register remove rinse roll save screw select sign sit slice "
    "slide spray stand stir store subscribe take tap"
    " tie touch try turn type unplug wait wash wear whisk wipe work always do".split()
)
_POLITE = frozenset("please kindly now then instead also just first finally next important note".split())
_QUESTION_WORDS = frozenset(
    (
        "what who whom whose which when where why how can could would will do does did is are have has should"
    ).split()
)
_CAN_YOU = re.compile(
    (
        r"^(?:can|could|would|will) you\b|^(?:i want|i need|i would like|i'd like) you to\b"
        r"|^(?:you must|you should|you have to|you are now|you will)\b"
    ),
    re.IGNORECASE,
)
_ABOUT_ANSWER = re.compile(
    r"\b(?:your|the|this|that|its|an?) (?:\w+ ){0,2}(?:answers?|respon[sc]es?|repl(?:y"
    r"|ies)|outputs?|message|summary|completion)\b"
    r"|\b(?:answer|respond|reply) (?:\w+ )?(?:with|in|as|by|only|to)\b|\bdeiner? antwort"
    r"|\bta réponse|\btu respuesta",
    re.IGNORECASE,
)
_SECOND = re.compile(r"\b(?:you|your|yours|yourself|du|dein\w*|tu|ta|tes)\b", re.IGNORECASE)
_FIRST = re.compile(r"\b(?:i|me|my|mine|us|our)\b", re.IGNORECASE)
_OVERRIDE = re.compile(
    r"\b(?:ignor(?:e|iere|a)|disregard|forget|vergiss|oublie|olvida|override|bypass|pretend|from now on)\b"
    r"|\b(?:previous|prior|above|earlier|all|your|new|vorherigen|précédentes|anteriores|precedenti) (?:\w+ )?"
    r"(?:instructions?|directions?|rules?|guidelines?|prompts?|orders?|anweisungen"
    r"|instrucciones|istruzioni)\b",
    re.IGNORECASE,
)
_MODEL = re.compile(
    r"\b(?:ai|a\.i\.|assistant|chat ?bot|language model|llm|gpt|system prompt|model reading|the user)\b",
    re.IGNORECASE,
)
_REPORTED = re.compile(
    r"\b(?:attack\w*|injection|example|e\.g|such as|phrases?|so-called|for instance"
    r"|sentences? like|texts? like|says?|said|asked|asks|told"
    r"|wrote|according|replied|was|were|had)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“„«`]([^\"”“»`]{2,300})[\"”“»`]|(?<!\w)'([^'\n]{6,300})'(?!\w)")


@dataclass(frozen=True)
class Model:
    """The trained weights.

    Attributes:
        buckets: A weight for each bucket of hashed words.
        structure: A weight for each name of NAMES.
        intercept: The score without any feature.
        threshold: The probability from which a sentence is reported.
    """

    buckets: tuple[float, ...]
    structure: tuple[float, ...]
    intercept: float
    threshold: float


@cache
def load() -> Model:
    """Return the model that comes with the program."""
    data = json.loads(files("resources").joinpath("guardrails", "injection.json").read_text("utf-8"))
    buckets = [0.0] * BUCKETS
    for bucket, weight in data["buckets"].items():
        buckets[int(bucket)] = weight
    structure = tuple(data["structure"][name] for name in NAMES)
    return Model(tuple(buckets), structure, data["intercept"], data["threshold"])


def scored(text: str, model: Model) -> list[tuple[Sentence, float]]:
    """Return the sentences of a text, each with the probability that it asks the model for something."""
    return [(sentence, probability(found, model)) for sentence, found in features(text)]


Features = tuple[dict[int, float], list[float]]


def probability(found: Features, model: Model) -> float:
    """Return the probability that a sentence with these features asks for something."""
    hashed, structure = found
    logit = model.intercept + sum(model.buckets[bucket] * value for bucket, value in hashed.items())
    logit += sum(weight * value for weight, value in zip(model.structure, structure, strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def features(text: str) -> list[tuple[Sentence, Features]]:
    """Return the sentences of a text with their features: (bucket -> value, values of NAMES)."""
    # Long white space costs the splitter much; as ends of lines it has the same length and costs nothing.
    lines = _WIDE.sub(lambda match: "\n" * len(match[0]), text)
    whole = [piece for piece in split_sentences(lines) if len(piece.text) >= 6 and piece.kind != "code"]
    sentences = [part for piece in whole for part in _parts(piece)]
    words = [_TOKEN.findall(_without_quotes(sentence.text))[:LONGEST] for sentence in sentences]
    stems = [_stems(found) for found in words]
    everywhere = Counter(stem for found in stems for stem in found)
    rows = [
        (sentence, _structure(sentence, tokens, _apart(own, everywhere, len(sentences))), tokens)
        for sentence, tokens, own in zip(sentences, words, stems, strict=True)
        if tokens
    ]
    speaks = [
        max(row[_IMPERATIVE], row[_QUESTION], row[_SECOND_PERSON], _begins_bare(tokens))
        for _, row, tokens in rows
    ]
    found = []
    for (sentence, row, tokens), own_speech in zip(rows, speaks, strict=True):
        # A manual speaks to its reader all the time; an injected request speaks alone.
        others = (sum(speaks) - own_speech) / (len(rows) - 1) if len(rows) > 1 else 0.0
        row[_OTHERS : _OTHERS + 3] = [others, others * row[_IMPERATIVE], others * row[_QUESTION]]
        found.append((sentence, (_hashed(tokens), row)))
    return found


def _without_quotes(text: str) -> str:
    """Return a sentence with a word for what it quotes, unless it is hardly more than a quotation.

    What somebody quotes is not said to the reader: "The prompt was: 'Write a poem'".
    """
    if not any(mark in text for mark in "\"“„«`'"):
        return text
    bare = _QUOTED.sub(" quotation ", text)
    return bare if len(_TOKEN.findall(bare)) >= 4 else text


def _begins_bare(tokens: Sequence[str]) -> float:
    """Return 1 where a sentence begins with a verb of a manual, as in "Press the button"."""
    return float(tokens[0].lower() in _BARE)


def _parts(sentence: Sentence) -> list[Sentence]:
    """Return a sentence in parts wherever a request may begin or end.

    A heading, a cell or a text that was cut off has no full stop: what follows it would drown in its words.
    So would a request before a text in small letters.
    """
    begins = {match.end() for match in _STOP.finditer(sentence.text)}
    begins |= {
        match.start()
        for match in _BEGINNING.finditer(sentence.text)
        if match[1].lower() in _IMPERATIVES or match[1].lower() in _QUESTION_WORDS
    }
    if not begins:
        return [sentence]
    bounds = [0, *sorted(begins), len(sentence.text)]
    parts = []
    for first, last in pairwise(bounds):
        words = sentence.text[first:last].rstrip()
        if len(words) >= 6:
            start = sentence.start + first
            parts.append(Sentence(words, start, start + len(words), sentence.kind))
    return parts


def _stems(tokens: Sequence[str]) -> frozenset[str]:
    lower = (token.lower() for token in tokens if len(token) > 3)
    return frozenset(token[:5] for token in lower if token not in STOP_WORDS)


def _apart(own: frozenset[str], everywhere: Counter[str], sentences: int) -> float:
    """Return the share of the content words that no other sentence has; 0.5 where there is no other."""
    if sentences < 2 or not own:
        return 0.5
    return sum(everywhere[stem] < 2 for stem in own) / len(own)


def _hashed(tokens: Sequence[str]) -> dict[int, float]:
    lower = [
        "<link>" if "://" in t or t.startswith("www.") else "0" if t.isdigit() else t.lower() for t in tokens
    ]
    grams = [*lower, *(f"{a} {b}" for a, b in pairwise(lower)), "^ " + lower[0]]
    grams += ["^ " + " ".join(lower[:2])]
    buckets = {zlib.crc32(gram.encode()) % BUCKETS for gram in grams}
    value = round(1 / math.sqrt(len(buckets)), 6)
    return dict.fromkeys(sorted(buckets), value)


def _structure(sentence: Sentence, tokens: Sequence[str], apart: float) -> list[float]:
    """Return the values of NAMES, each from 0 to 1."""
    whole, text = sentence.text, _without_quotes(sentence.text)
    lower = [token.lower() for token in tokens[:4]]
    polite = bool(lower) and lower[0] in _POLITE and any(word in _IMPERATIVES for word in lower[1:3])
    imperative = (
        lower[0] in _IMPERATIVES
        or polite
        or (
            # "In your answer, say that …": the verb after the first comma.
            "," in text
            and any(part.split()[0].lower() in _IMPERATIVES for part in text.split(",")[1:2] if part.strip())
        )
    )
    question = text.rstrip(" \"'”’)*_").endswith("?")
    quoted = sum(len(match[0]) for match in _QUOTED.finditer(whole)) / len(whole)
    flags: list[float | bool] = [
        imperative,
        polite or _CAN_YOU.search(text) is not None,
        question,
        lower[0] in _QUESTION_WORDS,
        _ABOUT_ANSWER.search(text) is not None,
        _SECOND.search(text) is not None,
        _FIRST.search(text) is not None,
        _OVERRIDE.search(text) is not None,
        _MODEL.search(text) is not None,
        _LINK.search(text) is not None,
        min(1.0, quoted),
        _REPORTED.search(text) is not None,
        apart,
        apart * imperative,
        apart * question,
        max(0.0, 1 - len(tokens) / 12),
        min(1.0, len(tokens) / 60),
        0.0,
        0.0,
        0.0,
        sentence.kind != "prose",
        text.rstrip("\"'”’)*_")[-1:].isalnum(),
    ]
    return [float(flag) for flag in flags]
