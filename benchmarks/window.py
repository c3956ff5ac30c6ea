"""Measures the window: how soon it is shown, its longest pause while ingesting and answering, and 100,000 traces."""

from __future__ import annotations

import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rag.asking.rows import count_traces, list_traces
from rag.knowledge.rows import list_collections

EMPTY = """
import time; began = time.perf_counter()
from PySide6.QtWidgets import QApplication, QMainWindow
import pyqtgraph as pg
app = QApplication([])
window = QMainWindow(); window.setCentralWidget(pg.PlotWidget()); window.resize(1280, 800); window.show()
while not window.windowHandle().isExposed(): app.processEvents()
app.processEvents()
print(time.perf_counter() - began)
"""
OURS = """
import sys, time; began = time.perf_counter()
from pathlib import Path
from app.application import make_application, make_window
if __name__ == "__main__":
    folder = Path(sys.argv[1]); app = make_application(folder)
    window = make_window(app, folder); window.show()
    while not window.windowHandle().isExposed(): app.processEvents()
    app.processEvents()
    print(time.perf_counter() - began, flush=True)
    window.close()
"""


def main() -> None:
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as scratch:
        start_up(Path(scratch))
        longest_pause(Path(scratch))
        many_traces(Path(scratch))


def start_up(scratch: Path) -> None:
    """Start both in turns, each in a process of its own, after one run that is not counted."""
    (scratch / "ours.py").write_text(OURS)
    empty, ours = [], []
    for number in range(6):
        a = run([sys.executable, "-c", EMPTY])
        b = run([sys.executable, str(scratch / "ours.py"), str(scratch)])
        if number:
            empty.append(a)
            ours.append(b)
    ratio = statistics.median(b / a for a, b in zip(empty, ours, strict=True))
    print(
        f"window shown after {statistics.median(ours):.2f} s, an empty one after {statistics.median(empty):.2f} s: "
        f"{ratio:.2f} times   (goal: 1.5 or less)"
    )


def run(command: list[str]) -> float:
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return float(done.stdout.strip().splitlines()[-1])


def longest_pause(scratch: Path) -> None:
    """Watch the ticks of a 1 ms timer while the engine ingests and answers at once."""
    from PySide6.QtCore import QTimer

    from app.application import make_application, make_window

    folder = scratch / "pause"
    folder.mkdir()
    files = scratch / "files"
    files.mkdir()
    for number in range(20):
        lines = [f"Fact {number}.{line}: the value of item {line} is {number * line}." for line in range(120)]
        (files / f"{number}.txt").write_text("\n".join(lines), "utf-8")
    application = make_application(folder)
    window = make_window(application, folder)
    window.show()
    console = window._console

    def until(condition: object) -> None:
        while not condition():  # type: ignore[operator]
            application.processEvents()
            time.sleep(0.001)

    until(lambda: console.engine.is_ready and list_collections(console.database) and not console.engine.tasks)
    page = window.pages.ask
    until(lambda: page.model_box.currentData())
    page.ask("What does the Aurora 3 measure?")  # loads the model
    until(lambda: page._task is None)
    window.show_page("ask")
    application.processEvents()
    gaps: list[float] = []
    last = [time.perf_counter()]

    def tick() -> None:
        now = time.perf_counter()
        gaps.append((now - last[0]) * 1000)
        last[0] = now

    timer = QTimer(application, interval=1)
    timer.timeout.connect(tick)
    last[0] = time.perf_counter()
    timer.start()
    window.ingests.start_ingest([str(files)], "Load")
    asked = 0
    while window.ingests.is_busy or page._task is not None:
        if page._task is None and asked < 6:
            page.ask(f"What does the Aurora 3 measure and what does it cost? ({asked})")
            asked += 1
        application.processEvents()
        time.sleep(0.0005)
    timer.stop()
    gaps.sort()
    print(
        f"longest pause of the event loop while ingesting and answering: {gaps[-1]:.0f} ms, "
        f"99.9 % below {gaps[int(len(gaps) * 0.999)]:.0f} ms   (goal: 50 or less)"
    )
    window.close()


def many_traces(scratch: Path) -> None:
    from rag.asking.rows import TraceFilter
    from rag.storage.database import Database
    from rag.storage.store import Store, add_trace_text, insert_rows
    from rag.storage.tables.traces import Trace

    store = Store(scratch / "many.sqlite")
    words = "tide bread star battery warranty sensor console rain wind light pressure memory".split()
    for batch in range(100):
        rows = []
        for number in range(1000):
            index = batch * 1000 + number
            question = f"How is {words[index % 12]} number {index} related to {words[index % 7]}?"
            rows.append(
                Trace(
                    id=secrets.token_hex(16), session_id="s", created_ms=1_700_000_000_000 + index * 1000, status="done",
                    question=question, answer=question * 3, collection=f"c{index % 5}", model=f"m{index % 3}",
                    flag_count=index % 4 == 0, claim_count=3, worst_verdict="check" if index % 4 == 0 else "supported",
                ).model_dump()
            )  # fmt: skip
        with store.session() as session:
            insert_rows(session, Trace, rows)
            for row in rows:
                add_trace_text(session, row["id"], f"{row['question']}\n{row['answer']}")
    store.close()
    database = Database(scratch / "many.sqlite")
    filters = {
        "all": TraceFilter(),
        "text": TraceFilter(text="battery 7777"),
        "common text": TraceFilter(text="battery"),
        "collection": TraceFilter(collection="c3"),
        "model": TraceFilter(model="m1"),
        "flagged": TraceFilter(verdict="flagged"),
        "last hour": TraceFilter(since_ms=1_700_096_400_000),
        "all at once": TraceFilter(text="rain", collection="c1", model="m2", verdict="check"),
    }
    for name, wanted in filters.items():
        began = time.perf_counter()
        count, page = count_traces(database, wanted), list_traces(database, wanted, 200)
        print(
            f"100,000 traces, {name:12} {(time.perf_counter() - began) * 1000:6.1f} ms   {count:,} found, {len(page)} shown"
        )


if __name__ == "__main__":
    main()
