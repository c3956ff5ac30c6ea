"""One step of a trace: its figures, what went in and out, and everything that its sender wrote."""

from __future__ import annotations

import json

from PySide6.QtWidgets import QPlainTextEdit, QTabWidget, QWidget

from app.pages.traces.steps.tree_model import took
from app.widgets.labels import KeyValueGrid, label
from app.widgets.layout import column, scrolled
from app.widgets.theme import SMALL_SPACE, Theme
from rag.interchange.agents.rows import StepDetail, StepRow
from rag.text.plurals import counted

MOST_SHOWN = 200_000  # characters of a text: Qt lays out all of it at once


class StepDetailView(QWidget):
    """Tabs with the input, output, figures and attributes of one step, as plain text."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.title, self.error = label("", "section", wrap=True), label("", "bad", wrap=True)
        self.input, self.output = _text_view("Input", theme), _text_view("Output", theme)
        self.attributes = _text_view("Attributes", theme)
        self.figures = KeyValueGrid()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.input, "Input")
        self.tabs.addTab(self.output, "Output")
        self.tabs.addTab(scrolled(column(self.figures, 1, top=SMALL_SPACE), "Figures"), "Figures")
        self.tabs.addTab(self.attributes, "Attributes")
        column(self.title, self.error, (self.tabs, 1), holder=self)

    def show_step(self, detail: StepDetail) -> None:
        """Show everything of a step."""
        step = detail.step
        self.title.setText(f"{step.position}. {step.title[:300]}")
        self.error.setText(step.error)
        self.error.setVisible(bool(step.error))
        self.input.setPlainText(shortened(readable(detail.input)))
        self.output.setPlainText(shortened(readable(detail.output)))
        self.figures.set_pairs(figures_of(step, detail))
        sent = {"attributes": detail.attributes, "events": detail.events, "resource": detail.resource}
        self.attributes.setPlainText(shortened(json.dumps(sent, indent=2, ensure_ascii=False)))


def _text_view(name: str, theme: Theme) -> QPlainTextEdit:
    made = QPlainTextEdit(readOnly=True)
    made.setAccessibleName(name)
    made.setFont(theme.fixed_font())
    made.setPlaceholderText("The sender recorded nothing here.")
    return made


def readable(text: str) -> str:
    """Return JSON with line breaks; any other text as it is."""
    if text.lstrip()[:1] not in ("{", "[") or len(text) > MOST_SHOWN:
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def shortened(text: str) -> str:
    """Return a text that Qt can show; what is left out is named."""
    if len(text) <= MOST_SHOWN:
        return text
    left = counted(len(text) - MOST_SHOWN, "more character")
    return f"{text[:MOST_SHOWN]}\n\n… {left}: `ragdeck traces steps TRACE --step N --json` prints all of it."


def figures_of(step: StepRow, detail: StepDetail) -> list[tuple[str, str]]:
    """Return the figures of a step as (name, value); what the sender does not tell is left out."""
    tokens = [
        f"{count:,} {what}"
        for what, count in (("prompt", step.prompt_tokens), ("completion", step.completion_tokens))
        if count is not None
    ]
    if not tokens and step.tokens is not None:
        tokens = [f"{step.tokens:,}"]
    pairs = [
        ("Kind", step.kind.words),
        ("Time", f"{took(step.took_ms)}, from {step.start_ms:,.1f} to {step.end_ms:,.1f} ms"),
        ("Times", step.clock),
        ("Agent", step.agent),
        ("Called from", step.called_from),
        ("Tool", step.tool),
        ("Model", step.model),
        ("Tokens", ", ".join(tokens)),
        ("Cost", f"${step.cost_usd:,.6f}, as its sender says" if step.cost_usd is not None else ""),
        ("Counted", "" if step.is_counted else "no: another step is about the same call"),
        ("Step above", "it never arrived" if step.is_orphan else ""),
        ("Span", step.span_id),
        ("Application", detail.service),
        ("Instrumentation", detail.scope),
    ]
    return [(name, value) for name, value in pairs if value]
