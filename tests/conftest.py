"""Fixtures that every test may use. Qt runs offscreen unless a test run has a display of its own."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from fakes import DirectReader, FakeEmbedder, ScriptedModel

from rag.workspace import Workspace

# The same examples in every run, so that main does not turn red on an old fault by chance. To look for new ones:
# pytest --hypothesis-profile explore
settings.register_profile("explore", deadline=None)
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

os.umask(0o077)  # as the program sets it: folders that tests prepare are then as it would have made them


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    """A workspace with a fast embedder and a model that says what a test wants."""
    with Workspace(
        folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=DirectReader()
    ) as opened:
        opened.language_model()  # loaded, as in a window in use
        yield opened


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """Three small files in a folder."""
    made = tmp_path / "documents"
    made.mkdir()
    (made / "tides.txt").write_text("The tide at Bremen rises 3.5 metres. Boats leave at noon.", "utf-8")
    (made / "bread.md").write_text("# Bread\n\nRye bread needs sourdough and 12 hours of rest.\n", "utf-8")
    (made / "stars.txt").write_text("Sirius is the brightest star. It is 8.6 light years away.", "utf-8")
    return made


@pytest.fixture
def broken_pyside(tmp_path: Path) -> Path:
    """Return a folder with a PySide6 whose xcb plugin needs two libraries that no system has.

    It is the installed one, with the names of two libraries changed in a copy of the plugin.
    """
    (spec,) = importlib.util.find_spec("PySide6").submodule_search_locations
    real, fake = Path(spec) / "Qt", tmp_path / "broken" / "PySide6" / "Qt"
    shutil.copytree(real / "plugins" / "platforms", fake / "plugins" / "platforms")
    (fake / "lib").symlink_to(real / "lib")
    (fake.parent / "__init__.py").write_text("", "utf-8")
    plugin = fake / "plugins" / "platforms" / "libqxcb.so"
    content = plugin.read_bytes()
    for old, new in ((b"icccm.so.4", b"icccm.so.9"), (b"keysyms.so.1", b"keysyms.so.9")):
        assert content.count(b"libxcb-" + old) == 1
        content = content.replace(b"libxcb-" + old, b"libxcb-" + new)
    plugin.write_bytes(content)
    return tmp_path / "broken"
