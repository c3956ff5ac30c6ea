"""Reads what a PDF has besides the text of its pages: form values, comments, and files inside it.

Everything here is called under the lock of rag.parsing.pdf.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

from rag.parsing.account import Account
from rag.parsing.rows import EmbeddedFile

_HIDDEN = 1 << 1  # the annotation flag
_SAMPLES = 200  # letters of a page that are looked at


class PageExtras:
    """The form values and comments of a PDF, page by page.

    It must be made before the first page is opened: pdfium loads forms with the pages.
    """

    def __init__(self, document: Any, account: Account) -> None:
        from pypdfium2 import raw

        document.init_forms()
        self._document, self._account = document, account
        self._pinned: list[EmbeddedFile] = []
        self.has_form = document.get_formtype() != raw.FORMTYPE_NONE
        if document.get_formtype() == raw.FORMTYPE_XFA_FULL:
            account.leave_out(
                "form", "its XFA format is shown by Adobe's programs alone; print it to a PDF there"
            )

    def files(self) -> tuple[EmbeddedFile, ...]:
        """Return the attachments, the parts of a portfolio, and what is pinned to the pages read so far."""
        attached = map(self._document.get_attachment, range(self._document.count_attachments()))
        return (*map(_embedded, attached), *self._pinned)

    def lines(self, page: Any) -> Iterator[str]:
        """Yield a line for each filled field and each comment of a page."""
        import pypdfium2
        from pypdfium2 import raw

        for index in range(raw.FPDFPage_GetAnnotCount(page)):
            annotation = raw.FPDFPage_GetAnnot(page, index)
            if not annotation:
                continue
            try:
                if pinned := raw.FPDFAnnot_GetFileAttachment(annotation):
                    self._pinned.append(_embedded(pypdfium2.PdfAttachment(pinned, self._document)))
                is_field = raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_WIDGET
                line = self._field_line(annotation) if is_field else _comment_line(annotation)
                if not line:
                    continue
                kind = "form field" if is_field else "comment"
                if raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
                    self._account.leave_out(kind, "hidden", name=line.partition(":")[0])
                else:
                    self._account.read(kind)
                    yield line
            finally:
                raw.FPDFPage_CloseAnnot(annotation)

    def _field_line(self, annotation: Any) -> str:
        """Return `name: value` of a form field, "" for a button and for what is not filled in."""
        from pypdfium2 import raw

        form = self._document.formenv
        if form is None:
            return ""
        kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
        name = _text(raw.FPDFAnnot_GetFormFieldAlternateName, form, annotation) or _text(
            raw.FPDFAnnot_GetFormFieldName, form, annotation
        )
        if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
            value = _text(raw.FPDFAnnot_GetFormFieldExportValue, form, annotation) or "yes"
            is_on = raw.FPDFAnnot_IsChecked(form, annotation)
            value = value if is_on else "no" if kind == raw.FPDF_FORMFIELD_CHECKBOX else ""
        elif kind == raw.FPDF_FORMFIELD_SIGNATURE:
            value = "signed" if raw.FPDFAnnot_HasKey(annotation, b"V") else ""
        elif kind == raw.FPDF_FORMFIELD_PUSHBUTTON:
            value = ""
        else:
            chosen = (
                _text(raw.FPDFAnnot_GetOptionLabel, form, annotation, index)
                for index in range(max(raw.FPDFAnnot_GetOptionCount(form, annotation), 0))
                if raw.FPDFAnnot_IsOptionSelected(form, annotation, index)
            )
            value = ", ".join(filter(None, chosen))
            value = value or _text(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
        return f"{name or 'field'}: {value}" if value else ""


def _comment_line(annotation: Any) -> str:
    """Return what a comment says and who says it, "" for links and for marks without words."""
    from pypdfium2 import raw

    kind = raw.FPDFAnnot_GetSubtype(annotation)
    if kind in (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP):
        return ""
    words = _text(raw.FPDFAnnot_GetStringValue, annotation, b"Contents")
    author = _text(raw.FPDFAnnot_GetStringValue, annotation, b"T")
    what = {raw.FPDF_ANNOT_FREETEXT: "Text box", raw.FPDF_ANNOT_STAMP: "Stamp"}.get(kind, "Comment")
    return f"{what}{f' by {author}' if author else ''}: {words}" if words else ""


def _text(function: Callable[..., int], *given: Any) -> str:
    """Return the UTF-16 text that a function of pdfium writes, in one line."""
    size = function(*given, None, 0)
    if size <= 2:
        return ""
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    function(*given, buffer, size)
    return " ".join(bytes(buffer).decode("utf-16-le", "replace").replace("\0", "").split())


def _embedded(attachment: Any) -> EmbeddedFile:
    import pypdfium2

    try:
        return EmbeddedFile(attachment.get_name(), bytes(attachment.get_data()))
    except pypdfium2.PdfiumError:
        return EmbeddedFile(attachment.get_name(), b"")  # it will be refused as empty, by its name


def has_guessed_letters(text_page: Any, text: str) -> bool:
    """Return whether the letters of a page are wrong: its fonts do not say which character a sign is.

    pdfium then takes the number of a sign for the character. That is right in old fonts, and nonsense
    (7KH KDUERXU) where the signs are numbered in another order.
    """
    from pypdfium2 import raw

    count = text_page.count_chars()
    sample = range(0, count, max(count // _SAMPLES, 1))
    unknown = sum(raw.FPDFText_HasUnicodeMapError(text_page, index) == 1 for index in sample)
    if count == 0 or unknown * 2 < len(sample):
        return False
    signs = [sign for sign in text if not sign.isspace()]
    letters = [sign for sign in signs if sign.isalpha()]
    vowels = sum(sign in "aeiouyAEIOUYäöüéèáàíóúãõåæø" for sign in letters)
    # In Latin writing every third letter is a vowel, and most signs are letters or digits.
    plain = sum(sign.isalnum() for sign in signs)
    return plain * 2 < len(signs) or vowels * 4 < len(letters)
