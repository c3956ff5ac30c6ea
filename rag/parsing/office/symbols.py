"""Finds the Unicode sign for a character of the symbol fonts, which number their signs in their own way.

Office files store such a character by its place in the font, alone or in the private area of Unicode
(U+F0B1 in the font Symbol is the sign for "plus or minus"). The tables follow Adobe's mapping for Symbol and
the Unicode proposal L2/12-368 for Wingdings, with a look-alike where that names a sign which few fonts have.
"""

from __future__ import annotations

import re

# Each line holds 32 characters, from 0x20 on; a space stands for "no sign".
_SYMBOL = (
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?"
    "≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_"
    "‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼ "
    "                                "
    "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵"
    "ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓"
    "◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪ 〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭ "
)
_WINGDINGS = (
    " ✏✂✁👓🔔📖🕯☎✆✉📧📪📫📬📭📁📂📄📃📄🗄⌛⌨🖰🖲🖳🖴💾🖬✇✍"
    "✍✌👌👍👎☜☞☝☟✋☺😐☹💣☠⚐⚑✈☼💧❄✝✞🕈✠✡☪☯ॐ☸♈♉"
    "♊♋♌♍♎♏♐♑♒♓&&●○■□□❑❒⬧⧫◆❖⬥☒⮹⌘❀✿❝❞ "
    "⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿🙢🙠🙡🙣🙞🙜🙝🙟·•"
    "▪○○○◉◎○▪☐▲✦★✶✴✹✵⯐⌖◇⌑⯑✪✰🕐🕑🕒🕓🕔🕕🕖🕗🕘"
    "🕙🕚🕛⮰⮱⮲⮳⮴⮵⮶⮷🙪🙫🙕🙔🙗🙖🙐🙑🙒🙓⌫⌦◄➢▲▼⮈⮊⮉⮋←"
    "→↑↓↖↗↙↘←➔↑↓↖↗↙↘⇦⇨⇧⇩⬄⇳⬁⬀⬃⬂▭▫✗✔☒☑⊞"
)
_FONTS = {
    "symbol": dict(enumerate(_SYMBOL, 0x20)),
    "wingdings": dict(enumerate(_WINGDINGS, 0x20)),
    "wingdings 2": {0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0x97: "●", 0xA3: "☐"},
    "wingdings 3": {0x66: "←", 0x67: "→", 0x68: "↑", 0x69: "↓", 0x70: "▲", 0x71: "▼", 0x7D: "▶"},
    "webdings": {0x61: "✔", 0x63: "☐", 0x67: "■", 0x6E: "●", 0x72: "✖"},
}
PRIVATE = re.compile("[\uf020-\uf0ff]")


def sign(font: str, code: int) -> str | None:
    """Return the sign that a font shows for a character, None where nobody knows.

    Args:
        font: Its name, such as "Wingdings".
        code: The character's number, in the font or in the private area of Unicode.
    """
    place = code - 0xF000 if 0xF000 <= code <= 0xF0FF else code
    table = _FONTS.get(font.strip().lower())
    if table is not None and place < 0x100:
        return table.get(place, " ").strip() or None
    if place != code or not 0x20 <= code < 0x110000 or 0xD800 <= code < 0xF900:
        return None  # private, or half of a pair
    return chr(code)
