"""Turns bytes of unknown encoding into text, and says which characters it could not read.

Nothing is ever refused. A byte order mark decides first, then whether the bytes are UTF-8, perhaps with a
few wrong ones, then what the text says of itself, then likelihood. A log that several programs write may be
UTF-8 in some lines only: each line is then read for itself.
"""

from __future__ import annotations

import codecs
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from rag.parsing.account import Account

_UTF8_MARK = b"\xef\xbb\xbf"
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# What a file says of itself in its first lines: HTML, XML, style sheets and source code (PEP 263).
_CHARSET = re.compile(
    rb"""<meta\b[^>]{0,500}?\bcharset\s*=\s*["']?\s*([\w.:-]{2,40})"""
    rb"""|<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']([\w.:-]{2,40})"""
    rb"""|\A@charset "([\w.:-]{2,40})\""""
    rb"""|\A(?:[^\n]*\n)?[^\n]{0,200}?coding[:=]\s*([\w.-]{2,40})""",
    re.IGNORECASE,
)
# The WHATWG names for labels that Python does not know, and the supersets that browsers read instead.
_ALIASES = {
    "windows-874": "cp874",
    "dos-874": "cp874",
    "x-sjis": "cp932",
    "x-gbk": "gb18030",
    "windows-936": "gb18030",
    "windows-949": "cp949",
    "windows-950": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "cn-big5": "big5hkscs",
    "x-euc-jp": "euc_jp",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "x-cp1252": "cp1252",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-roman": "mac_roman",
    "iso-8859-8-i": "iso8859_8",
    "unicode-1-1-utf-8": "utf-8",
}
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
}
# Python's other codecs are no encodings of files (zip, rot13), or cost time that grows with the square.
_TEXTUAL = re.compile(r"ascii|utf-[78]|cp\d|iso|koi8|mac|gb|hz|big5|euc|shift|johab|tis|kz|ptcp")
_SEVEN_BIT = ("iso2022_jp", "iso2022_jp_2", "iso2022_kr", "hz", "utf-7")
_WIDE_CODECS = ("gb18030", "hz", "big5hkscs", "cp949", "cp932", "euc_jp", "johab")

_FOREIGN = re.compile(rb"[\x80-\xff]")
_PAST_ASCII = bytes(range(128, 256))
_LOST = "\ufffd"


@dataclass(frozen=True)
class Decoded:
    """A text, the encoding it was read in, and what could not be read or was read differently."""

    text: str
    encoding: str
    lost: dict[int, int] = field(default_factory=dict)  # characters that were replaced, by line from 1
    other_encoding: str = ""  # of the lines of a mixed file that are not UTF-8
    other_lines: int = 0

    def tell(self, account: Account, where: str = "") -> None:
        """Enter into the account which lines contain characters that are not in the text.

        Args:
            account: The account of the document.
            where: What names the text within its document, such as "note.txt", followed by the line.
        """
        if self.other_lines:
            among = f"in {self.other_encoding} among lines in {self.encoding}"
            account.read(f"line {among}", self.other_lines, f"lines {among}")
        for number, count in self.lost.items():
            place = f"{where} line {number}".strip()
            account.leave_out("character", f"wrong bytes in {self.encoding} text", count, name=place)


def decode(data: bytes, label: str = "") -> str:
    """Return bytes of unknown encoding as text; see read."""
    return read(data, label).text


def read(data: bytes, label: str = "") -> Decoded:
    """Return bytes of unknown encoding as text, with what could not be read.

    Args:
        data: The whole file.
        label: What the transport says of the encoding, as the header of a mail does; "" where there is none.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _replacing(data, encoding)
    if data.startswith(_UTF8_MARK):
        data = data.removeprefix(_UTF8_MARK)
        return Decoded(data.decode("utf-8"), "UTF-8") if _decodes(data, "utf-8") else _damaged_utf8(data)
    if (b"\x1b$B" in data or b"\x1b$@" in data) and data.isascii():  # ISO-2022-JP, valid UTF-8 as well
        return _replacing(data, "iso2022_jp")
    named = codec(label) or _declared(data)
    if named in _SEVEN_BIT and data.isascii():
        return _replacing(data, named)
    # A word in an East Asian encoding may be valid UTF-8 by accident, three characters in a row hardly ever.
    may_be_wide = named in _WIDE_CODECS and 0 < _utf8_characters(data)[0] < 3 and _decodes(data, named)
    if not may_be_wide and _decodes(data, "utf-8"):
        return Decoded(data.decode("utf-8"), "UTF-8")
    if data[:4096].count(b"\0") * 3 > len(data[:4096]):
        return _replacing(data, "utf-16-be" if data[:1] == b"\0" else "utf-16-le")
    if not may_be_wide and _mostly_utf8(data):
        return _damaged_utf8(data)
    if named and named != "utf-8":
        found = _replacing(data, named)
        if sum(found.lost.values()) * 20 <= len(data) - len(data.translate(None, _PAST_ASCII)):
            return found
    return _mixed(data) or _replacing(data, _guess(data))


def codec(label: str) -> str | None:
    """Return the codec that browsers use for a declared encoding, None for a label that means none."""
    label = label.strip().strip("\"'").lower()
    if label in _ALIASES:
        return _ALIASES[label]
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):  # ValueError: a null character
        return None
    return _SUPERSETS.get(name, name) if _TEXTUAL.match(name) else None


def _declared(data: bytes) -> str | None:
    """Return the encoding that HTML, XML or source code names in its first lines, if there is such a one."""
    found = _CHARSET.search(data[:2048])
    return codec(next(filter(None, found.groups())).decode("ascii", "replace")) if found else None


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _public(codec_name: str) -> str:
    """Return the name that people know an encoding by."""
    if codec_name.startswith("cp125"):
        return f"windows-{codec_name[2:]}"
    return codec_name.replace("_", "-").upper().replace("UTF-8-SIG", "UTF-8")


def _replacing(data: bytes, encoding: str) -> Decoded:
    """Return the text with U+FFFD for what is wrong, which is counted line by line."""
    text = data.decode(encoding, "replace")
    if _LOST not in text or _decodes(data, encoding):
        return Decoded(text, _public(encoding))
    lost = {n: count for n, line in enumerate(_lines(text), 1) if (count := line.count(_LOST))}
    return Decoded(text, _public(encoding), lost)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _mostly_utf8(data: bytes) -> bool:
    """Return whether a file is UTF-8 with wrong bytes: cut, or edited by a program that did not know.

    In texts of other encodings up to a third of the characters are valid UTF-8 by accident. In Western ones
    hardly any are, so one is enough there for each wrong byte.
    """
    characters, wrong = _utf8_characters(data)
    if not characters or characters >= 3 * wrong:
        return characters > 0
    foreign = set(data.decode("utf-8", "ignore"))
    return characters >= wrong and all(c < "\u0250" or "\u2000" <= c < "\u2200" for c in foreign)


def _utf8_characters(data: bytes) -> tuple[int, int]:
    """Return how many characters past ASCII are valid UTF-8, and how many pieces of bytes are not."""
    text = data.decode("utf-8", "replace")
    wrong = text.count(_LOST) - data.count(_LOST.encode())
    return len(text) - wrong - len(data.translate(None, _PAST_ASCII)), wrong


def _damaged_utf8(data: bytes) -> Decoded:
    """Return a UTF-8 text with replacements for wrong bytes.

    Where every tenth line is wrong throughout, two programs wrote the file: those lines are read in the
    encoding of the other one.
    """
    lines = data.splitlines(keepends=True)
    foreign = [line for line in lines if not line.isascii()]
    other = {n for n, line in enumerate(lines) if not line.isascii() and not _mostly_utf8(line)}
    if len(other) < 2 or len(other) * 10 <= len(foreign):
        return _line_by_line(lines, set(), "")
    return _line_by_line(lines, other, _guess(b"".join(lines[n] for n in sorted(other))))


def _mixed(data: bytes) -> Decoded | None:
    """Return a text of which some lines are surely UTF-8, None where no line is."""
    lines = data.splitlines(keepends=True)
    foreign = [n for n, line in enumerate(lines) if not line.isascii()]
    encoding = _guess(b"".join(lines[n] for n in foreign if not _decodes(lines[n], "utf-8")))
    latin = encoding in _LATIN
    utf8 = {n for n in foreign if _surely_utf8(lines[n], latin)}
    if not utf8:
        return None
    return _line_by_line(lines, set(foreign) - utf8, encoding)


def _surely_utf8(line: bytes, latin: bool) -> bool:
    """Return whether a line cannot be UTF-8 by accident; latin: whether the other lines are Latin."""
    characters, wrong = _utf8_characters(line)
    return characters > wrong if latin else not wrong and characters > 2


def _line_by_line(lines: list[bytes], others: set[int], encoding: str) -> Decoded:
    """Return the text of lines that are UTF-8, except for the numbered ones."""
    texts, lost = [], {}
    for n, line in enumerate(lines):
        texts.append(line.decode(encoding if n in others else "utf-8", "replace"))
        if count := texts[n].count(_LOST) - line.count(_LOST.encode()):
            lost[n + 1] = count
    return Decoded("".join(texts), "UTF-8", lost, _public(encoding), len(others))


def _guess(data: bytes) -> str:
    """Return the likeliest encoding by a sample of the lines that are not ASCII."""
    sample, length = [], 0
    first = _FOREIGN.search(data)
    for line in data[max(0, first.start() - 50) if first else 0 :].splitlines():
        if not line.isascii():
            sample.append(line[:_SAMPLE])
            length += len(sample[-1])
            if length >= _SAMPLE:
                break
    whole = b"\n".join(sample)
    return _east_asian(whole) or _single_byte(whole)


# Lead bytes of the characters that each East Asian encoding puts first because they are common. Kana have the
# same bytes in EUC-JP and GB18030, where hardly anyone writes them.
_COMMON = {
    "cp932": ((0x81, 0x98),),
    "cp949": ((0xA1, 0xA3), (0xB0, 0xC8)),
    "gb18030": ((0xA1, 0xA3), (0xB0, 0xD7)),
    "euc_jp": ((0xA1, 0xA5), (0xB0, 0xCF)),
    "big5hkscs": ((0xA1, 0xC6),),
}
_SAMPLE = 50_000  # bytes from which an encoding is guessed


def _east_asian(data: bytes) -> str | None:
    """Return the East Asian encoding in which nearly all characters past ASCII are common ones, if any.

    Statistics over letters fail on short tables of names; which characters a standard counts as common does
    not. One character in 20 may be wrong.
    """
    best, best_share = None, 0.9
    for encoding, ranges in _COMMON.items():
        sample = data.decode(encoding, "replace")
        wide = [
            c.encode(encoding)
            for c in sample
            if (ord(c) > 0x2FFF and c != _LOST) or "\uff61" <= c <= "\uff9f"
        ]
        if len(wide) < 4 or len(wide) < 0.8 * sum(ord(c) > 127 for c in sample):
            continue
        if sample.count(_LOST) > len(wide) // 20:
            continue
        common = sum(len(c) == 2 and any(low <= c[0] <= high for low, high in ranges) for c in wide)
        if common / len(wide) > best_share:
            best, best_share = encoding, common / len(wide)
    return best


# The letters past ASCII of each language that an encoding of one byte is for, the most frequent first.
_GERMANIC = ("üäöß", "äåöé", "øåæé", "äöå", "áðíéóúþöýæ", "éëïóöèü")
_ROMANCE = ("éàèêçôâûîùïœëæü", "óíáéñúü", "ãçáéíóõêâàôú", "àèùìòé", "àéèíóòçïúü")
_CENTRAL = ("łęóążśćńź", "íáéěřýčžšůúťóňď", "áíéčžýšúľôťóňäďĺŕ", "éáóöíőüúű", "ăîâţş", "čšžćđ", "üäöß")
_CYRILLIC = ("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё", "оанитвеірсклдумпзяьбгчйхжїшцюєщфґ")
_LANGUAGES = {
    "cp1252": (*_GERMANIC, *_ROMANCE),
    "cp1250": _CENTRAL,
    "cp1251": _CYRILLIC,
    "koi8_r": _CYRILLIC,
    "cp866": _CYRILLIC,
    "cp1253": ("αοιετσνηυρπκμλςωίάόγδήέύθχώφβξζψϊ",),
    "cp1254": ("ıüşçğöiâ",),
    "cp1255": ("יוהלארתבשמנכעדפחקםצגסזטןךףץ",),
    "cp1256": ("اليمنرتبةودعسفهكقحجأشصىطخإزذضئغثءآظؤ",),
    "cp1257": ("ėšųžčūįąę", "āīēšņūļžķčģ", "äõüöšž"),
    "cp1258": ("\u0300\u0301\u0323đ\u0309ôươâăê\u0303áàíóúéèù",),
    "cp874": ("านรอกเง่มย้ลวดัทตสิบีคะ์ปุพหขใแื็ผไชจูโถซึศธณภำญษฟฉฐฎฝ๊ฮฆ๋ฤฬ",),
    "mac_roman": (*_GERMANIC, *_ROMANCE),
    "cp850": (*_GERMANIC, *_ROMANCE),
    "iso8859_2": _CENTRAL,
}
_LATIN = ("cp1252", "cp1250", "cp1254", "cp1257", "cp1258", "mac_roman", "cp850", "iso8859_2")
_RARE = ("mac_roman", "cp850", "iso8859_2")  # likely only where nothing else fits
_SIGNS = dict.fromkeys("§©®°²³µ·½£€¥×«»¡¿‚„“”‘’–—…•№º\u00a0\u00ad", 0.02)
# What real text has hardly anywhere: quotation marks, capitals or two scripts inside a word, and words
# in Latin letters that all have marks.
_MISFITS = (
    re.compile(r"[^\W\d_][„“”‚«»¿¡][^\W\d_]"),
    re.compile(r"[ß-ɏα-ώа-ё][À-ÞΑ-ΫА-Я]"),
    re.compile(r"[A-Za-z][\u0370-\u0eff]|[\u0370-\u0eff][A-Za-z]"),
    re.compile(r"(?<![^\W\d_])[À-ɏ]{4,}(?![^\W\d_])"),
)
_THAI = re.compile("[ก-ฮ][ัิ-ฺ็-๎]")  # a consonant with its vowel or tone


def _single_byte(data: bytes) -> str:
    """Return the one-byte encoding in which the letters past ASCII are most likely those of one language.

    General statistics take a short `Müller` for Chinese or Polish, and Latvian for French.
    """

    def likelihood(encoding: str) -> float:
        text = data.decode(encoding, "replace")
        letters = Counter(c for c in text if c > "\x7f")
        misfits = sum(len(pattern.findall(text)) for pattern in _MISFITS)
        prior = 2.0 * (encoding == "cp1252") - 2.0 * (encoding in _RARE) + len(_THAI.findall(text))
        return (
            prior - 4.0 * misfits + max(_likelihood(letters, alphabet) for alphabet in _LANGUAGES[encoding])
        )

    return max(_LANGUAGES, key=likelihood)


def _likelihood(letters: Mapping[str, int], alphabet: str) -> float:
    """Return the log likelihood of letters in a language; the frequency of a letter falls with its rank."""
    weights = {letter: 1 / (rank + 2) for rank, letter in enumerate(alphabet)}
    total = sum(weights.values())
    chances = _SIGNS | {letter: 0.9 * weight / total for letter, weight in weights.items()}
    return sum(
        count
        * math.log(chances.get(letter) or chances.get(letter.lower()) or (1e-5 if letter == _LOST else 5e-4))
        for letter, count in letters.items()
    )
