"""Silent failures: an answer that came without an error and is none.

Pure functions over texts. They are asked at the end of every ask and must be right rather than complete: what is
too short to tell is no failure.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

EMPTY = "empty answer"
REPEATED = "repeated text"
OTHER_LANGUAGE = "other language"
CUT_OFF = "cut off"
CITES_NOTHING = "cites nothing"
SILENT_FAILURES = (EMPTY, REPEATED, OTHER_LANGUAGE, CUT_OFF, CITES_NOTHING)

_MARKER = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_LONGEST_UNIT = 60  # words
_LEAST_REPEATS = 3
_LEAST_REPEATED_WORDS = 12
_FEWEST_WORDS = 4  # "wat is dna" was typed by someone who writes English

_STOP_WORDS = {
    "English": "the of and to is in that it for on with as are this was by be from or an not have has what how which "
    "does do when where who why can you your its will should there these at",
    "German": "der die das und ist in den von zu mit sich des auf für nicht ein eine einer dem es im wie was wird "
    "werden sind bei auch aus nach wann wo wer warum kann hat haben oder als an lange viele welche welcher",
    "French": "le la les de des du et est en un une que qui dans pour pas sur au avec par ce il elle sont comment "
    "quel quelle quels où quand pourquoi ne plus ou être a aux cette combien",
    "Spanish": "el la los las de del y es en un una que por con para no se su como al lo más qué cómo cuál cuándo "
    "dónde son o está cuánto este esta hay quién puede",
    "Italian": "il lo la gli le di del della e è in un una che per con non si da come al dei sono nel più quale cosa "
    "quando dove perché questo o ha quanto chi delle può alla",
    "Portuguese": "o a os as de do da e é em um uma que por com para não se no na como mais dos ao das são qual "
    "quando onde ou está quanto este você pode quem",
    "Dutch": "de het een en van is in op te dat niet met voor zijn die er aan wat hoe waar wie wordt ook bij uit of "
    "naar door kan worden heeft welke wanneer waarom deze",
    "Polish": "i w na z się nie jest do to że o jak co dla od po czy są przez który jego oraz gdzie kiedy dlaczego ile "
    "może być ten ta",
    "Swedish": "och i att det som en på är av för med den till ett om inte har de kan vad hur när var från eller "
    "vilken varför detta ska vid många",
}  # fmt: skip
_LANGUAGES_OF: dict[str, list[str]] = {}
for _language, _words in _STOP_WORDS.items():
    for _word in _words.split():
        _LANGUAGES_OF.setdefault(_word, []).append(_language)
# A question that names a language may ask for an answer in it.
_LANGUAGE_NAMED = re.compile(
    r"\b(?:translat\w*|übersetz\w*|tradu\w*|english|german|french|spanish|italian|portuguese|dutch|polish|swedish|"
    r"russian|chinese|japanese|arabic|greek|englisch\w*|deutsch\w*|französisch\w*|spanisch\w*|italienisch\w*|"
    r"anglais\w*|allemand\w*|français\w*|espagnol\w*|inglés\w*|alemán\w*|español\w*|inglese|tedesco|italiano)\b",
    re.IGNORECASE,
)


def silent_failures(
    question: str, answer: str, finish_reason: str = "", passage_count: int = 0
) -> tuple[str, ...]:
    """What is wrong with an answer that was reported as done; names of SILENT_FAILURES, in their order.

    finish_reason: what the model's runtime said ("length": the token limit); passage_count: passages that were
    in the prompt, numbered from 1.
    """
    if is_empty(answer):
        return (EMPTY, CUT_OFF) if finish_reason == "length" else (EMPTY,)
    found = []
    if repeats_itself(answer):
        found.append(REPEATED)
    if is_other_language(question, answer):
        found.append(OTHER_LANGUAGE)
    if finish_reason == "length":
        found.append(CUT_OFF)
    if cites_nothing(answer, passage_count):
        found.append(CITES_NOTHING)
    return tuple(found)


def is_empty(answer: str) -> bool:
    """Nothing but white space, punctuation and citation markers."""
    return not any(character.isalnum() for character in without_markers(answer))


def without_markers(answer: str) -> str:
    """The answer without its citation markers."""
    return _MARKER.sub("", answer)


def repeats_itself(answer: str) -> bool:
    """A loop: the same words three times or more in a row, twelve words at least; or one sentence three times.

    Figures are left out, so that a numbered loop is one, and a table of zeros is none.
    """
    text = _CODE.sub(" ", answer).lower()
    words = [word for piece in _WORD.findall(text) for word in _split_ideographs(piece)]
    for unit in range(1, min(_LONGEST_UNIT, len(words) // _LEAST_REPEATS) + 1):
        run = 0  # words that equal the one a unit before
        for word, before in zip(words[unit:], words, strict=False):
            run = run + 1 if word == before else 0
            if run + unit >= max(_LEAST_REPEATS * unit, _LEAST_REPEATED_WORDS):
                return True
    sentences = Counter(" ".join(_WORD.findall(part)) for part in re.split(r"[.!?。！？\n]+", text))
    return any(count >= _LEAST_REPEATS and len(part.split()) >= 6 for part, count in sentences.items())


def is_other_language(question: str, answer: str) -> bool:
    """Whether both languages are known and differ. A question that names a language may want that."""
    if _LANGUAGE_NAMED.search(question):
        return False
    asked, answered = language(question), language(_CODE.sub(" ", answer))
    return asked is not None and answered is not None and asked != answered


def language(text: str) -> str | None:
    """The language of a text, or its script where that is all that is known; None when it cannot be told.

    Script by the letters (Unicode names); in Latin script by stop words, each counted once for its language and less
    the more languages have it (Grefenstette 1995, "Comparing two language identification schemes").
    """
    scripts = Counter(_script(character) for character in text if character.isalpha())
    if sum(scripts.values()) < 6:
        return None
    script, count = scripts.most_common(1)[0]
    if scripts["Japanese kana"] > 0.1 * sum(scripts.values()):
        return "Japanese"  # kanji are Chinese characters
    if count < 0.7 * sum(scripts.values()):
        return None
    return _latin_language(text) if script == "Latin" else script


def cites_nothing(answer: str, passage_count: int) -> bool:
    """Whether a marker such as [7] stands for no passage; code is not looked at, nor is [0]."""
    numbers = [
        int(number)
        for marker in _MARKER.findall(_CODE.sub(" ", answer))
        for number in re.findall(r"\d+", marker)
    ]
    return any(number > passage_count for number in numbers)


def _latin_language(text: str) -> str | None:
    words = [word.lower() for word in _WORD.findall(text)]
    if len(words) < _FEWEST_WORDS:
        return None
    scores: dict[str, float] = dict.fromkeys(_STOP_WORDS, 0.0)
    for word in words:
        for name in _LANGUAGES_OF.get(word, ()):
            scores[name] += 1 / len(_LANGUAGES_OF[word])
    (best, score), (_, second) = sorted(scores.items(), key=lambda item: -item[1])[:2]
    if score < 1.5 or score < 2 * second or score < 0.08 * len(words):
        return None
    return best


def _script(character: str) -> str:
    if character.isascii():
        return "Latin"
    name = unicodedata.name(character, "").split(" ", 1)[0]
    return _SCRIPTS.get(name, name.capitalize())


_SCRIPTS = {"HANGUL": "Korean", "CJK": "Chinese", "HIRAGANA": "Japanese kana", "KATAKANA": "Japanese kana"}


def _split_ideographs(piece: str) -> Sequence[str]:
    """Scripts without spaces are compared character by character."""
    return piece if _IDEOGRAPHS.search(piece) else (piece,)
