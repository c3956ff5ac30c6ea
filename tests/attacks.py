"""Attacks on the reader: bombs, damaged documents and damaged model files, made from seeds.

Run by hand:

    python -m tests.attacks [--bombs 100] [--documents 500] [--models 80] [--seed 1] [--only NAME]

An attack is held when it ends in a document or in one sentence within 60 s, the process that reads it stays under
1.5 GB, and the good files of its batch are saved. tests/test_attacks.py runs a short fixed part.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from fakes import FakeEmbedder, ScriptedModel, drive, tiny_gguf  # noqa: E402
from sample_files import SAMPLES, xlsx  # noqa: E402

from rag.errors import DocumentError, ModelError  # noqa: E402
from rag.knowledge.ingest import ingest_files  # noqa: E402
from rag.knowledge.rows import FileStatus  # noqa: E402
from rag.models.gguf import read_header  # noqa: E402
from rag.parsing.worker import Limits, Reader  # noqa: E402
from rag.workspace import Workspace  # noqa: E402

MOST_S = 60
MOST_BYTES = 1_500_000_000
Made = tuple[str, bytes]  # (suffix, content)


@dataclass(frozen=True)
class Outcome:
    """What became of one attack."""

    name: str
    held: bool
    said: str
    seconds: float
    peak_bytes: int = 0


# --- bombs ------------------------------------------------------------------------------------------------


def archive(parts: dict[str, bytes | str]) -> bytes:
    """Return a zip file with these parts, compressed as far as it goes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return buffer.getvalue()


def changed(content: bytes, part: str, change: Callable[[bytes], bytes], name: str = "") -> bytes:
    """Return a zip file in which a part is changed, and perhaps called otherwise."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        parts = {info.filename: old.read(info) for info in old.infolist()}
    parts[name or part] = change(parts.pop(part))
    return archive(parts)


def far_cell(scale: int, attribute: str = ' r="{}"') -> Made:
    cells = xlsx(("A1", "near"), (f"XFD{min(1_000_000 * scale, 1_048_576)}", "far"))
    sheet = "xl/worksheets/sheet1.xml"
    return "xlsx", changed(cells, sheet, lambda xml: re.sub(rb' r="([A-Z]+\d+)"', lambda m: attribute.format(m[1].decode()).encode(), xml))  # fmt: skip


def far_cell_elsewhere(scale: int) -> Made:
    cells = far_cell(scale)[1]
    cells = changed(
        cells, "xl/_rels/workbook.xml.rels", lambda xml: xml.replace(b"worksheets/sheet1", b"tables/one")
    )
    return "xlsx", changed(cells, "xl/worksheets/sheet1.xml", bytes, "xl/tables/one.xml")


def shared_strings(scale: int) -> Made:
    strings = "<sst><si><t>" + "x" * (160_000_000 * scale) + "</t></si></sst>"
    return "xlsx", archive({**_parts(xlsx(("A1", "a"))), "xl/sharedStrings.xml": strings})


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        return {info.filename: old.read(info) for info in old.infolist()}


def csv_heading(scale: int) -> Made:
    rows = "\n".join(f"a{number},b" for number in range(5000 * scale))
    return "csv", ("h" * 1_000_000 + ",other\n" + rows).encode()


def json_key(scale: int) -> Made:
    inner = ",".join(f'"a{number}":{number}' for number in range(5000 * scale))
    return "json", ('{"' + "k" * 1_000_000 + '":{' + inner + "}}").encode()


def json_nested(scale: int) -> Made:
    return "json", b"[" * (200_000 * scale) + b"]" * (200_000 * scale)


def epub(scale: int) -> Made:
    spine = '<itemref idref="c"/>' * (20_000 * scale)
    chapter = (
        "<html><body>" + "<p>The same words again and again in this chapter.</p>" * 200 + "</body></html>"
    )
    return "epub", archive({
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="o.opf"/></rootfiles></container>',
        "o.opf": f'<package><manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest><spine>{spine}</spine></package>',
        "c.xhtml": chapter,
    })  # fmt: skip


def docx(body: str) -> bytes:
    import docx as library

    made = io.BytesIO()
    library.Document().save(made)
    return changed(
        made.getvalue(),
        "word/document.xml",
        lambda xml: xml.replace(b"<w:sectPr", body.encode() + b"<w:sectPr", 1),
    )


def grid_span(scale: int) -> Made:
    cell = f'<w:tc><w:tcPr><w:gridSpan w:val="{200_000_000 * scale}"/></w:tcPr><w:p><w:r><w:t>wide</w:t></w:r></w:p></w:tc>'
    return "docx", docx(f"<w:tbl><w:tr>{cell}</w:tr></w:tbl>")


def docx_large(scale: int) -> Made:
    return "docx", docx("<w:p><w:r><w:t>x</w:t></w:r></w:p>" * (3_000_000 * scale))


def docx_nested(scale: int) -> Made:
    depth = 3_000 * scale
    return "docx", docx("<w:tbl><w:tr><w:tc>" * depth + "<w:p/>" + "</w:tc></w:tr></w:tbl>" * depth)


def pptx_points(scale: int) -> Made:
    from pptx import Presentation
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    deck, data = Presentation(), CategoryChartData()
    data.categories = ["a", "b"]
    data.add_series("s", (1, 2))
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(1), Inches(3), Inches(3), data)
    made = io.BytesIO()
    deck.save(made)
    part = next(name for name in _parts(made.getvalue()) if re.match(r"ppt/charts/chart\d*\.xml", name))
    count = f'ptCount val="{300_000_000 * scale}"'.encode()
    return "pptx", changed(made.getvalue(), part, lambda xml: re.sub(rb'ptCount val="\d+"', count, xml))


def html_nested(scale: int) -> Made:
    return "html", b"<div>" * (100_000 * scale) + b"words" + b"</div>" * (100_000 * scale)


def html_attributes(scale: int) -> Made:
    return "html", b"<p " + b" ".join(b"a%d=1" % number for number in range(250_000 * scale)) + b">words</p>"


def html_formatting(scale: int) -> Made:
    return "html", b"<p>" + b"<b><i><a href=x>" * (30_000 * scale) + b"words</p>" * 1000


def xml_items(scale: int) -> Made:
    return "rss", b"<rss><channel>" + b"<item><title>t</title>" * (15_000 * scale) + b"</channel></rss>"


def xml_entities(scale: int) -> Made:
    entities = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9 + scale))
    return "xml", f'<!DOCTYPE x [<!ENTITY a0 "lol">{entities}]><x>&a{9 + scale};</x>'.encode()


def mail_recipients(scale: int) -> Made:
    people = ",\r\n ".join(f"Person {number} <p{number}@example.org>" for number in range(20_000 * scale))
    return "eml", f"From: a@example.org\r\nTo: {people}\r\nSubject: hello\r\n\r\nwords\r\n".encode()


def mail_subject(scale: int) -> Made:
    words = "\r\n ".join("=?utf-8?q?=C3=A4=C3=B6?=" for _ in range(12_000 * scale))
    return "eml", f"From: a@example.org\r\nSubject: {words}\r\n\r\nwords\r\n".encode()


def mail_nested(scale: int) -> Made:
    head = "".join(
        f'Content-Type: multipart/mixed; boundary="{n}"\r\n\r\n--{n}\r\n' for n in range(500 * scale)
    )
    return "eml", f"From: a@example.org\r\nMIME-Version: 1.0\r\n{head}\r\nwords".encode()


def pdf(objects: Sequence[tuple[str, bytes | None]]) -> bytes:
    """Return a PDF with these objects, numbered from 1: a dictionary and a stream, if it has one."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, (dictionary, stream) in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode()
        if stream is None:
            out += dictionary.encode()
        else:
            out += (
                dictionary.replace(">>", f" /Length {len(stream)} >>").encode()
                + b"\nstream\n"
                + stream
                + b"\nendstream"
            )
        out += b"\nendobj\n"
    xref = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    return bytes(
        out + f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n".encode()
    )


def _pdf_page(content: bytes, forms: Sequence[tuple[str, bytes | None]] = (), packed: bool = False) -> bytes:
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    resources = f"<< /Font << /F 5 0 R >> /XObject << {'/X0 6 0 R' if forms else ''} >> >>"
    return pdf([
        ("<< /Type /Catalog /Pages 2 0 R >>", None),
        ("<< /Type /Pages /Kids [3 0 R] /Count 1 >>", None),
        (f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources {resources} >>", None),
        ("<< /Filter /FlateDecode >>" if packed else "<< >>", content),
        (font, None),
        *forms,
    ])  # fmt: skip


def pdf_forms(scale: int) -> Made:
    levels = 7 + scale
    forms: list[tuple[str, bytes | None]] = []
    for level in range(levels):
        inner = f"/X0 {7 + level} 0 R" if level < levels - 1 else ""
        content = b"/X0 Do " * 10 if level < levels - 1 else b"BT /F 8 Tf 10 10 Td (fan) Tj ET "
        forms.append(
            (
                f"<< /Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /Font << /F 5 0 R >> /XObject << {inner} >> >> >>",
                content,
            )
        )
    return "pdf", _pdf_page(b"/X0 Do", forms)


def pdf_stream(scale: int) -> Made:
    return "pdf", _pdf_page(
        zlib.compress(b"BT /F 8 Tf 10 10 Td (words) Tj ET\n" * (5_000_000 * scale), 9), packed=True
    )


def pdf_zeros(scale: int) -> Made:
    once = zlib.compressobj(9)
    packed = b"".join(once.compress(bytes(1 << 24)) for _ in range(32 * scale)) + once.flush()
    return "pdf", _pdf_page(packed, packed=True)


def text_line(scale: int) -> Made:
    return "txt", b"QmFzZTY0" * (100_000 * scale)


def markdown_nested(scale: int) -> Made:
    return "md", b">" * (20_000 * scale) + b" quote\n\n" + b"[" * (20_000 * scale) + b"](x)"


def notebook(scale: int) -> Made:
    cell = {
        "cell_type": "code",
        "source": "x",
        "outputs": [{"output_type": "stream", "text": "y" * 1_000_000}] * (5 * scale),
    }
    return "ipynb", json.dumps({"cells": [cell], "nbformat": 4, "metadata": {}}).encode()


def zip_in_name(scale: int) -> Made:
    parts = {f"word/{'x' * 200}{number}.xml": "" for number in range(20_000 * scale)}
    return "docx", archive({**_parts(docx("<w:p/>")), **parts})


BOMBS: dict[str, Callable[[int], Made]] = {
    "xlsx far cell": far_cell,
    "xlsx far cell, tab": lambda scale: far_cell(scale, '\tr="{}"'),
    "xlsx far cell, single quotes": lambda scale: far_cell(scale, " r='{}'"),
    "xlsx far cell, sheet elsewhere": far_cell_elsewhere,
    "xlsx shared strings": shared_strings,
    "csv heading of 1 MB": csv_heading,
    "json key of 1 MB": json_key,
    "json nested": json_nested,
    "epub chapter 20,000 times": epub,
    "docx gridSpan": grid_span,
    "docx that unpacks to much": docx_large,
    "docx nested tables": docx_nested,
    "docx of many parts": zip_in_name,
    "pptx ptCount": pptx_points,
    "html nested": html_nested,
    "html attributes": html_attributes,
    "html formatting": html_formatting,
    "xml items": xml_items,
    "xml entities": xml_entities,
    "mail recipients": mail_recipients,
    "mail subject": mail_subject,
    "mail nested": mail_nested,
    "pdf forms": pdf_forms,
    "pdf content stream": pdf_stream,
    "pdf of zeros": pdf_zeros,
    "text in one line": text_line,
    "markdown nested": markdown_nested,
    "notebook outputs": notebook,
}


def bombs(folder: Path, count: int, chosen: str = "") -> Iterator[tuple[str, Path]]:
    """Write bombs one by one, every kind at growing sizes; yield (name, path)."""
    kinds = {name: make for name, make in BOMBS.items() if chosen in name}
    for number in range(count):
        scale, (name, make) = number // len(kinds) + 1, list(kinds.items())[number % len(kinds)]
        suffix, content = make(scale)
        path = folder / f"bomb-{number}.{suffix}"
        path.write_bytes(content)
        yield f"{name}, size {scale}", path


# --- damage -----------------------------------------------------------------------------------------------


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Return a content with a few bytes, or a whole stretch, changed, doubled, moved or cut."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        if not data:
            break
        begin = chance.randrange(len(data))
        end = min(len(data), begin + chance.choice((1, 1, 4, 64, 1024)))
        kind = chance.choice(("flip", "flip", "zero", "noise", "cut", "double", "end"))
        if kind == "flip":
            data[begin] ^= 1 << chance.randrange(8)
        elif kind == "zero":
            data[begin:end] = bytes(end - begin)
        elif kind == "noise":
            data[begin:end] = chance.randbytes(end - begin)
        elif kind == "cut":
            del data[begin:end]
        elif kind == "double":
            data[begin:begin] = data[begin:end]
        else:
            del data[begin:]
    return bytes(data)


def damaged_documents(folder: Path, count: int, chance: random.Random) -> Iterator[tuple[str, Path]]:
    """Write damaged copies of the samples, one by one; yield (name, path)."""
    samples = sorted(
        path
        for path in SAMPLES.iterdir()
        if path.suffix in (".pdf", ".docx", ".xlsx", ".md", ".txt", ".html", ".csv")
    )
    others = {
        "epub": epub(1)[1],
        "eml": mail_recipients(1)[1][:4000],
        "pptx": pptx_points(1)[1],
        "docx": docx("<w:p/>"),
        "xlsx": xlsx(("A1", "a"), ("B2", 3)),
    }
    sources = [(path.suffix[1:], path.read_bytes()) for path in samples] + list(others.items())
    for number in range(count):
        suffix, content = sources[number % len(sources)]
        path = folder / f"damaged-{number}.{suffix}"
        path.write_bytes(mutated(content, chance))
        yield f"damaged {suffix} {number}", path


def attack_models(count: int, chance: random.Random, folder: Path) -> list[Outcome]:
    """Look at damaged model files, as the list of models does."""
    outcomes = []
    for number in range(count):
        path = folder / f"model-{number}.gguf"
        path.write_bytes(mutated(tiny_gguf(), chance))
        began = time.monotonic()
        try:
            read_header(path)
            said, held = "looked at", True
        except ModelError as error:
            said, held = str(error), is_sentence(str(error))
        except Exception as error:
            said, held = repr(error), False
        seconds = time.monotonic() - began
        outcomes.append(Outcome(f"damaged model {number}", held and seconds < MOST_S, said, seconds))
        path.unlink()
    return outcomes


# --- attacking --------------------------------------------------------------------------------------------


def is_sentence(text: str) -> bool:
    """Return whether a text is something to say to a person, and no traceback."""
    return text.endswith((".", "”")) and "\n" not in text and "Traceback" not in text and len(text) < 500


class Watched(Reader):
    """A reader that knows how much memory its process had at the most."""

    peak_bytes = 0

    def _answer(self, size: int):  # type: ignore[no-untyped-def]
        answering = super()._answer(size)
        while True:
            self.look()
            try:
                next(answering)
            except StopIteration as end:
                self.look()
                return end.value
            yield

    def look(self) -> None:
        try:
            status = Path(f"/proc/{self.process_id}/status").read_text("ascii")
        except OSError:
            return
        if found := re.search(r"VmHWM:\s+(\d+) kB", status):
            self.peak_bytes = max(self.peak_bytes, int(found[1]) * 1024)


def attack(name: str, path: Path, reader: Watched) -> Outcome:
    """Let a file be read, and judge how that ended."""
    reader.peak_bytes, began = 0, time.monotonic()
    try:
        document = drive(reader.read(path))
        said, held = f"read, {len(document.text):,} characters", True
    except DocumentError as error:
        said, held = str(error), is_sentence(str(error))
    except Exception as error:
        said, held = repr(error), False
    seconds = time.monotonic() - began
    held = held and seconds < MOST_S and reader.peak_bytes < MOST_BYTES
    return Outcome(name, held, said, seconds, reader.peak_bytes)


def attack_batch(paths: Sequence[Path], folder: Path, limits: Limits) -> Outcome:
    """Add bombs between good files, twice as a followed folder does; hold that the good ones are saved."""
    good = [folder / f"good-{number}.txt" for number in range(len(paths) + 1)]
    for number, path in enumerate(good):
        path.write_text(f"This is the good file number {number}, and nothing is wrong with it.", "utf-8")
    batch = [path for pair in zip(good, [*paths, good[-1]], strict=True) for path in pair]
    began = time.monotonic()
    data = folder / "data"
    data.mkdir()
    with Workspace(
        data, "attacks", embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=Watched(limits)
    ) as workspace:
        report = drive(ingest_files(workspace, "A", batch, following=folder))
        good[0].write_text("This good file has changed in the meantime.", "utf-8")
        middle = time.monotonic()
        again = drive(ingest_files(workspace, "A", batch, following=folder))
    second_s = time.monotonic() - middle
    done = {Path(o.path).name for o in report.outcomes if o.outcome == FileStatus.ADDED}
    failed = [o for o in report.outcomes if o.outcome == FileStatus.FAILED]
    held = {path.name for path in good} <= done and all(is_sentence(o.detail) for o in failed)
    stopped = sum("stopped the reader" in o.detail for o in failed)
    repeated = sum("stopped the reader before" in o.detail for o in again.outcomes)
    held = held and stopped == repeated and again.count(FileStatus.REPLACED) == 1
    said = f"{len(good)} good files saved, {len(failed)} of {len(paths)} bombs failed, {stopped} not tried again; second time {second_s:.1f} s"
    return Outcome("a batch with bombs", held, said, time.monotonic() - began)


def tell(outcome: Outcome) -> Outcome:
    """Print a line about an outcome, and return it."""
    mark = "held" if outcome.held else "NOT HELD"
    peak = f"{outcome.peak_bytes / 1e6:6,.0f} MB" if outcome.peak_bytes else " " * 9
    print(f"{mark:8}  {outcome.seconds:5.1f} s  {peak}  {outcome.name}: {outcome.said[:160]}", flush=True)
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    for name, count in (("bombs", 100), ("documents", 500), ("models", 80), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--only", default="", help="words in the names of the bombs")
    given = parser.parse_args()
    chance, reader, results = random.Random(given.seed), Watched(), {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        outcomes, stoppers = [], []
        for name, path in bombs(folder, given.bombs, given.only):
            outcomes.append(tell(attack(name, path, reader)))
            if "stopped" in outcomes[-1].said and outcomes[-1].seconds < 15 and len(stoppers) < 5:
                stoppers.append(path)
            else:
                path.unlink()
        results["bombs"] = outcomes
        results["documents"] = [
            tell(found) if not (found := attack(name, path, reader)).held else found
            for name, path in damaged_documents(folder, given.documents, chance)
        ]
        results["models"] = [
            tell(o) if not o.held else o for o in attack_models(given.models, chance, folder)
        ]
        reader.close()
        if stoppers:
            (folder / "batch").mkdir()
            moved = [path.rename(folder / "batch" / path.name) for path in stoppers]
            results["batches"] = [tell(attack_batch(moved, folder / "batch", Limits()))]
    for kind, outcomes in results.items():
        print(f"{kind}: {len(outcomes)} tried, {sum(o.held for o in outcomes)} held")
    return 0 if all(o.held for outcomes in results.values() for o in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
