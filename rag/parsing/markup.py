"""Splits HTML and XML into tokens, and prepares HTML for a parser that hostile or careless files would stop.

Everything here takes time in proportion to the text, whatever it contains.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal

# A tag with its attributes; a quoted value may contain >. The possessive quantifiers never go back, and every
# < before the last > of a text ends somewhere, so no text is read twice.
_MARK = re.compile(
    r"""<!--|<!\[CDATA\[|<[!?]|"""
    r"""<(?P<slash>/?)(?P<name>[A-Za-z_][^\s/>]*+)"""
    r"""(?P<attributes>(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+)>"""
)
_ATTRIBUTE = re.compile(r"""([^\s=/"'][^\s=/]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_RAW_ENDS = {
    name: re.compile(rf"</{name}(?![\w-])", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea")
}
_XHTML = re.compile(r"""xmlns:([\w-]+)\s*=\s*["']http://www\.w3\.org/1999/xhtml["']""")
_XML_BEGINS = re.compile(r"""\s*(?:<\?xml\s|<!DOCTYPE[^>]*XHTML|<html\s[^>]*xmlns\s*=)""", re.IGNORECASE)
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
# A parser for HTML ignores the slash of <title/> and takes the rest of the page for the title.
_SWALLOWING = frozenset(
    "script style title textarea iframe noscript noframes template select button object svg xmp".split()
)
# What a browser with scripts and frames does not show is text to us.
_RENAMED = {
    "noscript": "div",
    "noframes": "div",
    "noembed": "div",
    "frameset": "div",
    "xmp": "pre",
    "listing": "pre",
    "plaintext": "pre",
    "image": "img",
    # A parser opens these again in each paragraph until they are closed, which some pages never do.
    **dict.fromkeys("b big code em font i nobr s small strike strong tt u".split(), "span"),
}
# Elements that end where the next of their kind begins: many in a row without an end are not nested.
_ENDS_ITSELF = frozenset(
    "p li td th tr thead tbody tfoot colgroup caption dt dd option optgroup rt rp".split()
)
_DISSOLVED = ("option", "optgroup")  # the parser's time grows with the square of their number
_ONCE = ("html", "head", "body")  # thousands of <body> filled 5 GB
_BLOCKS = frozenset("div section article blockquote ul ol dl table center form fieldset main aside".split())
_KNOWN = _BLOCKS | frozenset(
    "a b i u s em strong font span code tt small big sub sup h1 h2 h3 h4 h5 h6".split()
)
_PIECES_BEGIN = frozenset("p div section article ul ol h1 h2 h3 h4 h5 h6 tr td".split())
_MOST_NESTED = 200  # elements of one name inside each other; the parser's time grows with the square
_MOST_ATTRIBUTES = 100
_USED_ATTRIBUTES = frozenset(
    "hidden style alt src srcdoc rowspan colspan class role start value type open width height".split()
)

Kind = Literal["text", "open", "close", "empty"]


def tokens(source: str, html: bool = False) -> Iterator[tuple[Kind, str, str]]:
    """Yield (kind, name, text): text, and opening, closing and self-closed tags with their attributes.

    Comments, declarations and processing instructions are left out; a CDATA section is text. Text comes
    escaped as it is in the source.

    Args:
        source: The markup. It need not be well-formed.
        html: Whether script, style, title and textarea contain plain text, as in HTML. Scripts and style
            sheets are left out then.
    """
    position, limit, missing = 0, source.rfind(">") + 1, set[str]()
    while found := _MARK.search(source, position, limit):
        if found.start() > position:
            yield "text", "", source[position : found.start()]
        position = found.end()
        name = found["name"]
        if name is None:
            text, position = _declaration(source, found.group(), position, missing)
            if text:
                yield "text", "", text
            continue
        attributes = found["attributes"]
        if found["slash"]:
            yield "close", name, ""
            continue
        if _self_closed(attributes):
            yield "empty", name, attributes.rstrip()[:-1]
            continue
        raw = name.lower() if html else ""
        if raw not in _RAW_ENDS:
            yield "open", name, attributes
            continue
        closing = None if raw in missing else _RAW_ENDS[raw].search(source, position)
        if closing is None:
            missing.add(raw)
        if raw in ("script", "style"):
            position = closing.start() if closing else len(source)
        elif closing:
            yield "open", name, attributes
            yield "text", "", source[position : closing.start()].replace("<", "&lt;")
            position = closing.start()
    if position < len(source):
        yield "text", "", source[position:]


def _declaration(source: str, opening: str, start: int, missing: set[str]) -> tuple[str, int]:
    """Return the text of what begins with <! or <?, and where it ends.

    missing is what was searched for in vain: thousands of unclosed comments must not each search to the end.
    """

    def find(closing: str, begin: int) -> int:
        at = -1 if closing in missing else source.find(closing, begin)
        if at < 0:
            missing.add(closing)
        return at

    if opening == "<![CDATA[":
        end = find("]]>", start)
        text = source[start : end if end >= 0 else len(source)]
        return escape(text), end + 3 if end >= 0 else len(source)
    closing = ">"
    if opening == "<!--":
        closing, start = "-->", start - 2  # <!--> is a whole comment
    elif opening == "<?" and source.startswith(("xml ", "php", "xml-", "="), start):
        closing = "?>"
    elif opening == "<!" and source[start : start + 7].upper() == "DOCTYPE":
        bracket, angle = find("[", start), find(">", start)
        closing = "]>" if 0 <= bracket < angle else ">"
    end = find(closing, start)
    if end < 0:
        closing, end = ">", find(">", start)
    return "", end + len(closing) if end >= 0 else len(source)


def _self_closed(attributes: str) -> bool:
    """Return whether a tag ends in a slash that is not the end of an unquoted value (`<a href=x/>`)."""
    bare = attributes.rstrip()
    return bare.endswith("/") and (bare[-2:-1] in ("", "'", '"') or bare[-2].isspace() or "=" not in bare)


def attributes_of(text: str) -> dict[str, str]:
    """Return the attributes of a tag by name without prefix; the first of a name counts."""
    found: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(text):
        found.setdefault(local_name(name), next(filter(None, values), ""))
    return found


def local_name(name: str) -> str:
    """Return the name of an element or attribute without its namespace prefix, in small letters."""
    return name.rpartition(":")[2].lower()


def escape(text: str) -> str:
    """Return text with the signs that begin markup written as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def tame(source: str, xml: bool = False, most_tags: int = 200_000) -> Iterator[str]:
    """Yield HTML without what makes a parser slow or lets it swallow text, a large page in pieces.

    Scripts, style sheets and comments are gone; elements that only some browsers show are ordinary ones;
    nesting and attributes are bounded.

    Args:
        source: The page.
        xml: Whether it is known to be XML, in which `<a/>` is a whole element.
        most_tags: How many tags a piece has, about; each costs the parser half a kilobyte.
    """
    xml = xml or _XML_BEGINS.match(source) is not None
    found = _XHTML.search(source[:10_000])
    prefix = f"{found.group(1)}:".lower() if found else "\0"
    parts: list[str] = []
    depth, seen, tag_count = Counter[str](), set[str](), 0
    for kind, name, text in tokens(source, html=True):
        if kind == "text":
            parts.append(text)
            continue
        name = name.lower().removeprefix(prefix)
        name = _RENAMED.get(name, name)
        if tag_count >= most_tags and kind == "open":
            in_table = depth["table"] > 0
            begins = name == "tr" if in_table else name in _PIECES_BEGIN
            if begins or tag_count >= 2 * most_tags:
                yield "".join(parts)
                restored = "" if not in_table else "<table>" if begins else "<table><tr><td>"
                parts, tag_count = [restored], 0
        tag_count += 1
        parts.append(_tag(kind, name, text, xml, depth, seen))
    yield "".join(parts)


def _tag(kind: Kind, name: str, attributes: str, xml: bool, depth: Counter[str], seen: set[str]) -> str:
    """Return a tag as the parser should see it; depth and seen are what came before it."""
    if name in _DISSOLVED:
        return " "
    if name in ("script", "style"):
        return ""
    if name in _ONCE:
        if kind == "close" or name in seen:
            return ""
        seen.add(name)
        return f"<{name}{_bounded(attributes)}>"
    if name == "frame":  # which is nothing outside a frameset
        return f"<iframe{_bounded(attributes)}></iframe>" if kind != "close" else ""
    if name in _VOID:
        return f"<{name}{_bounded(attributes)}>" if kind != "close" else ""
    if kind == "empty" and (xml or name in _SWALLOWING):
        return f"<{name}{_bounded(attributes)}></{name}>"
    if _may_nest(name, kind == "close", depth):
        return f"</{name}>" if kind == "close" else f"<{name}{_bounded(attributes)}>"
    return "<br>" if name in _BLOCKS else ""


def _may_nest(name: str, closing: bool, depth: Counter[str]) -> bool:
    """Count an element in or out and return whether its tag stays, as it does unless too many are open."""
    if name in _ENDS_ITSELF:
        return True
    kind = name if name in _KNOWN else ""
    depth[kind] = max(0, depth[kind] + (-1 if closing else 1))
    return depth[kind] < _MOST_NESTED + (not closing)


def _bounded(attributes: str) -> str:
    """Return attributes as they are, or only the useful ones where there are very many."""
    if len(attributes) < 1000 or len(attributes.split()) < _MOST_ATTRIBUTES:
        return attributes
    kept = {name: value for name, value in attributes_of(attributes).items() if name in _USED_ATTRIBUTES}
    return "".join(f' {name}="{value.replace(chr(34), "&quot;")}"' for name, value in kept.items())
