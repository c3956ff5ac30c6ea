"""Writes a report as one HTML file: without scripts or parts from elsewhere, and plain enough for Qt to print.

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
    "system.questions", "incidents.rate.flagged", "incidents.rate.silent", "evaluation.metric.", "evaluation.limit.",
    "gates.decision.", "oversight.kappa.", "guardrails.rate.", "costs.use", "changes.head",
)  # fmt: skip
_SCREEN_CSS = """
:root { color-scheme: light dark; --ink: #1c2430; --muted: #5b6675; --line: #d9dee6; --paper: #ffffff;
  --soft: #f5f7fa; --accent: #1f5fbf; --gap: #8a5a00; --gap-paper: #fff7e6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --muted: #9aa5b4; --line: #343c48;
  --paper: #171b21; --soft: #1f242c; --accent: #7fb0ff; --gap: #f0c36d; --gap-paper: #2c2614; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 40px 32px 80px; max-width: 1080px; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 21px; margin: 48px 0 6px; padding-top: 18px; border-top: 2px solid var(--line); }
h3 { font-size: 15px; margin: 24px 0 8px; }
p { margin: 6px 0; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
.lead { color: var(--muted); font-size: 16px; margin-bottom: 18px; }
.muted, .more { color: var(--muted); font-size: 13px; }
.headings { color: var(--muted); font-size: 13px; margin: 0 0 12px; }
.sources { font-size: 12px; margin-left: 6px; }
.sources a { display: inline-block; padding: 0 6px; margin: 1px 2px 1px 0; border: 1px solid var(--line);
  border-radius: 9px; background: var(--soft); }
table { border-collapse: collapse; width: 100%; font-size: 13px; margin: 4px 0 10px; }
th { text-align: left; font-weight: 600; color: var(--muted); border-bottom: 1px solid var(--line);
  padding: 6px 10px 6px 0; vertical-align: bottom; }
td { border-bottom: 1px solid var(--line); padding: 6px 10px 6px 0; vertical-align: top; overflow-wrap: break-word;
  unicode-bidi: isolate; }
table.facts { width: auto; } table.facts td { border: 0; padding: 2px 20px 2px 0; }
table.facts td:first-child { color: var(--muted); white-space: nowrap; }
.wide { overflow-x: auto; }
ul { padding-left: 20px; margin: 6px 0; } li { margin: 4px 0; unicode-bidi: isolate; }
.gaps { background: var(--gap-paper); border-left: 3px solid var(--gap); padding: 8px 14px; margin: 14px 0;
  border-radius: 0 6px 6px 0; }
.gaps p { color: var(--gap); font-weight: 600; margin: 0; }
.contents { columns: 2; column-gap: 40px; padding-left: 22px; } code { font-size: 12px; }
code.whole, .path { overflow-wrap: anywhere; }
@media print { :root { --ink: #111; --muted: #555; --line: #ccc; --paper: #fff; --soft: #fff; --accent: #1f5fbf;
  --gap: #7a5000; --gap-paper: #fff7e6; } body { padding: 0; max-width: none; font-size: 10.5pt; }
  h2, h3, .headings { break-after: avoid; } tr, li, .gaps { break-inside: avoid; }
  thead { display: table-header-group; } }
@page { size: A4; margin: 18mm 16mm; }
"""
_PRINT_CSS = """
body { font-family: sans-serif; font-size: 9pt; color: #1c2430; }
h1 { font-size: 20pt; margin-bottom: 2px; } h2 { font-size: 14pt; margin-top: 22px; margin-bottom: 2px; }
h3 { font-size: 10pt; margin-top: 12px; margin-bottom: 4px; } p { margin-top: 3px; margin-bottom: 3px; }
a { color: #1f5fbf; text-decoration: none; } .lead { color: #5b6675; font-size: 11pt; }
.muted { color: #5b6675; font-size: 8pt; } h6 { color: #5b6675; font-size: 8pt; font-weight: normal; margin-top: 0; margin-bottom: 4px; }
.headings { color: #5b6675; font-size: 8pt; }
.sources { font-size: 7pt; } .more { color: #5b6675; font-size: 8pt; }
th { color: #5b6675; font-size: 7.5pt; border-bottom: 1px solid #9aa5b4; }
td { font-size: 7.5pt; border-bottom: 1px solid #e3e7ed; } td.plain { border-bottom: none; } code { font-size: 7pt; }
"""


@dataclass(frozen=True)
class Medium:
    """Where a report is read, and what the program that shows it understands."""

    css: str
    table: str  # attributes of a table of rows
    facts: str  # of the table at the beginning
    gaps: tuple[str, str]  # what stands around gaps
    has_whole_hashes: bool  # whether there is room for them in the list of sources
    below_title: str  # the element of the line below a title: what is printed keeps headings with their text


SCREEN = Medium(_SCREEN_CSS, 'class="rows"', 'class="facts"', ('<div class="gaps">', "</div>"), True, "p")
# Qt knows no borders and no padding of blocks: tables with attributes do the same.
PRINT = Medium(
    _PRINT_CSS,
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
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text_of(title_of(report))}</title><style>{medium.css}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def title_of(report: Report) -> str:
    """Return what a report is called."""
    about = "everything" if report.subject == EVERYTHING else report.subject.replace("@", " version ")
    return f"Evidence report: {about}"


def text_of(text: str) -> str:
    """Return a text of others for HTML: escaped, with a name for each sign that is not seen or turns the line."""
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
    facts = (
        ("Period", f"{report.period}: {period.sentence()}" if report.since_ms or report.until_ms else period.sentence()),
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
        '<p class="lead">What was in use, how it was measured, what happened and who looked at it. Made by Ragdeck '
        f"from what its data folder holds.</p><table {medium.facts}>{rows}</table>"
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
        shown_as = f'<div class="wide"><table {medium.table}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
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
        '<h2><a name="sources" id="sources"></a>Sources</h2><p class="headings">The stored rows that statements '
        "name. The window finds them by these names with Ctrl+K; the JSON file has all fingerprints in full.</p>"
        f'<div class="wide"><table {medium.table}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )
