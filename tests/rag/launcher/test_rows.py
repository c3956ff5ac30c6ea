"""What is said of a launcher that was made, removed, or was not there."""

from rag.launcher.rows import LauncherReport


def test_the_sentence_names_the_launcher_and_what_it_is_for() -> None:
    made = LauncherReport(True, ("/a/ragdeck.desktop", "/a/ragdeck.svg")).sentence()
    assert made.startswith("The launcher is /a/ragdeck.desktop.")
    assert "drop files on it" in made


def test_a_removal_says_that_the_data_stay_or_that_there_was_nothing() -> None:
    assert "Your data stay" in LauncherReport(False, ("/a/ragdeck.desktop",)).sentence()
    assert LauncherReport(False, ()).sentence() == "There is no launcher to remove."
