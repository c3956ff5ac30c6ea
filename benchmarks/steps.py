"""How long a received trace of 10,000 steps takes to open in the window. The figure to hold: 300 ms.

    QT_QPA_PLATFORM=offscreen python -m benchmarks.steps [--steps 10000] [--times 5]

Prints medians of several openings, in wall time and in time of this processor, which a loaded machine does not
stretch: of the overview (everything stored of the trace), of its tree with the timeline and the first step
painted, and of the graph of calls. A small trace is opened in between, so nothing is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QWidget

from app.console import Console
from app.engine.client import Engine
from app.pages.traces.page import TracesPage
from app.widgets.theme import Theme
from rag.interchange.receiving import receive
from rag.interchange.rows import RawSpan
from rag.storage.database import Database
from rag.storage.store import Store

LARGE, SMALL = "ab" * 16, "cd" * 16
_BEGIN = 1_780_000_000 * 10**9
_TEXT = "The tide at Bremen rises 3.5 metres, and the harbour opens at noon. " * 30


def spans_of(trace_id: str, count: int) -> list[RawSpan]:
    """Return a trace of agents that ask models, which call tools, each with texts of 2,000 characters."""
    made = []
    for number in range(count):
        kind = "AGENT" if number % 100 == 0 else ("LLM", "TOOL", "CHAIN")[number % 3]
        parent = 0 if number % 100 == 0 else number - number % 100 if number % 10 == 1 else number - 1
        attributes = {
            "openinference.span.kind": kind,
            "input.value": json.dumps({"number": number, "text": _TEXT}),
            "output.value": _TEXT,
        }
        if kind == "LLM":
            attributes |= {
                "llm.model_name": "m",
                "llm.token_count.prompt": "900",
                "llm.token_count.completion": "80",
            }
        if kind == "TOOL":
            attributes["tool.name"] = f"tool {number % 7}"
        start = _BEGIN + number * 10**7
        made.append(
            RawSpan(
                trace_id, f"{number + 1:016x}", f"{parent + 1:016x}" if number else "", f"{kind.lower()} {number}",
                start, start + 10**8, attributes, service="bench",
            )
        )  # fmt: skip
    return made


def median_ms(times: list[float]) -> float:
    """Return the median of some seconds, in milliseconds."""
    return statistics.median(times) * 1000


def main() -> None:
    """Fill a data folder, open its large trace several times and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, place)
        store = Store(folder / "ragdeck.sqlite")
        begin = time.perf_counter()
        receive(store, [*spans_of(LARGE, asked.steps), *spans_of(SMALL, 10)])
        print(f"received and read: {time.perf_counter() - begin:.2f} s")
        store.close()
        _open(folder, asked.times)


def _open(folder: Path, times: int) -> None:
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    database = Database(folder / "ragdeck.sqlite")
    page = TracesPage(Console(Theme(application, "light"), Engine(folder), database))
    page.resize(1280, 800)
    page.show()
    view = page.view
    panels: dict[str, QWidget] = {
        "overview": view.tabs.widget(0), "steps": view.step_tree, "agents": view.agents,
    }  # fmt: skip
    for name, panel in panels.items():
        taken, worked = [], []
        for _ in range(times):
            page.open_trace(SMALL)
            view.tabs.setCurrentWidget(panel)
            application.processEvents()
            begin, begin_cpu = time.perf_counter(), time.process_time()
            page.open_trace(LARGE)
            application.processEvents()
            page.grab()  # painted, as a person sees it
            taken.append(time.perf_counter() - begin)
            worked.append(time.process_time() - begin_cpu)
        print(f"{name}: {median_ms(taken):.0f} ms, {median_ms(worked):.0f} ms of the processor (of {times})")
    page.deleteLater()
    application.processEvents()
    database.close()


if __name__ == "__main__":
    main()
