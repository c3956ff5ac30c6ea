"""The wheel: it contains the program and what it reads, and nothing else."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("app", "rag", "resources")
GENERATED = shutil.ignore_patterns("__pycache__")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel of the working tree, built from a copy: setuptools writes beside what it builds."""
    source = tmp_path_factory.mktemp("source")
    for folder in (*PARTS, "tests", "benchmarks", "docs"):
        shutil.copytree(ROOT / folder, source / folder, ignore=GENERATED)
    for name in ("main.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    # A folder that somebody adds tomorrow, without touching pyproject.toml.
    (source / "rag" / "tomorrow" / "deep").mkdir(parents=True)
    for new in (source / "rag" / "tomorrow", source / "rag" / "tomorrow" / "deep"):
        (new / "__init__.py").write_text('"""New."""\n', "utf-8")
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "wheel", str(source), *options, "-w", str(source / "made")]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (made,) = (source / "made").glob("*.whl")
    return made


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    """Return the names of the files in the wheel, without its own records."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def expected() -> set[str]:
    """Return the files of the working tree that belong into a wheel."""
    found = {"main.py"}
    for part in PARTS:
        for path in (ROOT / part).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                found.add(path.relative_to(ROOT).as_posix())
    return found - {"resources/samples/make_samples.py"}  # made the samples; nothing runs it


def test_the_wheel_contains_the_program_and_its_resources_and_no_more(contents: set[str]) -> None:
    new = {"rag/tomorrow/__init__.py", "rag/tomorrow/deep/__init__.py"}
    assert contents == expected() | new


def test_the_resources_are_found_where_the_wheel_is_unpacked(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    script = (
        "import rag.storage.data_folder as f, rag.grounding.train as t; from pathlib import Path;"
        "print(f.RESOURCES); print(Path(t.ARTEFACT).is_file())"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == [str(tmp_path / "resources"), "True"]
