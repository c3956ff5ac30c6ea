"""README, CONTRIBUTING and CHANGELOG name what there is: files, pictures, benchmarks, commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_the_readme_opens_with_what_it_is_a_picture_and_the_two_commands() -> None:
    parts = README.split("\n\n")
    assert parts[0] == "# Ragdeck"
    assert "retrieval-augmented generation" in parts[1]
    assert parts[2].startswith("![")
    blocks = re.findall(r"```\n(.*?)\n```", README, re.DOTALL)
    assert blocks[:2] == ["python main.py", "python main.py test"]


def test_every_picture_and_link_of_a_document_is_there() -> None:
    for text in (README, CONTRIBUTING):
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            if not target.startswith("http"):
                assert (ROOT / target).exists(), target


def test_pictures_have_a_text_for_those_who_do_not_see_them() -> None:
    assert all(len(text) > 20 for text in re.findall(r"!\[([^\]]*)\]", README))


def test_every_benchmark_is_in_the_table_and_every_row_is_a_benchmark() -> None:
    named = set(re.findall(r"python -m benchmarks\.(\w+)", README))
    there = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - {"__init__", "peers"}
    assert named == there


def test_every_benchmark_says_what_it_measures() -> None:
    for path in (ROOT / "benchmarks").glob("*.py"):
        first = path.read_text("utf-8").splitlines()[0]
        assert first.startswith('"""') and len(first) > 20, path.name


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:rag|app|tests|resources)/[\w/.]+)`", CONTRIBUTING)))
)
def test_every_path_in_contributing_is_there(path: str) -> None:
    placeholders = ("NAME", "test_NAME")
    if not any(word in path for word in placeholders):
        assert (ROOT / path).exists()


def test_every_module_that_the_readme_names_is_there() -> None:
    for name in re.findall(r"`((?:rag|app)/[\w/]+\.py)`", README):
        assert (ROOT / name).exists(), name


def test_the_changelog_says_what_is_new() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert text.startswith("# Changelog\n\n## Unreleased\n")
    assert len(re.findall(r"^- ", text, re.MULTILINE)) > 10


def test_no_document_names_a_machine_or_the_host_of_a_registry() -> None:
    for path in [*ROOT.glob("*.md"), ROOT / "pyproject.toml", *(ROOT / ".ci").iterdir()]:
        text = path.read_text("utf-8")
        assert not re.search(r"(^|[\s(\"'=])/(home|root|work|tmp)/\w", text), path.name
        assert not re.search(r"pypi\.org|pythonhosted|registry\.npmjs|deb\.debian", text), path.name
