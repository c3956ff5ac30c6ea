"""Makes the launcher where each desktop looks for one, and removes it again.

Linux: a freedesktop entry and its icon below XDG_DATA_HOME. Windows: shortcuts in the Start menu and on the
desktop, written by the Windows Script Host, the only documented writer of .lnk files. macOS: a bundle in
~/Applications whose executable starts this Python. The texts are made by functions of their own, so that
each can be looked at on any system.
"""

from __future__ import annotations

import os
import plistlib
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rag.errors import RagError
from rag.launcher.rows import LauncherReport
from rag.storage.data_folder import PROGRAM_FOLDER, RESOURCES, default_place, place_of

_COMMENT = "Ask your documents, and see how every answer came about"
_ICONS = RESOURCES / "icons"
# What a file manager offers Ragdeck for under "Open with"; it stays the default for none of them.
_TYPES = (
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.text",
    "application/epub+zip",
    "text/html",
    "text/markdown",
    "text/plain",
    "inode/directory",
)
_SHORTCUT_TIMEOUT_S = 60


def make_launcher(folder: Path | None = None, system: str = sys.platform) -> LauncherReport:
    """Put a launcher where the desktop expects it, in place of an older one.

    Args:
        folder: The data folder that it opens; it is named only if Ragdeck would not open it anyway.
        system: The platform, as Python names it.

    Raises:
        RagError: A file cannot be written, or Windows refuses the shortcut.
    """
    command = program_command(folder)
    try:
        if system == "win32":
            paths = _run_powershell(shortcut_script(command, _ICONS / "ragdeck.ico"))
        elif system == "darwin":
            paths = [_write_bundle(_bundle(), command)]
        else:
            paths = _write_entry(command)
    except OSError as error:
        raise RagError(
            f"The launcher could not be written ({error.strerror or error}). Check that the folder "
            f"{error.filename or Path.home()} can be written to."
        ) from error
    return LauncherReport(True, tuple(str(path) for path in paths))


def remove_launcher(system: str = sys.platform) -> LauncherReport:
    """Remove the launcher, and nothing else. Raises RagError when a file cannot be removed."""
    try:
        if system == "win32":
            paths = _run_powershell(removal_script())
        else:
            candidates = [_bundle()] if system == "darwin" else [_entry_path(), _icon_path()]
            paths = [path for path in candidates if path.exists()]
            for path in paths:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if system != "darwin":
                _tell_desktop()
    except OSError as error:
        raise RagError(f"The launcher could not be removed ({error}).") from error
    return LauncherReport(False, tuple(str(path) for path in paths))


def program_command(folder: Path | None = None) -> list[str]:
    """Return the command that opens the window; a data folder is named only if it is not the usual one."""
    command = [sys.executable, str(PROGRAM_FOLDER / "main.py")]
    if folder is not None and folder.absolute() != place_of(default_place()).absolute():
        command += ["--data", str(folder.absolute())]
    return command


# --- Linux ------------------------------------------------------------------------------------------------


def desktop_entry(command: Sequence[str]) -> str:
    """Return a freedesktop entry that starts this command with the files that were dropped on it."""
    return "\n".join(
        [
            "[Desktop Entry]",
            "Type=Application",
            "Version=1.1",
            "Name=Ragdeck",
            "GenericName=Document questions",
            f"Comment={_COMMENT}",
            f"Exec={' '.join(map(_exec_argument, command))} %F",
            "Icon=ragdeck",
            "Terminal=false",
            "StartupNotify=true",
            "StartupWMClass=Ragdeck",
            "Categories=Office;Database;",
            "Keywords=RAG;documents;questions;language model;",
            f"MimeType={';'.join(_TYPES)};",
            "",
        ]
    )


def _exec_argument(argument: str) -> str:
    """Return an argument of an Exec line.

    It is quoted for the command, and its backslashes once more for the value of a key; % begins a field code.
    """
    quoted = argument.replace("%", "%%")
    for sign in '\\"`$':
        quoted = quoted.replace(sign, f"\\{sign}")
    return '"' + quoted.replace("\\", "\\\\") + '"'


def _data_home() -> Path:
    named = os.environ.get("XDG_DATA_HOME", "")
    return Path(named) if named and Path(named).is_absolute() else Path.home() / ".local" / "share"


def _entry_path() -> Path:
    return _data_home() / "applications" / "ragdeck.desktop"


def _icon_path() -> Path:
    return _data_home() / "icons" / "hicolor" / "scalable" / "apps" / "ragdeck.svg"


def _write_entry(command: Sequence[str]) -> list[Path]:
    entry, icon = _entry_path(), _icon_path()
    for path, content in (
        (icon, (_ICONS / "ragdeck.svg").read_bytes()),
        (entry, desktop_entry(command).encode()),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o644)
    entry.chmod(0o755)  # some desktops start only entries that may be executed
    _tell_desktop()
    return [entry, icon]


def _tell_desktop() -> None:
    """Let the desktop read its entries again, where it has a program for that; others watch the folder."""
    program = shutil.which("update-desktop-database")
    if program and _entry_path().parent.is_dir():
        subprocess.run(
            [program, "-q", str(_entry_path().parent)], check=False, capture_output=True, timeout=60
        )


# --- Windows ----------------------------------------------------------------------------------------------


def shortcut_script(command: Sequence[str], icon: Path) -> str:
    """Return the PowerShell that writes a shortcut into the Start menu and onto the desktop.

    Files that are dropped on a shortcut follow its arguments. pythonw opens no console window.
    """
    python = Path(command[0])
    windowed = python.with_name("pythonw.exe")
    target = windowed if windowed.exists() else python
    arguments = subprocess.list2cmdline(command[1:])
    return "\n".join(
        [
            "$ErrorActionPreference = 'Stop'",
            "[Console]::OutputEncoding = [System.Text.Encoding]::UTF8",
            "$shell = New-Object -ComObject WScript.Shell",
            "foreach ($place in 'Programs', 'DesktopDirectory') {",
            "  $path = Join-Path ([Environment]::GetFolderPath($place)) 'Ragdeck.lnk'",
            "  $link = $shell.CreateShortcut($path)",
            f"  $link.TargetPath = {_powershell(str(target))}",
            f"  $link.Arguments = {_powershell(arguments)}",
            f"  $link.IconLocation = {_powershell(f'{icon},0')}",
            f"  $link.Description = {_powershell(_COMMENT)}",
            f"  $link.WorkingDirectory = {_powershell(str(Path.home()))}",
            "  $link.Save()",
            "  Write-Output $path",
            "}",
        ]
    )


def removal_script() -> str:
    """Return the PowerShell that removes both shortcuts and prints the paths of those that were there."""
    return "\n".join(
        [
            "$ErrorActionPreference = 'Stop'",
            "[Console]::OutputEncoding = [System.Text.Encoding]::UTF8",
            "foreach ($place in 'Programs', 'DesktopDirectory') {",
            "  $path = Join-Path ([Environment]::GetFolderPath($place)) 'Ragdeck.lnk'",
            "  if (Test-Path -LiteralPath $path) { Remove-Item -LiteralPath $path; Write-Output $path }",
            "}",
        ]
    )


def _powershell(text: str) -> str:
    """Return a text as PowerShell reads it letter by letter; it takes curly quotes for straight ones."""
    for quote in "'‘’‚‛":
        text = text.replace(quote, quote * 2)
    return f"'{text}'"


def _run_powershell(script: str) -> list[Path]:
    """Run a script and return the paths that it prints."""
    program = shutil.which("powershell") or shutil.which("pwsh")
    if program is None:
        raise RagError(
            "PowerShell, which writes shortcuts, was not found. Make a shortcut to Ragdeck by hand."
        )
    done = subprocess.run(
        [program, "-NoProfile", "-NonInteractive", "-Command", script],
        capture_output=True, encoding="utf-8", errors="replace", timeout=_SHORTCUT_TIMEOUT_S, check=False,
    )  # fmt: skip
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        raise RagError(f"Windows refused the shortcut: {reason[0] if reason else 'no reason given'}")
    return [Path(line) for line in done.stdout.splitlines() if line.strip()]


# --- macOS ------------------------------------------------------------------------------------------------


def bundle_files(command: Sequence[str]) -> dict[str, bytes]:
    """Return the content of each file of a macOS bundle, by its path inside the bundle."""
    kinds = {
        "CFBundleTypeName": "Documents and folders",
        "CFBundleTypeRole": "Viewer",
        "LSHandlerRank": "Alternate",  # never the default for a file
        "LSItemContentTypes": ["public.data", "public.folder"],
    }
    about = {
        "CFBundleName": "Ragdeck",
        "CFBundleDisplayName": "Ragdeck",
        "CFBundleIdentifier": "io.github.ragdeck",
        "CFBundleExecutable": "ragdeck",
        "CFBundleIconFile": "ragdeck.icns",
        "CFBundlePackageType": "APPL",
        "CFBundleInfoDictionaryVersion": "6.0",
        "NSHighResolutionCapable": True,
        "CFBundleDocumentTypes": [kinds],
    }
    script = f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n'
    return {
        "Contents/Info.plist": plistlib.dumps(about),
        "Contents/MacOS/ragdeck": script.encode(),
        "Contents/Resources/ragdeck.icns": (_ICONS / "ragdeck.icns").read_bytes(),
    }


def _bundle() -> Path:
    return Path.home() / "Applications" / "Ragdeck.app"


def _write_bundle(bundle: Path, command: Sequence[str]) -> Path:
    """Write the bundle in place of an older one: what a newer one lacks must not stay."""
    if bundle.exists():
        shutil.rmtree(bundle)
    for name, content in bundle_files(command).items():
        path = bundle / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (bundle / "Contents" / "MacOS" / "ragdeck").chmod(0o755)
    return bundle
