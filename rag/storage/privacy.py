"""Keeps a data folder for its owner alone: documents, questions and answers are nobody else's business.

What the program creates is private from the beginning, by the mask of its process. What an older program or
a copy left open to others is closed when the folder is opened. Windows keeps people's folders apart itself.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from rag.storage.data_folder import DATABASE, keep_private

# What the program makes in a data folder. Anything else there is a person's own.
_OURS = (
    f"{DATABASE}*",
    "settings.toml*",
    "server-tokens.json*",
    "lock",
    "*.log*",
    "stopped-files.*",
    "index",
    "window",
    "ragdeck.before-*",
    "before-restore-*",
    "restore.*",
    "chroma-copies",
    "erasures",
)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private(folder: Path) -> list[str]:
    """Close a data folder to other people, now and for what is made from now on; return what to say of it.

    A folder that is not a data folder yet and contains other things is left as it is.
    """
    keep_private()
    is_data = (folder / DATABASE).exists()
    closed, kept = 0, []
    for path, mode in _open_to_others(_paths_of(folder)):
        try:
            path.chmod(mode & ~_OTHERS)
            closed += 1
        except OSError:
            kept.append(path)
    if kept:
        return [
            f"Other people on this computer can read {kept[0]}, which belongs to somebody else. Ask its "
            "owner to close it, or choose another data folder with --data."
        ]
    if closed and is_data:
        return [f"Other people on this computer could read {folder}. It is for you alone now."]
    return []


def open_paths(folder: Path) -> list[Path]:
    """Return what of a data folder other people on this computer can read or write, itself included."""
    return [path for path, _ in _open_to_others(_paths_of(folder))]


def _paths_of(folder: Path) -> list[Path]:
    """Return what is to be private: what the program made, and the folder unless others share it."""
    if os.name == "nt":
        return []
    paths = [path for pattern in _OURS for path in folder.glob(pattern)]
    below = [path for top in paths if top.is_dir() and not top.is_symlink() for path in top.rglob("*")]
    # A folder for everybody, such as /tmp, has the sticky bit: there only our files are closed.
    is_shared = bool(folder.stat().st_mode & stat.S_ISVTX)
    is_data = (folder / DATABASE).exists()
    if not is_shared and (is_data or len(list(folder.iterdir())) == len(paths)):
        paths.insert(0, folder)
    return [*paths, *below]


def _open_to_others(paths: list[Path]) -> Iterator[tuple[Path, int]]:
    """Yield what others may read or write, with its mode; links lead to what is not ours."""
    for path in paths:
        try:
            mode = path.lstat().st_mode
        except OSError:
            continue  # it has gone in the meantime
        if mode & _OTHERS and not stat.S_ISLNK(mode):
            yield path, stat.S_IMODE(mode)
