"""Applications as sources of questions: what stands for one where the name of a collection may stand.

Filters, monitors, alerts, queues and sets take the name of a collection, or "application:NAME". Questions
to an application are those of its users: what was received, or asked through the server, and no test traffic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.storage.database import Database

PREFIX = "application:"
TRAFFIC = "('person', 'server')"  # sources of which TraceSource.is_traffic is true, for `source IN …`


@dataclass(frozen=True)
class Caller:
    """A program that asks through the server, and what it wants besides an answer.

    Attributes:
        application: Its name, as its token has it.
        generation: Changes to the settings of sampling, on top of a pipeline's.
        history: Earlier questions with their answers, oldest first; None: those of the session.
        stop: Texts before which the answer ends.
        schema: JSON schema that the answer has to follow; empty: any text.
        is_agent: Whether it asks through a tool (MCP), for policies that act there.
    """

    application: str
    generation: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[tuple[str, str], ...] | None = None
    stop: tuple[str, ...] = ()
    schema: str = ""
    is_agent: bool = False


def application_named_by(scope: str) -> str:
    """Return the name of the application that a scope stands for; "" when it is a collection, or all."""
    return scope.removeprefix(PREFIX) if scope.startswith(PREFIX) else ""


def scope_name(scope: str) -> str:
    """Return what people read for a scope: the name of the collection or application."""
    return application_named_by(scope) or scope


def list_applications(database: Database) -> list[str]:
    """Return the names of all applications, by name."""
    rows = database.cells(
        "SELECT DISTINCT application FROM trace WHERE application > '' ORDER BY application COLLATE NOCASE"
    )
    return [name for (name,) in rows]


def application_choices(database: Database) -> list[tuple[str, str]]:
    """Return (what a list of choices says, scope) of every application."""
    return [(f"{name} (application)", f"{PREFIX}{name}") for name in list_applications(database)]


def traffic(scope: str) -> tuple[str, tuple[str, ...]]:
    """Return the condition on rows of `trace` that people asked, here or through the server, and its values.

    Args:
        scope: A collection, "application:NAME", or "": all that was asked here.
    """
    name = application_named_by(scope)
    if name:
        return "source IN ('received', 'server') AND application = ?", (name,)
    if scope:
        return f"source IN {TRAFFIC} AND collection = ?", (scope,)
    return f"source IN {TRAFFIC}", ()


def list_question_times(database: Database, collection: str = "") -> list[int]:
    """Return when people asked, in Unix milliseconds, oldest first; collection empty: of all collections."""
    asked, values = traffic(collection)
    found = database.cells(
        f"SELECT created_ms FROM trace WHERE {asked} AND status != 'running' ORDER BY created_ms", values
    )
    return [moment for (moment,) in found]
