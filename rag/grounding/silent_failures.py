"""Finds silent failures: answers that came without an error and are of no use.

These are pure functions over texts. They run at the end of every question and must be right rather than
complete: what is too short to tell is not a failure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rag.grounding.rows import SilentFailure
from rag.text.citations import listed_markers_of, without_listed_markers
from rag.text.languages import language_of

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_LONGEST_UNIT = 60  # words
_LEAST_REPEATS = 3
_LEAST_REPEATED_WORDS = 12

# A question that names a language may ask for an answer in it.
_LANGUAGE_NAMED = re.compile(
    r"\b(?:translat\w*|übersetz\w*|tradu\w*|english|german|french|spanish|italian|portuguese|dutch|polish|swedish|"
    r"russian|chinese|japanese|arabic|greek|englisch\w*|deutsch\w*|französisch\w*|spanisch\w*|italienisch\w*|"
    r"anglais\w*|allemand\w*|français\w*|espagnol\w*|inglés\w*|alemán\w*|español\w*|inglese|tedesco|italiano)\b",
    re.IGNORECASE,
)

# An answer with one of these says that something did not work, or may mean to: then nothing is hidden.
_TROUBLE = re.compile(
    r"\b(?:errors?|fail(?:s|ed|ure|ures)?|cannot|can['’]?t|could(?: not|n['’]t)|"
    r"unable|unavailable|unreachable|"
    r"not (?:available|possible|reachable|found|work(?:ing)?)|"
    r"no (?:access|connection|results?|data)|"
    r"(?:do|did|does|was|were)(?: not|n['’]t)|unfortunately|sorry|apolog\w*|"
    r"problems?|issues?|time[ds]?[- ]?out|"
    r"fehler\w*|fehlgeschlagen|konnte\w*|kann|leider|probleme?|"
    r"nicht (?:möglich|verfügbar|erreichbar|gefunden)|"
    r"erreurs?|échou\w*|échec|impossible|malheureusement|indisponible|désolée?|n['’]ai pas|"
    r"errores|fall(?:ó|o|ado)|no (?:pude|puedo|se pudo|está disponible)|lamentablemente|desafortunadamente|"
    r"errori?|fallit\w*|non (?:posso|è stato possibile|disponibile)|purtroppo|"
    r"erros?|falhou|infelizmente|helaas|fout\w*|mislukt|niestety|błąd)\b",
    re.IGNORECASE,
)


def silent_failures(
    question: str, answer: str, finish_reason: str = "", passage_count: int = 0
) -> tuple[SilentFailure, ...]:
    """Return what is wrong with an answer that was reported as done, in the order of SilentFailure.

    Args:
        question: What was asked.
        answer: The whole answer.
        finish_reason: What the model's runtime said; "length" means the token limit.
        passage_count: How many passages were in the prompt, numbered from 1.
    """
    is_cut_off = finish_reason == "length"
    if is_empty(answer):
        return (SilentFailure.EMPTY, SilentFailure.CUT_OFF) if is_cut_off else (SilentFailure.EMPTY,)
    found = []
    if repeats_itself(answer):
        found.append(SilentFailure.REPEATED)
    if is_other_language(question, answer):
        found.append(SilentFailure.OTHER_LANGUAGE)
    if is_cut_off:
        found.append(SilentFailure.CUT_OFF)
    if cites_nothing(answer, passage_count):
        found.append(SilentFailure.CITES_NOTHING)
    return tuple(found)


def is_empty(answer: str) -> bool:
    """Return whether there is nothing but white space, punctuation and citation markers."""
    return not any(character.isalnum() for character in without_listed_markers(answer))


def repeats_itself(answer: str) -> bool:
    """Return whether the answer is a loop.

    That is the same words three times in a row, twelve words at least, or one sentence three times. Figures
    are left out, so that a numbered loop is one and a table of zeros is not.
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
    """Return whether both languages are known and differ; a question that names a language may want that."""
    if _LANGUAGE_NAMED.search(question):
        return False
    asked, answered = language_of(question), language_of(_CODE.sub(" ", answer))
    return bool(asked and answered) and asked != answered


def cites_nothing(answer: str, passage_count: int) -> bool:
    """Return whether a marker such as [7] refers to no passage; code does not count, nor does [0]."""
    return any(number > passage_count for number in listed_markers_of(_CODE.sub(" ", answer)))


def hides_errors(answer: str) -> bool:
    """Return whether an answer, which came after something had failed, has no word of trouble.

    Scripts without spaces are left out: nothing is known of their words here.
    """
    return not is_empty(answer) and not _TROUBLE.search(answer) and not _IDEOGRAPHS.search(answer)


def _split_ideographs(piece: str) -> Sequence[str]:
    """Return a script without spaces character by character, else the piece as it is."""
    return piece if _IDEOGRAPHS.search(piece) else (piece,)
