"""How a panel of the page starts a task that the strip at the top of the page follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from app.engine.client import Task
from rag.operations import Operation

R = TypeVar("R")


class Run(Protocol):
    """A function that starts one task at a time, as `MonitorsPage.run` does."""

    def __call__(
        self, operation: Operation[R], done: Callable[[R], Any] | None = None, **arguments: Any
    ) -> Task | None:
        """Start the operation; None, and a notice, while another one runs."""
