"""Whether Qt's platform plugin can be loaded, asked before Qt itself is.

The plugin draws windows on the display. Qt raises nothing when a library of the plugin is missing: it prints
a misleading text about xcb-cursor and aborts the process. So the plugin is loaded here first, in a way that
can fail. Only the standard library is imported, and nothing of PySide6.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# The Debian and Ubuntu package of each library that Qt's plugins need and a small system may lack.
DEBIAN_PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
_MISSING = re.compile(r"(\S+): cannot open shared object file: No such file")


def window_problem(environment: Mapping[str, str] = os.environ, plugins: Path | None = None) -> str:
    """Return one sentence on why no window can open, or nothing when a platform plugin loads.

    Args:
        environment: The variables by which Qt chooses its plugin.
        plugins: The folder of the plugins; by default that of the PySide6 that would be imported.
    """
    folder = plugins or _plugin_folder()
    if folder is None or not sys.platform.startswith("linux"):
        return ""  # elsewhere the plugin needs only what the system always has
    problems = []
    for platform in platforms(environment):
        plugin = folder / f"libq{platform}.so"
        if plugin.exists():
            problems.append(_problem(plugin))
    return problems[0] if problems and all(problems) else ""


def display_problem(environment: Mapping[str, str] = os.environ) -> str:
    """Return one sentence when the X display does not answer, which makes Qt abort, too, or nothing."""
    if platforms(environment) != ["xcb"]:
        return ""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return ""  # for window_problem to report
    xcb.xcb_connect.restype = ctypes.c_void_p
    display = environment.get("DISPLAY", "")
    connection = ctypes.c_void_p(xcb.xcb_connect(display.encode(), None))
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if not failed:
        return ""
    reason = f"the display “{display}” does not answer" if display else "DISPLAY is not set"
    return f"The window cannot open because {reason}."


def platforms(environment: Mapping[str, str]) -> list[str]:
    """Return the names of the platform plugins that Qt tries, in its order."""
    chosen = environment.get("QT_QPA_PLATFORM", "")
    if chosen:  # such as "xcb" or "wayland;xcb"; options follow a colon
        return [name.split(":")[0] for name in chosen.split(";")]
    displays = {"wayland": environment.get("WAYLAND_DISPLAY"), "xcb": environment.get("DISPLAY")}
    return [name for name, display in displays.items() if display] or ["xcb"]


def missing_sentence(missing: Sequence[str]) -> str:
    """Return the sentence that names the missing libraries and the command that installs them.

    Args:
        missing: File names of shared libraries, such as `libxcb-icccm.so.4`.
    """
    packages = sorted({DEBIAN_PACKAGES[name] for name in missing if name in DEBIAN_PACKAGES})
    unknown = [name for name in missing if name not in DEBIAN_PACKAGES]
    advice = []
    if packages:
        advice.append(f"install {_it(packages)} with `apt-get install {' '.join(packages)}`")
    if unknown:
        advice.append(f"find the package of {_listed(unknown)} with `apt-file search {unknown[0]}`")
    are = "is" if len(missing) == 1 else "are"
    return (
        f"The window cannot open because {_listed(missing)} {are} missing; on Debian or Ubuntu, "
        f"{' and '.join(advice)}."
    )


def missing_in(error: BaseException) -> list[str]:
    """Return the libraries that a loader's error names as missing."""
    return [Path(name).name for name in _MISSING.findall(str(error))]


def _problem(plugin: Path) -> str:
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        # The error names the first library only, while ldd, the same loader, lists all of them.
        missing = _not_found(plugin) or missing_in(error)
        if missing:
            return missing_sentence(missing)
        return f"The window cannot open because Qt's plugin {plugin.name} cannot be loaded ({error})."
    return ""


def _not_found(plugin: Path) -> list[str]:
    """Return the libraries, direct and indirect, that the system's loader cannot find for a plugin."""
    try:
        done = subprocess.run(["ldd", str(plugin)], capture_output=True, text=True, check=False)
    except OSError:  # there is no ldd
        return []
    return sorted({line.split()[0] for line in done.stdout.splitlines() if "=> not found" in line})


def _plugin_folder() -> Path | None:
    spec = importlib.util.find_spec("PySide6")  # found, not imported
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "Qt" / "plugins" / "platforms"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _it(packages: Sequence[str]) -> str:
    return "it" if len(packages) == 1 else "them"


if __name__ == "__main__":
    print(window_problem())
