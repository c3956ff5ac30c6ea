"""The system's dialogs for files and folders, which open where the last one was left."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog, QWidget

_FOLDER = "dialogs/folder"


def last_folder() -> str:
    """Return the folder of the last choice; empty before the first one, or when it is gone."""
    folder = str(QSettings().value(_FOLDER) or "")
    return folder if folder and Path(folder).is_dir() else ""


def remember_folder(path: str) -> None:
    """Open the next dialog in this folder, or in that of this file."""
    chosen = Path(path)
    QSettings().setValue(_FOLDER, str(chosen if chosen.is_dir() else chosen.parent))


def choose_files(parent: QWidget, title: str) -> list[str]:
    """Ask for files; return their paths, none when it was cancelled."""
    paths, _ = QFileDialog.getOpenFileNames(parent, title, last_folder())
    if paths:
        remember_folder(paths[0])
    return list(paths)


def choose_folder(parent: QWidget, title: str) -> str:
    """Ask for a folder; return its path, empty when it was cancelled."""
    folder = QFileDialog.getExistingDirectory(parent, title, last_folder())
    if folder:
        remember_folder(folder)
    return folder
