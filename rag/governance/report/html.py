"""Writes a report as one HTML file, without scripts or parts from elsewhere, and one that Qt can print.

Whatever comes from documents, models and people is escaped, and signs that turn the direction of a line or
that nobody sees are spelled out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path

import resources
from rag.governance.report.period import Period, moment
from rag.governance.report.rows import EVERYTHING, Block, Report, Section, Source, Statement
from rag.text.plurals import counted

_MOST_ROWS = 200  # of a table; the JSON has all
_JOINERS = "\u200c\u200d"  # without them words of Persian and of Indian languages are spelled wrong
_HIDDEN = re.compile("[\u115f\u1160\u17b4\u17b5\u3164\uffa0]")  # letters that show nothing
_HEX = re.compile(r"[0-9a-f]{32,}")
_SHOWN_OF_HASH = 16
# Whose statements stand on the first page, by the beginnings of their keys: the first of each that there is.
_AT_A_GLANCE = (
    "system.questions", "incidents.rate.flagged", "incidents.rate.silent", "evaluation.metric.",
    "evaluation.limit.", "gates.decision.", "oversight.kappa.", "guardrails.rate.", "costs.use",
    "changes.head",
)  # fmt: skip


@dataclass(frozen=True)
class Medium:
    """Where a report is read, and what the program that shows it understands."""

    css: str  # the name of a style sheet
    table: str  # attributes of a table of rows
    facts: str  # of the table at the beginning
    gaps: tuple[str, str]  # what stands around gaps
    has_whole_hashes: bool  # whether there is room for them in the list of sources
    below_title: str  # the element of the line below a title: what is printed keeps headings with their text


SCREEN = Medium("screen.css", 'class="rows"', 'class="facts"', ('<div class="gaps">', "</div>"), True, "p")
# Qt knows no borders and no padding of blocks: tables with attributes do the same.
PRINT = Medium(
    "print.css",
    'width="100%" cellspacing="0" cellpadding="3" style="border-collapse: collapse"',
    'cellspacing="0" cellpadding="2"',
    (
        '<table width="100%" bgcolor="#fff7e6" cellspacing="0" cellpadding="6"><tr><td class="plain">',
        "</td></tr></table>",
    ),
    False,
    "h6",
)


def html_of(report: Report, medium: Medium = SCREEN) -> str:
    """Return a report as HTML, complete in itself."""
    sources = {source.id: source for source in report.sources}
    shown: dict[str, None] = {}
    body = [
        _head(report, sources, shown, medium),
        *(_section(one, sources, shown, medium) for one in report.sections),
    ]
    body.append(_sources([sources[key] for key in shown], medium))
    return (
        '<!DOCTYPE html>\n<html lang="en" dir="ltr"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text_of(title_of(report))}</title><style>{_style(medium)}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _style(medium: Medium) -> str:
    return (Path(resources.__file__).parent / "report" / medium.css).read_text("utf-8")


def title_of(report: Report) -> str:
    """Return what a report is called."""
    about = "everything" if report.subject == EVERYTHING else report.subject.replace("@", " version ")
    return f"Evidence report: {about}"


def text_of(text: str) -> str:
    """Return a text of others for HTML, with a name for each sign that is not seen or turns the line."""
    return escape("".join(map(_visible, text)), quote=True)


def _visible(sign: str) -> str:
    if sign in "\n\r\t":
        return " "
    category = unicodedata.category(sign)
    hidden = category in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and sign not in _JOINERS
    return f"[U+{ord(sign):04X}]" if hidden or _HIDDEN.match(sign) else sign


# --- the parts --------------------------------------------------------------------------------------------


def _head(report: Report, sources: dict[str, Source], shown: dict[str, None], medium: Medium) -> str:
    period = Period(report.period, report.since_ms, report.until_ms)
    named = "" if period.bounds == Period().bounds else f"{report.period}: "
    facts = (
        ("Period", f"{named}{period.sentence()}"),
        ("Made", f"{moment(report.made_ms)} UTC"),
        ("Contents", f"{counted(report.statement_count, 'statement')}, {counted(report.gap_count, 'gap')}, "
                     f"{counted(len(report.sources), 'stored row')} as sources"),
        ("Fingerprint", report.fingerprint),
    )  # fmt: skip
    rows = "".join(
        f'<tr><td class="plain">{name}</td><td class="plain">{text_of(value)}</td></tr>'
        for name, value in facts
    )
    contents = "".join(
        f'<li><a href="#{one.key}">{text_of(one.title)}</a>'
        + (f' <span class="muted">{counted(len(one.gaps), "gap")}</span>' if one.gaps else "")
        + "</li>"
        for one in report.sections
    )
    said = [one for _, _, one in report.statements()]
    first = [next((one for one in said if one.key.startswith(key)), None) for key in _AT_A_GLANCE]
    glance = "".join(f"<li>{_cell(one.text)} {_cited(one, sources, shown)}</li>" for one in first if one)
    notes = "".join(f'<p class="muted">{text_of(note)}</p>' for note in report.notes)
    return (
        f"<h1>{text_of(title_of(report))}</h1>"
        '<p class="lead">What was in use, how it was measured, what happened and who looked at it. Made by '
        f"Ragdeck from what its data folder holds.</p><table {medium.facts}>{rows}</table>"
        + (f"<h3>At a glance</h3><ul>{glance}</ul>" if glance else "")
        + f"<h3>How to read this</h3>{notes}"
        f'<h3>Contents</h3><ol class="contents">{contents}</ol>'
    )


def _section(one: Section, sources: dict[str, Source], shown: dict[str, None], medium: Medium) -> str:
    headings = " · ".join(f"{text_of(name)}: {text_of(text)}" for name, text in one.headings)
    parts = [f'<h2><a name="{one.key}" id="{one.key}"></a>{text_of(one.title)}</h2>']
    parts.append(f'<{medium.below_title} class="headings">{headings}</{medium.below_title}>')
    parts += [_block(block, sources, shown, medium) for block in one.blocks]
    if one.gaps:
        gaps = "".join(f"<li>{text_of(gap.text)}</li>" for gap in one.gaps)
        before, after = medium.gaps
        parts.append(f"{before}<p><b>Gaps</b></p><ul>{gaps}</ul>{after}")
    return "\n".join(parts)


def _block(block: Block, sources: dict[str, Source], shown: dict[str, None], medium: Medium) -> str:
    statements = block.statements[:_MOST_ROWS]
    cited = partial(_cited, sources=sources, shown=shown)
    title = f"<h3>{text_of(block.title)}</h3>"
    if block.columns:
        head = "".join(f'<th align="left">{text_of(name)}</th>' for name in (*block.columns, "Source"))
        rows = "".join(
            f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in one.cells)}<td>{cited(one)}</td></tr>"
            for one in statements
        )
        shown_as = _table(head, rows, medium)
    else:
        items = "".join(f"<li>{_cell(one.text)} {cited(one)}</li>" for one in statements)
        shown_as = f"<ul>{items}</ul>"
    more = len(block.statements) - len(statements)
    left_out = (
        f'<p class="more">{counted(more, "more row")} in the JSON file of this report.</p>' if more else ""
    )
    return title + shown_as + left_out


def _cell(text: str) -> str:
    """Return a text of others with its hashes cut: their beginnings tell them apart, and the JSON has all."""
    parts = _HEX.split(text)
    hashes = [*_HEX.findall(text), ""]
    return "".join(
        text_of(part) + (f'<code title="{found}">{found[:_SHOWN_OF_HASH]}…</code>' if found else "")
        for part, found in zip(parts, hashes, strict=True)
    )


def _hash(text: str, medium: Medium) -> str:
    """Return a fingerprint of the list of sources: whole where there is room."""
    if medium.has_whole_hashes and _HEX.fullmatch(text):
        return f'<code class="whole">{text}</code>'
    return _cell(text)


def _cited(one: Statement, sources: dict[str, Source], shown: dict[str, None]) -> str:
    shown.update(dict.fromkeys(one.sources))
    links = " ".join(f'<a href="#{_anchor(key)}">{text_of(sources[key].title)}</a>' for key in one.sources)
    return f'<span class="sources">{links}</span>'


def _anchor(source_id: str) -> str:
    """Return the name of a source's place in the list of sources: letters, digits and dashes alone."""
    return "s-" + "".join(
        sign if sign.isascii() and sign.isalnum() else f"-{ord(sign):x}-" for sign in source_id
    )


def _sources(shown: Sequence[Source], medium: Medium) -> str:
    rows = "".join(
        f'<tr><td><a name="{_anchor(one.id)}" id="{_anchor(one.id)}"></a>{text_of(one.title)}</td>'
        f"<td>{text_of(one.table)} {text_of(', '.join(f'{k}={v}' for k, v in one.keys.items()))}</td>"
        f"<td>{_hash(one.fingerprint or '–', medium)}</td><td>{_hash(one.row_sha256, medium)}</td>"
        f'<td class="path">{text_of(one.command) or "–"}</td></tr>'
        for one in shown
    )
    if not rows:
        return ""
    head = "".join(
        f'<th align="left">{name}</th>'
        for name in ("Source", "Stored as", "Fingerprint", "sha256 of the row", "Shown by")
    )
    return (
        '<h2><a name="sources" id="sources"></a>Sources</h2><p class="headings">The stored rows that '
        "statements name. The page Reports opens them; the JSON file has all fingerprints in full.</p>"
        + _table(head, rows, medium)
    )


def _table(head: str, rows: str, medium: Medium) -> str:
    return (
        f'<div class="wide"><table {medium.table}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        "</div>"
    )
