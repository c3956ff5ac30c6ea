"""A frozen copy of the detector of silent failures as it was when step 5 of the migrations was released.

It must not follow rag.silent: a file that is upgraded next year gets what one that was upgraded today got.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_MARKER = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_PIECE = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_LONGEST_UNIT = 60  # words
_LEAST_REPEATS = 3
_LEAST_REPEATED_WORDS = 12

# A question that names a language may ask for an answer in it.
_LANGUAGE_NAMED = re.compile(
    r"\b(?:translat\w*|übersetz\w*|tradu\w*|english|german|french|spanish|italian|portuguese|dutch|polish|"
    r"swedish|russian|chinese|japanese|arabic|greek|englisch\w*|deutsch\w*|französisch\w*|spanisch\w*|"
    r"italienisch\w*|anglais\w*|allemand\w*|français\w*|espagnol\w*|inglés\w*|alemán\w*|español\w*|inglese|"
    r"tedesco|italiano)\b",
    re.IGNORECASE,
)

_LEAST_WORDS = 4
_LEAD = 1.5  # times as many common words as the next language has
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

_COMMON = {
    "en": "the of and to in is that it was for on are with as be at this by have from or had not but what "
    "all were when we there can an which their if will each about how up out then them she many some "
    "so these would other into has more two him see could no than been its who now my over did down "
    "only may after should must does",
    "de": "der die und das den von zu mit sich des auf für ist im dem nicht ein eine als auch es an werden "
    "aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben "
    "nur oder aber vor zur bis mehr durch man sein wurde sei kann gegen vom können muss wenn dieser "
    "diese sowie",
    "fr": "le la les de des et à un une du en est que qui dans pour pas sur au par plus ce ne se il sont "
    "avec son sa ses ou mais comme on nous vous leur été être cette ces aux elle deux fait peut tout "
    "même doit sans sous",
    "es": "el la los las de y que en un una es por con no para se del al lo su como más pero sus le ya o "
    "este sí porque esta entre cuando muy sin sobre también me hasta hay donde quien desde todo nos "
    "durante ser son dos debe está",
    "it": "il lo la i gli le di e che è un una per in non con del della dei delle si da al come più ma "
    "sono nel alla anche su ha dal ai questo questa essere o se due molto deve ogni tra sua suo "
    "nella degli",
    "pt": "o a os as de e que do da em um uma para é com não por mais dos das se na no como mas ao ele ou "
    "quando muito nos já eu também só pelo pela até isso ela entre depois sem mesmo aos ser são deve "
    "está foi",
    "nl": "de het een en van in is dat op te zijn met voor niet aan er die om ook als bij maar dan nog "
    "naar heeft uit door over ze hij wordt worden kan moet deze geen werd meer tot of wel",
    "sv": "och i att det som en på är av för med den till inte har de ett om var sig så vid från men när "
    "kan ska eller också efter hade mot då bara över må mycket alla detta",
    "da": "og i at det er en til på som af for med den de ikke har et var om der han fra kan vil men efter "
    "skal blev eller også over må meget alle dette ved",
    "no": "og i det er på som en til av for med at den har de ikke et om var ble fra kan vil men etter "
    "skal eller også over må alle dette ved seg når",
    "pl": "w i na z się do nie to że jest o jak za od po przez ale dla są tym oraz jego już tylko może "
    "przy lub ich być tego który która które",
    "fi": "ja on ei että se oli hän mutta ovat kun mikä joka niin myös sen kuin voi tai ole olla tämä jos "
    "sitä hänen",
    "tr": "ve bir bu da de için ile çok daha gibi olarak en olan ne kadar sonra var değil ancak her ama ya "
    "veya",
}
_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
_SCRIPTS = {
    "CYRILLIC": "ru", "GREEK": "el", "ARABIC": "ar", "HEBREW": "he", "DEVANAGARI": "hi", "THAI": "th",
    "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh",
}  # fmt: skip


def silent_failures_of_step_5(
    question: str, answer: str, finish_reason: str, passage_count: int
) -> tuple[str, ...]:
    """Return what was wrong with an answer that was reported as done, in the words that are stored."""
    cut_off = ("cut off",) if finish_reason == "length" else ()
    prose = _CODE.sub(" ", answer)
    if not any(character.isalnum() for character in _MARKER.sub("", answer)):
        return ("empty answer", *cut_off)
    found: list[str] = []
    if _repeats_itself(prose):
        found.append("repeated text")
    if _is_other_language(question, prose):
        found.append("other language")
    found.extend(cut_off)
    if any(number > passage_count for number in _cited(prose)):
        found.append("cites nothing")
    return tuple(found)


def _repeats_itself(prose: str) -> bool:
    text = prose.lower()
    words = [word for piece in _PIECE.findall(text) for word in _split_ideographs(piece)]
    for unit in range(1, min(_LONGEST_UNIT, len(words) // _LEAST_REPEATS) + 1):
        run = 0  # words that equal the one a unit before
        for word, before in zip(words[unit:], words, strict=False):
            run = run + 1 if word == before else 0
            if run + unit >= max(_LEAST_REPEATS * unit, _LEAST_REPEATED_WORDS):
                return True
    sentences = Counter(" ".join(_PIECE.findall(part)) for part in re.split(r"[.!?。！？\n]+", text))
    return any(count >= _LEAST_REPEATS and len(part.split()) >= 6 for part, count in sentences.items())


def _split_ideographs(piece: str) -> list[str]:
    return list(piece) if _IDEOGRAPHS.search(piece) else [piece]


def _is_other_language(question: str, prose: str) -> bool:
    if _LANGUAGE_NAMED.search(question):
        return False
    asked, answered = _language_of(question), _language_of(prose)
    return bool(asked and answered) and asked != answered


def _cited(prose: str) -> list[int]:
    return [int(number) for marker in _MARKER.findall(prose) for number in re.findall(r"\d+", marker)]


def _language_of(text: str) -> str:
    sample = text[:4000]
    letters = [c for c in sample if c.isalpha()]
    if not letters:
        return ""
    by_script = Counter(_script_of(c) for c in letters)
    script, count = by_script.most_common(1)[0]
    if script != "LATIN" and count * 2 > len(letters):
        japanese = by_script["HIRAGANA"] + by_script["KATAKANA"]
        return "ja" if script == "CJK" and japanese * 10 > count else _SCRIPTS.get(script, "other")
    words = [word.lower().replace("’", "'") for word in _WORD.findall(sample)]
    if len(words) < _LEAST_WORDS:
        return ""
    counts = sorted(
        ((sum(w in common for w in words), name) for name, common in _WORDS.items()), reverse=True
    )
    (most, language), (next_most, _) = counts[:2]
    return language if most >= 2 and most >= _LEAD * next_most else ""


def _script_of(character: str) -> str:
    name = unicodedata.name(character, "").split(" ")[0]
    return name if name in _SCRIPTS or name == "LATIN" else ("LATIN" if character < "\u0250" else name)
