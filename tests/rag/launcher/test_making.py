"""The launcher: made and removed for real on Linux; what Windows and macOS would be given is read."""

from __future__ import annotations

import json
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImageReader
from pytestqt.qtbot import QtBot

from rag.cli import run
from rag.errors import RagError
from rag.launcher.making import (
    bundle_files,
    desktop_entry,
    make_launcher,
    program_command,
    removal_script,
    remove_launcher,
    shortcut_script,
)
from rag.storage.data_folder import RESOURCES

HOSTILE = ["/a b/py%thon", '/c/"$HOME`x`\\main.py', "--data", "/d/it's"]
needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="freedesktop entries")


@pytest.fixture
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the person's own, so that nobody's menu is changed."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "share"


@needs_linux
def test_the_launcher_lies_where_the_desktop_looks_and_goes_again(data_home: Path, tmp_path: Path) -> None:
    report = make_launcher(tmp_path / "other data", "linux")
    entry = data_home / "applications" / "ragdeck.desktop"
    icon = data_home / "icons" / "hicolor" / "scalable" / "apps" / "ragdeck.svg"
    assert report.is_there
    assert report.paths == (str(entry), str(icon))
    assert icon.read_bytes() == (RESOURCES / "icons" / "ragdeck.svg").read_bytes()
    lines = entry.read_text("utf-8").splitlines()
    assert "Icon=ragdeck" in lines
    (exec_line,) = [line for line in lines if line.startswith("Exec=")]
    assert exec_line.endswith(f'--data" "{tmp_path}/other data" %F')
    other = data_home / "applications" / "other.desktop"
    other.write_text("not ours", "utf-8")
    assert make_launcher(None, "linux").is_there  # a second time replaces it
    assert "--data" not in entry.read_text("utf-8")
    assert remove_launcher("linux").paths == (str(entry), str(icon))
    assert not entry.exists() and not icon.exists()
    assert other.exists()
    assert remove_launcher("linux").sentence() == "There is no launcher to remove."


@needs_linux
@pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason="desktop-file-utils is not installed")
@pytest.mark.parametrize("command", [["/usr/bin/python3", "/opt/ragdeck/main.py"], HOSTILE])
def test_the_validator_of_the_desktop_has_nothing_to_say(tmp_path: Path, command: list[str]) -> None:
    file = tmp_path / "ragdeck.desktop"
    file.write_text(desktop_entry(command), "utf-8")
    done = subprocess.run(["desktop-file-validate", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_linux
def test_the_command_arrives_as_it_was_whatever_its_paths_are_called() -> None:
    (line,) = [line for line in desktop_entry(HOSTILE).splitlines() if line.startswith("Exec=")]
    written = line.removeprefix("Exec=").removesuffix(" %F").replace("\\\\", "\\").replace("%%", "%")
    done = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {written}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == HOSTILE


@needs_linux
def test_the_command_line_makes_removes_and_reports_it(
    data_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["shortcut", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["is_there"] and Path(made["paths"][0]).is_relative_to(data_home)
    assert run(["shortcut", "--remove"]) == 0
    assert "was removed. Your data stay as they are." in capsys.readouterr().out
    assert not Path(made["paths"][0]).exists()


@needs_linux
def test_a_place_that_cannot_be_written_is_a_sentence(data_home: Path) -> None:
    data_home.parent.mkdir(exist_ok=True)
    data_home.write_text("a file where a folder should be", "utf-8")
    with pytest.raises(RagError, match="could not be written"):
        make_launcher(None, "linux")


def test_windows_is_told_target_icon_and_arguments_letter_by_letter() -> None:
    command = ["C:\\O'Neil\\python.exe", "C:\\Program Files\\main.py", "--data", "D:\\it’s"]
    script = shortcut_script(command, Path("ragdeck.ico"))
    assert "New-Object -ComObject WScript.Shell" in script
    assert "$link.TargetPath = 'C:\\O''Neil\\python.exe'" in script
    assert "$link.Arguments = '\"C:\\Program Files\\main.py\" --data D:\\it’’s'" in script
    assert "$link.IconLocation = 'ragdeck.ico,0'" in script
    for text in (script, removal_script()):
        assert "'Programs', 'DesktopDirectory'" in text
        assert text.count("{") == text.count("}")
    assert "Remove-Item -LiteralPath $path" in removal_script()


def test_a_bundle_for_macos_has_a_plist_an_icon_and_an_executable() -> None:
    files = bundle_files(["/usr/bin/env", "printf", "%s|", "a b", "it's"])
    about = plistlib.loads(files["Contents/Info.plist"])
    assert (about["CFBundleExecutable"], about["CFBundleIconFile"]) == ("ragdeck", "ragdeck.icns")
    assert about["CFBundleDocumentTypes"][0]["LSItemContentTypes"] == ["public.data", "public.folder"]
    assert files["Contents/Resources/ragdeck.icns"].startswith(b"icns")
    assert files["Contents/MacOS/ragdeck"].startswith(b"#!/bin/sh\nexec ")


@pytest.mark.skipif(sys.platform == "win32", reason="the bundle's executable is a shell script")
def test_the_bundle_is_made_runs_its_command_and_is_removed(data_home: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "home" / "Applications" / "Ragdeck.app"
    (bundle / "Contents").mkdir(parents=True)
    (bundle / "Contents" / "old").write_text("of an older version", "utf-8")
    report = make_launcher(tmp_path / "data", "darwin")
    assert report.paths == (str(bundle),)
    assert not (bundle / "Contents" / "old").exists()
    executable = bundle / "Contents" / "MacOS" / "ragdeck"
    help_text = subprocess.run([executable, "--help"], capture_output=True, text=True, check=True).stdout
    assert "usage: python main.py" in help_text
    assert remove_launcher("darwin").paths == (str(bundle),)
    assert not bundle.exists()


def test_the_usual_data_folder_is_not_named(data_home: Path) -> None:
    usual = program_command(None)
    assert usual == [sys.executable, str(RESOURCES.parent / "main.py")]
    assert program_command(data_home / "ragdeck") == usual
    assert program_command(data_home / "elsewhere") == [*usual, "--data", str(data_home / "elsewhere")]


@pytest.mark.parametrize("suffix", ["ico", "icns"])
def test_the_icons_of_the_systems_can_be_read_in_every_size(qtbot: QtBot, suffix: str) -> None:
    reader = QImageReader(str(RESOURCES / "icons" / f"ragdeck.{suffix}"))
    sizes = set()
    for number in range(reader.imageCount()):
        assert reader.jumpToImage(number)
        image = reader.read()
        assert not image.isNull()
        assert image.pixelColor(image.width() // 2, image.height() // 12).name() == "#2f6fde"
        sizes.add(image.width())
    assert max(sizes) >= 256
    assert len(sizes) > 2
