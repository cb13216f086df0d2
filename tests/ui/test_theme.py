"""The theme's colours can be read: WCAG 2's contrast of 4.5 for text."""

import tomllib
from pathlib import Path

import pytest

from ui.compare.pair_table import luminance

THEME = tomllib.loads((Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
TINT = 0.1
"""The share of the primary colour that Streamlit lays under what is chosen."""


def rgb(text: str) -> tuple[int, int, int]:
    red, green, blue = (int(text[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_links_and_what_is_chosen_can_be_read(scheme: str) -> None:
    theme = THEME[scheme]
    for ground in (rgb(theme["backgroundColor"]), rgb(theme["sidebar"]["backgroundColor"])):
        primary = rgb(theme["primaryColor"])
        red, green, blue = (round(TINT * a + (1 - TINT) * b) for a, b in zip(primary, ground, strict=True))
        assert contrast(primary, (red, green, blue)) >= 4.5
        assert contrast(rgb(theme["linkColor"]), ground) >= 4.5
        assert contrast(rgb(theme["textColor"]), ground) >= 7
