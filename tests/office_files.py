"""Office files that tests write by hand, part by part, so that they hold what no library writes."""

import zipfile
from pathlib import Path

SCHEMAS = "http://schemas.openxmlformats.org"
RELATION = f"{SCHEMAS}/officeDocument/2006/relationships"
_NAMES = {
    "w": f"{SCHEMAS}/wordprocessingml/2006/main",
    "p": f"{SCHEMAS}/presentationml/2006/main",
    "a": f"{SCHEMAS}/drawingml/2006/main",
    "c": f"{SCHEMAS}/drawingml/2006/chart",
    "dgm": f"{SCHEMAS}/drawingml/2006/diagram",
    "m": f"{SCHEMAS}/officeDocument/2006/math",
    "r": RELATION,
    "wp": f"{SCHEMAS}/drawingml/2006/wordprocessingDrawing",
    "pic": f"{SCHEMAS}/drawingml/2006/picture",
    "mc": f"{SCHEMAS}/markup-compatibility/2006",
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "cx": "http://schemas.microsoft.com/office/drawing/2014/chartex",
    "xdr": f"{SCHEMAS}/drawingml/2006/spreadsheetDrawing",
    "s": f"{SCHEMAS}/spreadsheetml/2006/main",
}
NAMES = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _NAMES.items())
STRICT = "http://purl.oclc.org/ooxml"


def package(path: Path, parts: dict[str, str | bytes]) -> Path:
    """Write an Open XML package; a part is its inside, with its root, without declarations of namespaces."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content if isinstance(content, bytes) else named(content))
    return path


def named(xml: str) -> str:
    """Add the declarations of all namespaces to the root of some XML."""
    end = min(place for sign in " />" if (place := xml.find(sign, 1)) > 0)
    return f"{xml[:end]} {NAMES}{xml[end:]}"


def relations(targets: dict[str, tuple[str, str]]) -> str:
    """Return a part with relations: by id, the kind and the target."""
    inner = "".join(
        f'<Relationship Id="{key}" Type="{RELATION}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{SCHEMAS}/package/2006/relationships">{inner}</Relationships>'


def docx(path: Path, body: str, parts: dict[str, str | bytes] | None = None) -> Path:
    """Write a Word document.

    Args:
        path: Where to.
        body: What is inside w:body.
        parts: More parts by kind, such as "footnotes"; each is referred to by its kind as an id.
    """
    parts = parts or {}
    return package(
        path,
        {
            "_rels/.rels": relations({"r1": ("officeDocument", "word/document.xml")}),
            "word/document.xml": f"<w:document><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": relations(
                {kind: (kind.rstrip("0123456789"), f"{kind}.xml") for kind in parts}
            ),
            **{f"word/{kind}.xml": content for kind, content in parts.items()},
        },
    )


def paragraph(words: str, properties: str = "") -> str:
    """Return a paragraph of Word with one run."""
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space='preserve'>{words}</w:t></w:r></w:p>"


def table(*rows: list[str], properties: str = "") -> str:
    """Return a table of Word; a cell is its text."""
    inner = "".join(
        f"<w:tr>{''.join(f'<w:tc>{paragraph(cell)}</w:tc>' for cell in row)}</w:tr>" for row in rows
    )
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr>{inner}</w:tbl>"


def pptx(
    path: Path,
    *slides: str,
    parts: dict[str, str | bytes] | None = None,
    links: dict[str, tuple[str, str]] | None = None,
    show: str = "1",
) -> Path:
    """Write a presentation.

    Args:
        path: Where to.
        slides: What is inside p:spTree of each slide.
        parts: More parts by name.
        links: What each slide refers to, by id: the kind and the target.
        show: Whether the last slide is shown.
    """
    ids = "".join(f'<p:sldId id="{n}" r:id="s{n}"/>' for n in range(len(slides)))
    made: dict[str, str | bytes] = {
        "_rels/.rels": relations({"r1": ("officeDocument", "ppt/presentation.xml")}),
        "ppt/presentation.xml": f"<p:presentation><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(
            {f"s{n}": ("slide", f"slides/slide{n}.xml") for n in range(len(slides))}
            | {"authors": ("commentAuthors", "authors.xml")}
        ),
    }
    for n, slide in enumerate(slides):
        shown = show if n == len(slides) - 1 else "1"
        made[f"ppt/slides/slide{n}.xml"] = (
            f'<p:sld show="{shown}"><p:cSld><p:spTree>{slide}</p:spTree></p:cSld></p:sld>'
        )
        made[f"ppt/slides/_rels/slide{n}.xml.rels"] = relations(links or {})
    return package(path, made | (parts or {}))


def shape(*paragraphs: str, holder: str = "") -> str:
    """Return a shape of a slide; a paragraph is its text, or XML that begins with `<a:p>`."""
    inner = "".join(
        p if p.startswith("<a:p>") else f"<a:p><a:r><a:t>{p}</a:t></a:r></a:p>" for p in paragraphs
    )
    return f"<p:sp><p:nvSpPr><p:nvPr>{holder}</p:nvPr></p:nvSpPr><p:txBody>{inner}</p:txBody></p:sp>"


def frame(inner: str) -> str:
    """Return the frame of a chart, a table or SmartArt on a slide."""
    return f"<p:graphicFrame><a:graphic><a:graphicData>{inner}</a:graphicData></a:graphic></p:graphicFrame>"


def chart(kind: str = "bar3DChart", values: tuple[str, ...] = ("120", "#N/A"), code: str = "General") -> str:
    """Return a chart with one series "Units" over North and South."""
    points = "".join(f'<c:pt idx="{n}"><c:v>{value}</c:v></c:pt>' for n, value in enumerate(values))
    return (
        f"<c:chartSpace><c:chart><c:plotArea><c:{kind}><c:ser>"
        "<c:tx><c:strRef><c:strCache><c:pt idx='0'><c:v>Units</c:v></c:pt></c:strCache></c:strRef></c:tx>"
        "<c:cat><c:strRef><c:strCache><c:ptCount val='300000000'/><c:pt idx='0'><c:v>North</c:v></c:pt>"
        "<c:pt idx='1'><c:v>South</c:v></c:pt></c:strCache></c:strRef></c:cat>"
        f"<c:val><c:numRef><c:numCache><c:formatCode>{code}</c:formatCode><c:ptCount val='300000000'/>{points}"
        f"</c:numCache></c:numRef></c:val></c:ser></c:{kind}></c:plotArea></c:chart></c:chartSpace>"
    )


def xlsx(
    path: Path,
    sheet: str,
    parts: dict[str, str | bytes] | None = None,
    *,
    part: str = "worksheets/sheet1.xml",
    state: str = "visible",
    links: dict[str, tuple[str, str]] | None = None,
) -> Path:
    """Write a workbook of one sheet called Data.

    Args:
        path: Where to.
        sheet: What is inside the worksheet; the prefix s belongs to its elements.
        parts: More parts by name; "xl/styles.xml" and "xl/sharedStrings.xml" are referred to.
        part: Where the sheet's part lies below xl/.
        state: Whether the sheet is hidden.
        links: What the sheet refers to, by id: the kind and the target.
    """
    folder, _, name = part.rpartition("/")
    return package(
        path,
        {
            "_rels/.rels": relations({"r1": ("officeDocument", "xl/workbook.xml")}),
            "xl/workbook.xml": f'<s:workbook><s:sheets><s:sheet name="Data" sheetId="1" state="{state}" r:id="r1"/></s:sheets></s:workbook>',
            "xl/_rels/workbook.xml.rels": relations(
                {
                    "r1": ("worksheet", part),
                    "r2": ("styles", "styles.xml"),
                    "r3": ("sharedStrings", "sharedStrings.xml"),
                    "r4": ("person", "persons/person.xml"),
                }
            ),
            f"xl/{part}": f"<s:worksheet>{sheet}</s:worksheet>",
            f"xl/{folder}/_rels/{name}.rels": relations(links or {}),
            "xl/styles.xml": "<s:styleSheet/>",
            "xl/sharedStrings.xml": "<s:sst/>",
            **(parts or {}),
        },
    )
