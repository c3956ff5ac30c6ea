"""What the palette finds: actions of the page in view, pages, settings, models, and stored objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import partial

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QAbstractButton, QMenu, QPushButton, QTabBar, QTabWidget, QToolButton, QWidget

from app.console import Console, Notice
from app.shared.command_lines import Call, written
from app.shared.setting_editor import setting_name
from app.widgets.buttons import Toolbar
from app.widgets.item_models import RecordTable
from app.widgets.palette import RECENT, Command
from app.widgets.tables.menu import copy_text
from rag.errors import RagError
from rag.finding.rows import Found, Kind, Place, find_objects
from rag.storage.database import Database

_REMEMBERED = "palette/recent"
_MOST_REMEMBERED = 30
_HEADINGS = {
    Kind.COLLECTION: "Collections",
    Kind.DOCUMENT: "Documents",
    Kind.VERSION: "Versions",
    Kind.SESSION: "Sessions",
    Kind.TRACE: "Traces",
    Kind.PROMPT: "Prompts",
    Kind.PROMPT_VERSION: "Prompts",
    Kind.SET: "Evaluation sets",
    Kind.CASE: "Cases",
    Kind.RUN: "Runs",
    Kind.PIPELINE: "Pipelines",
    Kind.PIPELINE_VERSION: "Pipelines",
    Kind.QUEUE: "Review queues",
    Kind.ROLLOUT: "Roll-outs",
    Kind.ALERT: "Alert rules",
    Kind.SETTING: "Settings",
    Kind.MODEL: "Models",
}


class ObjectFinder(QObject):
    """A search for stored objects on a thread of its own: typing never waits for it."""

    found = Signal(str, list)  # what was searched for, and Commands
    _searched = Signal(str, list, str)  # from the thread: text, Found, why it failed

    def __init__(self, console: Console) -> None:
        """Search in the console's database, and open what is chosen through it."""
        super().__init__()
        self._console = console
        self._thread: ThreadPoolExecutor | None = None
        self._wanted = ""
        self._searched.connect(self._take)

    def search(self, text: str) -> None:
        """Begin to search; `found` follows. What was searched for before is left out if it has not begun."""
        self._wanted = text
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="palette")
        self._thread.submit(self._search, self._console.database, text)

    def stop(self) -> None:
        """End the thread, and its connection to the database."""
        if self._thread is not None:
            self._wanted = ""
            self._thread.submit(self._console.database.close)
            self._thread.shutdown()
            self._thread = None

    def _search(self, database: Database, text: str) -> None:
        if text != self._wanted:
            return  # more letters were typed
        found: list[Found] = []
        why = ""
        try:
            found = find_objects(database, text)
        except RagError as error:
            why = str(error)
        self._searched.emit(text, found, why)

    def _take(self, text: str, found: list[Found], why: str) -> None:
        if why:
            self._console.notice.emit(why, Notice.BAD)
        self.found.emit(text, [object_command(each, self._console) for each in found])


def object_command(found: Found, console: Console) -> Command:
    """Return the command that opens an object in its page."""
    return Command(
        found.title,
        partial(console.place_requested.emit, found.place),
        keywords=found.words,
        group=_HEADINGS.get(found.place.kind, "Pages"),
        detail=found.detail,
        key=json.dumps(asdict(found.place)),
        quiet=True,
    )


# --- what was used ----------------------------------------------------------------------------------------


def remember(command: Command) -> None:
    """Put a command first among those that were used."""
    kept = [entry for entry in _remembered() if entry["key"] != command.name]
    entry = {"key": command.name, "title": command.title, "detail": command.detail, "words": command.keywords}
    QSettings().setValue(_REMEMBERED, json.dumps([entry, *kept][:_MOST_REMEMBERED]))


def recent_commands(known: Sequence[Command], console: Console) -> list[Command]:
    """Return what was used last, the latest first: commands that can still be run, and objects."""
    by_name = {command.name: command for command in known}
    made: list[Command] = []
    for entry in _remembered():
        command = by_name.get(entry["key"])
        place = None if command else _place(entry["key"])
        if place is not None:
            found = Found(place, entry["title"], entry["detail"], entry["words"])
            command = object_command(found, console)
        if command is not None:
            made.append(replace(command, group=RECENT))
    return made


def _remembered() -> list[dict[str, str]]:
    """Return what is written; anything that cannot be read, such as an older format, is nothing."""
    try:
        entries = json.loads(str(QSettings().value(_REMEMBERED) or "[]"))
        return [{name: str(entry[name]) for name in ("key", "title", "detail", "words")} for entry in entries]
    except (ValueError, TypeError, KeyError):
        return []


def _place(key: str) -> Place | None:
    try:
        values = json.loads(key)
        return Place(Kind(values["kind"]), values["key"], values["within"], values["part"])
    except (ValueError, TypeError, KeyError):
        return None


# --- what is known at once --------------------------------------------------------------------------------


def setting_commands(console: Console, sections: Mapping[str, str]) -> list[Command]:
    """Return a command for every setting of these sections, found by the words of its description.

    Args:
        console: Has the settings.
        sections: Their keys with what they are called.
    """
    made = []
    for section, title in sections.items():
        for key, field in type(getattr(console.settings, section)).model_fields.items():
            found = Found(
                Place(Kind.SETTING, f"{section}.{key}"),
                setting_name(key),
                title,
                f"setting {key.replace('_', ' ')} {field.description or ''}",
            )
            made.append(object_command(found, console))
    return made


def model_commands(console: Console) -> list[Command]:
    """Return a command for every model that was found on this computer."""
    return [
        object_command(Found(Place(Kind.MODEL, entry.path), entry.name, entry.origin, "model gguf"), console)
        for entry in console.models
    ]


def call_commands(calls: Sequence[Call], console: Console) -> list[Command]:
    """Return a command for each call, which copies it as a line for the terminal."""
    return [
        Command(
            f"Copy as command line: {call.title[:1].lower()}{call.title[1:]}",
            partial(_copy, console, written(call, console.engine.folder)),
            keywords="terminal shell script",
            group="Copy as command line",
            detail=" ".join(call.command),
            quiet=True,
        )
        for call in calls
        if call.is_safe
    ]


def _copy(console: Console, line: str) -> None:
    copy_text(line)
    console.notice.emit(f"Copied: {line}", Notice.INFO)


def page_commands(page: QWidget, title: str) -> list[Command]:
    """Return what can be done on a page as it is now: its buttons, tabs, menus, and the chosen rows' menus.

    Args:
        page: The page in view.
        title: Its name with that of its object, as the heading.
    """
    made: dict[str, Command] = {}

    def add(name: str, run: Callable[[], object], shortcut: str = "", detail: str = "") -> None:
        name = name.replace("&&", "&").strip()
        if name and name not in made:
            made[name] = Command(name, run, shortcut, group=f"On this page: {title}", detail=detail)

    for shown in page.findChildren(QAbstractButton):
        if (
            isinstance(shown, QPushButton | QToolButton)
            and shown.isEnabled()
            and _can_be_reached(shown, page)
        ):
            if isinstance(shown, QPushButton) and shown.menu():
                for name, run in _of_menu(shown.menu()):
                    add(name, run)
            else:
                name = "" if shown.property("link") else shown.text()  # a link's text is a mere name
                add(name or shown.accessibleName(), shown.click)
    for tabs in page.findChildren(QTabWidget):
        if tabs.isVisibleTo(page):
            for number in range(tabs.count()):
                if number != tabs.currentIndex() and tabs.isTabEnabled(number):
                    add(f"Tab “{tabs.tabText(number)}”", partial(tabs.setCurrentIndex, number))
    for table in page.findChildren(RecordTable):
        records = table.selected_records() if table.isVisibleTo(page) else []
        if records:
            subject = (
                table.records_model.cells(records[0])[0] if len(records) == 1 else f"{len(records)} rows"
            )
            actions = [*(table.actions_for(records) if table.actions_for else ())]
            actions += table.links_for(records).opens if table.links_for else ()
            for name, run in actions:
                add(name, run, detail=subject)
    return list(made.values())


def _can_be_reached(shown: QWidget, page: QWidget) -> bool:
    """Return whether a button is in view, or under “More” of a tool bar that is."""
    holder = shown.parentWidget()
    if isinstance(holder, QTabBar) or (isinstance(holder, Toolbar) and shown is holder.more):
        return False  # what is behind it is offered itself
    if shown.isVisibleTo(page):
        return True
    parent = holder
    while parent is not None and parent is not page:
        if isinstance(parent, Toolbar):
            return parent.isVisibleTo(page) and shown in parent.overflowed
        parent = parent.parentWidget()
    return False


def _of_menu(menu: QMenu) -> Iterator[tuple[str, Callable[[], object]]]:
    for action in menu.actions():
        below = action.menu()
        if isinstance(below, QMenu):
            yield from _of_menu(below)
        elif action.text() and action.isEnabled():
            yield action.text(), action.trigger
