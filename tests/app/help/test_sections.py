"""The guide's text: a section for each page, whose buttons and commands exist in the program."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer

from app.help.sections import GUIDE, ORDER, find, plain_text, read_section, read_sections
from app.routes import PAGES, TITLES
from rag.cli import app as command_line
from rag.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
SECTIONS = read_sections()
# What dialogs, panels and pages say is written in their source, or made of the names of settings.
PLACES = ("app/pages", "app/shared", "app/help", "app/main_window.py", "app/routes.py")


def texts_of_the_window() -> set[str]:
    """Return every text in the source of the window, without the signs that mark keys."""
    found = set()
    for place in PLACES:
        path = ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value.replace("&", ""))
    return found


def test_every_page_has_a_section_and_every_file_is_one() -> None:
    assert {path.stem for path in GUIDE.glob("*.md")} == set(ORDER)
    assert {page.key for page in PAGES} <= set(ORDER)
    for key, title in TITLES.items():
        assert read_section(key).title == title


def test_what_is_bold_is_a_text_of_the_window() -> None:
    known = texts_of_the_window() | {field.capitalize() for field in Settings.model_fields}
    named = {
        (section.key, word)
        for section in SECTIONS
        for word in re.findall(r"\*\*([^*]+)\*\*", section.text)
        if not word.endswith(".")  # the title of a step
    }
    assert len(named) > 60
    assert sorted(pair for pair in named if pair[1] not in known) == []


def parse(line: str) -> str:
    """Parse a command as the command line does, without running it; return what is wrong with it."""
    command, words, context = typer.main.get_command(command_line), shlex.split(line), None
    name = "ragdeck"
    try:
        while True:
            context = command.make_context(name, words, parent=context)
            words = [*getattr(context, "_protected_args", []), *context.args]
            if not isinstance(command, typer.core.TyperGroup) or not words:
                return ""
            name, command, words = command.resolve_command(context, words)
    except Exception as error:  # Typer has its usage errors in a private copy of click
        return getattr(error, "message", repr(error))


def test_every_command_of_the_guide_is_understood_by_the_command_line() -> None:
    commands = [
        (section.key, line)
        for section in SECTIONS
        for line in re.findall(r"`ragdeck (.*?)`", section.text)
        if not line.startswith("notes.txt")  # paths instead of a command
    ]
    assert {key for key, _ in commands} >= {page.key for page in PAGES}
    assert [(key, line, wrong) for key, line in commands if (wrong := parse(line))] == []
    assert parse("nonsense")
    assert parse("ask --nonsense")


def test_links_lead_to_sections_and_pictures_that_there_are() -> None:
    for section in SECTIONS:
        for target in re.findall(r"\]\(([^)]+)\)", section.text):
            assert re.fullmatch(r"([a-z-]+\.md|pictures/[\w-]+\.webp|https?://.*)", target), target
            assert target.startswith("http") or (GUIDE / target).is_file(), (section.key, target)
        assert "<" not in section.text, section.key


def test_every_section_of_a_page_shows_it_and_names_a_command() -> None:
    for page in PAGES:
        text = read_section(page.key).text
        (alt,) = re.findall(rf"!\[([^\]]+)\]\(pictures/{page.key}\.webp\)", text)
        assert alt.startswith(f"The page {page.title}")
        assert "## Without the window" in text


def test_pictures_are_small_and_all_are_shown() -> None:
    shown = {name for section in SECTIONS for name in re.findall(r"pictures/([\w-]+\.webp)", section.text)}
    files = list((GUIDE / "pictures").iterdir())
    assert {path.name for path in files} == shown
    assert sum(path.stat().st_size for path in files) < 800_000


def test_words_are_found_in_all_sections_those_in_titles_first() -> None:
    hits = find(SECTIONS, "launcher")
    assert "settings" in [hit.section.key for hit in hits]
    assert all("launcher" in hit.excerpt.lower() for hit in hits)
    assert find(SECTIONS, "costs")[0].section.key == "costs"
    both = find(SECTIONS, "Fingerprint undo")
    assert [hit.section.key for hit in both] == ["versions"]
    assert find(SECTIONS, "") != []
    assert find(SECTIONS, "xyzzy") == []
    assert find(SECTIONS, "webp") == []  # not a word that is read


def test_plain_text_has_no_marks() -> None:
    text = "# Ask\n\nSee **Undo** on [Versions](versions.md).\n\n- a `code`\n\n![alt](pictures/a.webp)\n"
    assert plain_text(text).split() == ["Ask", "See", "Undo", "on", "Versions.", "a", "code"]


def test_there_is_no_section_of_another_name() -> None:
    with pytest.raises(KeyError):
        read_section("../settings")
