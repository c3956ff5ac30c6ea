"""Files that tests of parsers write, and what must be true of every parsed document."""

import io
import sys
import zipfile
from pathlib import Path

from rag.parsing.rows import ParsedDocument

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "resources" / "samples"
MANUAL = SAMPLES / "aurora-3-manual.pdf"

sys.path.insert(0, str(SAMPLES))
from make_samples import pdf as make_pdf  # noqa: E402

__all__ = ["MANUAL", "ROOT", "SAMPLES", "check", "make_pdf", "write", "xlsx"]


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def check(document: ParsedDocument) -> ParsedDocument:
    """Places are in order, apart, inside the text, and nothing but white space is between them."""
    position = 0
    for place in document.places:
        assert position <= place.start < place.end <= len(document.text)
        assert document.text[position : place.start].strip() == ""
        assert document.text[place.start : place.end].strip()
        position = place.end
    if document.places:
        assert document.text[position:].strip() == ""
    return document


def xlsx(*cells: tuple[str, str | int]) -> bytes:
    """A workbook of one sheet, with inline texts and numbers, written by hand."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    rows: dict[str, str] = {}
    for place, value in cells:
        inner = f"<v>{value}</v>" if isinstance(value, int) else f"<is><t>{value}</t></is>"
        attribute = "" if isinstance(value, int) else ' t="inlineStr"'
        number = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        rows[number] = rows.get(number, "") + f'<c r="{place}"{attribute}>{inner}</c>'
    sheet = "".join(f'<row r="{number}">{inner}</row>' for number, inner in rows.items())
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="{kind}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relation}"><sheets><sheet name="Prices" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{relation}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()
