"""Recognises the language of a text, as far as it matters here: the detector was trained on English.

By script first, then by the commonest words of European languages. Short texts often say nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

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


_NAMES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese",
    "nl": "Dutch", "sv": "Swedish", "da": "Danish", "no": "Norwegian", "pl": "Polish", "fi": "Finnish",
    "tr": "Turkish", "ru": "Cyrillic", "el": "Greek", "ar": "Arabic", "he": "Hebrew", "hi": "Devanagari",
    "th": "Thai", "ko": "Korean", "ja": "Japanese", "zh": "Chinese",
}  # fmt: skip


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of a text's language; "" when it is too short or like several.

    A script stands for its commonest language: Cyrillic says "ru". Only the first 4,000 characters are read.
    """
    sample = text[:4000]
    letters = [c for c in sample if c.isalpha()]
    if not letters:
        return ""
    by_script = Counter(_script(c) for c in letters)
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


def language_name(code: str) -> str:
    """Return the English name of a language by its code, or the code itself."""
    return _NAMES.get(code, code)


def foreign_parts(texts: Sequence[str], prose: str) -> list[bool]:
    """Return for each text whether it is in a language other than English.

    Args:
        texts: Sentences or passages.
        prose: A longer text that they belong to, which decides about those that are too short.
    """
    whole = language_of(prose)
    return [(language_of(text) or whole or "en") != "en" for text in texts]


def _script(character: str) -> str:
    name = unicodedata.name(character, "").split(" ")[0]
    return name if name in _SCRIPTS or name == "LATIN" else ("LATIN" if character < "\u0250" else name)
