"""Colours that can be read and told apart, and icons that take them."""

import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.widgets.theme import STATUS_COLOURS, VERDICT_COLOURS, Theme, scaled
from rag.storage.data_folder import RESOURCES

# How the colour-blind see linear RGB: Machado, Oliveira and Fernandes (2009), severity 1.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array([[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]),
    "deuteranopia": np.array(
        [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]
    ),
    "tritanopia": np.array([[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]]),
}


def linear(colour: QColor) -> npt.NDArray[np.float64]:
    channels = np.array([colour.redF(), colour.greenF(), colour.blueF()])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: QColor, other: QColor) -> float:
    """WCAG 2: 4.5 is enough for text."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    dark, light = sorted(float(linear(colour) @ weights) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def cie_lab(light: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ np.clip(light, 0, 1) / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.fixture(params=["light", "dark"])
def either(theme: Theme, request: pytest.FixtureRequest) -> Iterator[Theme]:
    theme.apply(request.param)
    yield theme
    theme.apply("light")


def test_coloured_words_can_be_read_wherever_they_stand(either: Theme) -> None:
    words = {"text", "text_muted", "accent", "good", *VERDICT_COLOURS.values(), *STATUS_COLOURS.values()}
    for word, ground in itertools.product(words, ("window", "surface", "raised")):
        ratio = contrast(either.colour(word), either.colour(ground))
        assert ratio >= 4.5, f"{word} on {ground}: {ratio:.2f}"
    for ground in ("selection", "sunken", "highlight"):  # chosen, code, found
        assert contrast(either.colour("text"), either.colour(ground)) >= 4.5
    assert contrast(either.colour("accent_text"), either.colour("accent")) >= 4.5
    assert contrast(either.colour("tooltip_text"), either.colour("tooltip")) >= 4.5


def test_green_is_kept_for_what_was_judged_to_be_right() -> None:
    assert "good" not in {*VERDICT_COLOURS.values(), *STATUS_COLOURS.values()}


@pytest.mark.parametrize("sight", SIGHT)
def test_the_series_stay_apart_for_every_kind_of_sight(either: Theme, sight: str) -> None:
    seen = [cie_lab(SIGHT[sight] @ linear(either.series(number))) for number in range(8)]
    for one, other in itertools.combinations(range(8), 2):
        distance = float(np.linalg.norm(seen[one] - seen[other]))
        assert distance > 14, f"series {one} and {other}: {distance:.1f}"


def test_both_themes_name_the_same_colours(theme: Theme) -> None:
    light = set(theme.values)
    theme.apply("dark")
    assert set(theme.values) == light
    theme.apply("light")


def test_a_change_of_theme_is_told_and_reaches_the_palette(qtbot: QtBot, theme: Theme) -> None:
    with qtbot.waitSignal(theme.changed):
        theme.apply("dark")
    assert QApplication.palette().color(QPalette.ColorRole.Window) == theme.colour("window")
    assert QApplication.palette().color(QPalette.ColorRole.Window).lightness() < 60
    theme.apply("light")
    assert not theme.is_dark


def test_every_icon_is_drawn_in_the_colour_asked_for(theme: Theme) -> None:
    names = sorted(path.stem for path in (RESOURCES / "icons").glob("*.svg"))
    assert len(names) > 30
    for name in names:
        image = theme.pixmap(name, "accent", 24, 2).toImage()
        colours = {
            image.pixelColor(x, y).name()
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).alpha() == 255
        }
        assert colours, f"{name} is empty"
        assert name == "ragdeck" or colours == {theme.colour("accent").name()}, name


def test_an_icon_is_sharp_on_a_fine_screen_and_pale_when_disabled(theme: Theme) -> None:
    fine = theme.pixmap("ask", "text", 24, 2)
    assert (fine.width(), fine.deviceIndependentSize().width()) == (48, 24)
    icon = theme.icon("ask")
    usual, disabled = icon.pixmap(24), icon.pixmap(24, QIcon.Mode.Disabled)
    assert usual.toImage() != disabled.toImage()


def test_text_and_what_is_around_it_follow_the_text_size(qtbot: QtBot, theme: Theme) -> None:
    made = QPushButton("Save")
    qtbot.addWidget(made)
    made.show()
    usual, font = made.sizeHint(), made.fontMetrics().height()
    assert scaled(100) == 100
    with qtbot.waitSignal(theme.changed):
        theme.resize(200, "comfortable")
    assert scaled(100) == 200
    assert made.fontMetrics().height() > 1.8 * font
    assert made.sizeHint().height() > 1.8 * usual.height()
    assert "border: 2px solid" in QApplication.instance().styleSheet()
    theme.resize(100, "compact")
    assert made.fontMetrics().height() == font
    assert made.sizeHint().height() < usual.height()
    theme.resize(100, "comfortable")
    assert made.sizeHint() == usual
