"""Qt's platform plugin: what is missing is named, by the loader's own word."""

import sys
from pathlib import Path

import pytest

from rag.platform_plugin import display_problem, missing_in, missing_sentence, platforms, window_problem

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere Qt needs no library")
XCB = {"QT_QPA_PLATFORM": "xcb"}


@linux_only
def test_every_missing_library_is_named_in_one_sentence(broken_pyside: Path) -> None:
    problem = window_problem(XCB, broken_pyside / "PySide6" / "Qt" / "plugins" / "platforms")
    assert problem == (
        "The window cannot open because libxcb-icccm.so.9 and libxcb-keysyms.so.9 are missing; on Debian or "
        "Ubuntu, find the package of libxcb-icccm.so.9 and libxcb-keysyms.so.9 with "
        "`apt-file search libxcb-icccm.so.9`."
    )


@linux_only
def test_a_damaged_plugin_is_reported_with_the_loaders_reason(tmp_path: Path) -> None:
    (tmp_path / "libqxcb.so").write_bytes(b"not a library")
    problem = window_problem(XCB, tmp_path)
    assert problem.startswith("The window cannot open because Qt's plugin libqxcb.so cannot be loaded (")


@linux_only
def test_one_plugin_that_loads_is_enough(broken_pyside: Path) -> None:
    folder = broken_pyside / "PySide6" / "Qt" / "plugins" / "platforms"
    assert window_problem({"QT_QPA_PLATFORM": "xcb;offscreen"}, folder) == ""


def test_a_platform_without_a_plugin_is_left_to_qt(tmp_path: Path) -> None:
    assert window_problem({"QT_QPA_PLATFORM": "nonsense"}, tmp_path) == ""


@pytest.mark.parametrize(
    ("environment", "tried"),
    [
        ({}, ["xcb"]),
        ({"DISPLAY": ":0"}, ["xcb"]),
        ({"WAYLAND_DISPLAY": "wayland-0"}, ["wayland"]),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, ["wayland", "xcb"]),
        ({"QT_QPA_PLATFORM": "offscreen", "DISPLAY": ":0"}, ["offscreen"]),
        ({"QT_QPA_PLATFORM": "wayland:title;xcb"}, ["wayland", "xcb"]),
    ],
)
def test_the_plugins_are_those_that_qt_would_try(environment: dict[str, str], tried: list[str]) -> None:
    assert platforms(environment) == tried


def test_the_sentence_names_each_debian_package_once() -> None:
    assert missing_sentence(["libxcb-icccm.so.4"]) == (
        "The window cannot open because libxcb-icccm.so.4 is missing; on Debian or Ubuntu, install it with "
        "`apt-get install libxcb-icccm4`."
    )
    assert missing_sentence(["libgthread-2.0.so.0", "libglib-2.0.so.0", "libEGL.so.1", "libnew.so.2"]) == (
        "The window cannot open because libgthread-2.0.so.0, libglib-2.0.so.0, libEGL.so.1 and libnew.so.2 "
        "are missing; on Debian or Ubuntu, install them with `apt-get install libegl1 libglib2.0-0` and find "
        "the package of libnew.so.2 with `apt-file search libnew.so.2`."
    )


def test_an_import_error_of_qt_names_its_library() -> None:
    text = "libEGL.so.1: cannot open shared object file: No such file or directory"
    assert missing_in(ImportError(text)) == ["libEGL.so.1"]
    assert missing_in(ImportError("No module named 'app'")) == []


@linux_only
def test_a_display_that_does_not_answer_is_a_sentence() -> None:
    problem = display_problem({**XCB, "DISPLAY": ":4711"})
    assert problem == "The window cannot open because the display “:4711” does not answer."
    assert display_problem({"QT_QPA_PLATFORM": "offscreen"}) == ""
