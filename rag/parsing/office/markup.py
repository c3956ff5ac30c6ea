"""Names of the markup in Office files, and small readers of it that documents and slides share."""

from __future__ import annotations

from xml.etree.ElementTree import Element

_SCHEMAS = "http://schemas.openxmlformats.org"
WORD = f"{{{_SCHEMAS}/wordprocessingml/2006/main}}"
SLIDE = f"{{{_SCHEMAS}/presentationml/2006/main}}"
DRAWING = f"{{{_SCHEMAS}/drawingml/2006/main}}"
CHART = f"{{{_SCHEMAS}/drawingml/2006/chart}}"
DIAGRAM = f"{{{_SCHEMAS}/drawingml/2006/diagram}}"
MATH = f"{{{_SCHEMAS}/officeDocument/2006/math}}"
RELATION = f"{{{_SCHEMAS}/officeDocument/2006/relationships}}"
ALTERNATE = f"{{{_SCHEMAS}/markup-compatibility/2006}}AlternateContent"
FALLBACK = f"{{{_SCHEMAS}/markup-compatibility/2006}}Fallback"
NEW_CHART = "{http://schemas.microsoft.com/office/drawing/2014/chartex}"

# A merged cell has its text in each row that it covers, unless that is long and would fill the memory.
LONGEST_COPY = 500

_MATH_SIGNS = {"den": "/", "sup": "^", "sub": "_", "rad": "√"}


def local(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def whole(text: str | None, otherwise: int = 0) -> int:
    """Return a whole number from an attribute, or another one where there is none."""
    try:
        return int(text or "")
    except ValueError:
        return otherwise


def equation(element: Element, inner: str) -> str:
    """Return part of an equation on one line: `a/b`, `x^2`, `(a+b)`, `√x`; other text stays as it is.

    Args:
        element: A fraction's denominator, an exponent, brackets or anything else.
        inner: The words inside it.
    """
    if not inner or not element.tag.startswith(MATH):
        return inner
    name = local(element)
    if name == "d":
        opening, closing = (
            _sign(element, "dPr", part, usual) for part, usual in (("begChr", "("), ("endChr", ")"))
        )
        return f"{opening}{inner}{closing}"
    if name == "nary":
        return _sign(element, "naryPr", "chr", "∫") + inner
    return _MATH_SIGNS.get(name, "") + inner


def _sign(element: Element, properties: str, name: str, usual: str) -> str:
    found = element.find(f"{MATH}{properties}/{MATH}{name}")
    return usual if found is None else found.get(f"{MATH}val", "")
