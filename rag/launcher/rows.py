"""What became of a launcher."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LauncherReport:
    """The files of the launcher, and whether they are there now.

    Attributes:
        is_there: Whether the launcher exists after what was done.
        paths: Its files and folders: those that were written, or those that were removed.
    """

    is_there: bool
    paths: tuple[str, ...]

    def sentence(self) -> str:
        """Return what was done, and what can be done now."""
        if self.is_there:
            return (
                f"The launcher is {self.paths[0]}. Open it from the desktop's menu, or drop files on it to "
                "add them to a collection."
            )
        if not self.paths:
            return "There is no launcher to remove."
        return f"The launcher {self.paths[0]} was removed. Your data stay as they are."
