"""Figures as people read them."""

import math

import pytest

from camcore.text import decimal, percent, with_sign


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.71, "71 %"),
        (0.004, "0.4 %"),
        (0.0004, "< 0.1 %"),
        (0.9996, "> 99.9 %"),
        (0.0, "0 %"),
        (-0.0, "0 %"),
        (1.0, "100 %"),
        (1.5, "150 %"),
        (-0.71, "−71 %"),
        (-0.004, "−0.4 %"),
        (-0.0004, "> −0.1 %"),
        (-0.9996, "< −99.9 %"),
    ],
)
def test_a_share_in_percent_says_what_is_true(share: float, text: str) -> None:
    assert percent(share) == text


def test_a_share_below_zero_lies_where_its_text_says() -> None:
    """The text of any share, read as a number or a bound, holds the share itself."""
    for share in [step / 10_000 for step in range(-20_000, 20_001, 7)]:
        bound, _, number = percent(share).removesuffix(" %").rpartition(" ")
        told = float(number.replace("−", "-")) / 100
        holds = {"": abs(told - share) <= 0.0051, "<": share < told, ">": share > told}
        assert holds[bound], (share, percent(share))


@pytest.mark.parametrize(
    ("value", "plain", "text"),
    [(-0.48, "−0.48", "−0.48"), (4.62, "4.62", "+4.62"), (-0.001, "0.00", "0.00"), (0.0, "0.00", "0.00")],
)
def test_a_figure_has_a_sign_where_it_is_not_zero(value: float, plain: str, text: str) -> None:
    assert (decimal(value), with_sign(value)) == (plain, text)


def test_what_is_no_figure_is_a_dash() -> None:
    assert decimal(math.nan) == with_sign(math.nan) == percent(math.nan) == "–"
