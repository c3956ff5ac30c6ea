"""PDFs of one page, written by hand."""


def one_page(stream: bytes, annotations: bytes = b"", more: tuple[bytes, ...] = (), catalogue: bytes = b"",
             font: bytes = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>") -> bytes:  # fmt: skip
    """A PDF of one page, written by hand; `more` are its objects from number 6 on."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalogue,
        b"<< /Type /Pages /Count 1 /Kids [4 0 R] >>",
        font,
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Annots [%s] "
        b"/Resources << /Font << /F1 3 0 R >> >> >>" % annotations,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        *more,
    ]
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def lines(*written: str) -> bytes:
    """A page's content with these lines; a hyphen at the end of one divides a word."""
    shown = b" T* ".join(b"(%s) Tj" % line.encode("cp1252") for line in written)
    return b"BT /F1 11 Tf 60 770 Td 14 TL %s ET" % shown


def fields(*widgets: bytes, page: bytes = b"") -> bytes:
    numbers = b" ".join(b"%d 0 R" % (6 + number) for number in range(len(widgets)))
    form = b"/AcroForm << /Fields [%s] >>" % numbers
    return one_page(page, numbers, tuple(widgets), form)


def with_files(**files: bytes) -> bytes:
    """A PDF with attachments, by their names with _ for the full stop, and a page that is blank."""
    more, names = [], []
    for name, data in files.items():
        shown = name.replace("_", ".").encode()
        more += [
            b"<< /Type /EmbeddedFile /Length %d >>\nstream\n%s\nendstream" % (len(data), data),
            b"<< /Type /Filespec /F (%s) /UF (%s) /EF << /F %d 0 R >> >>" % (shown, shown, 6 + len(more)),
        ]
        names.append(b"(%s) %d 0 R" % (shown, 5 + len(more)))
    tree = b"/Names << /EmbeddedFiles << /Names [%s] >> >>" % b" ".join(names)
    return one_page(b"", more=tuple(more), catalogue=tree)
