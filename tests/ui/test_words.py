"""The page's sentences."""

from types import SimpleNamespace

import pytest

from camcore.predictions import Prediction
from ui import words
from ui.jobs.job import Stage
from ui.query import Cost


def says(probability: float, note: str = "ImageNet weights") -> str:
    network = SimpleNamespace(name="Net", weights_note=note)
    return words.headline(network, [Prediction(285, "Egyptian_cat", probability, 0.0)])


def test_the_headline_is_as_sure_as_the_network() -> None:
    assert says(0.71) == "Net says “Egyptian cat”, 71 %"
    assert says(0.12) == "Net is not sure: its best guess is “Egyptian cat”, 12 %"
    assert says(0.71, "random weights") == "Net has learned nothing yet and guesses “Egyptian cat”, 71 %"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "under a second"), (8.6, "about 9 s"), (180, "about 3 min"), (9000, "about 2.5 hours")]
)
def test_duration(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_price() -> None:
    assert words.price(Cost(1281, 9.2)) == "1,281 passes, about 9 s"
    assert words.price(Cost(1281, 20, spread=2)) == "1,281 passes, about 10 to 40 s"


@pytest.mark.parametrize(
    ("seconds", "spread", "text"),
    [
        (80, 2, "about 40 s to 3 min"),
        (600, 2, "about 5 to 20 min"),
        (4800, 2, "about 40 min to 2.7 hours"),
        (1.5, 2, "up to about 3 s"),
        (0.2, 2, "under a second"),
        (30, 1, "about 30 s"),
    ],
)
def test_an_unsure_price_is_a_range(seconds: float, spread: float, text: str) -> None:
    assert words.span(Cost(100, seconds, spread)) == text


def test_what_is_under_way_says_its_time_once_it_can_be_told() -> None:
    begun = Stage("Looking at 4*4 places", expected=60.0)
    begun.reach(0.01)  # too little to go by: what was expected stands
    assert words.under_way(begun) == (0.01, "Looking at 4\\*4 places, about 60 s left")
    assert words.under_way(Stage("Waiting")) == (0.0, "Waiting")
    done = Stage("Looking", fraction=1.0)
    assert words.under_way(done) == (1.0, "Looking")


def test_names_that_occur_twice_can_be_told_apart() -> None:
    assert words.distinct(("crane", "tabby_cat", "crane")) == ("crane (0)", "tabby cat", "crane (2)")


@pytest.mark.parametrize("text", ["<b>bold</b>", "*a*", "[x](javascript:alert(1))", "`c`", "$x$", ":red[x]"])
def test_plain_text_has_no_markup_left(text: str) -> None:
    escaped = words.plain(text)
    assert escaped.replace("\\", "") == text
    for i, character in enumerate(escaped):
        if character in "<*[`$:":
            assert escaped[i - 1] == "\\"


@pytest.mark.parametrize(
    "text", ["www.a.example", "https://a.example/x", "me@a.example", ":smile:", ":material/home:", "WWW.a.example"]
)
def test_addresses_and_icons_stay_text(text: str) -> None:
    """Links and icons are looked for in text whose escapes are resolved: only another letter keeps them away."""
    shown = words.plain(text).replace("\\", "")
    assert shown != text
    assert shown.replace("\N{WORD JOINER}", "") == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1. first", "1\\. first"),
        ("# a\n\n    code", "\\# a      code"),
        ("    code", " code"),
        ("&copy;", "\\&copy;"),
        ("a\u202egnp", "a gnp"),
        ("a\ud800\0b", "a  b"),
        ("ca\u200bt\ufeff\U000e0041", "ca t  "),
    ],
)
def test_a_text_is_one_line_of_words(text: str, shown: str) -> None:
    assert words.plain(text) == shown


def test_file_names_are_tame() -> None:
    assert (
        words.file_stem("../../etc/<b>", "Net", "gradcam++", "a/b", "tiger cat") == "etc-b_Net_gradcam++_a-b_tiger-cat"
    )
    assert words.file_stem("///") == "map"


@pytest.mark.parametrize(
    ("residual", "text"),
    [
        (None, ""),
        (-3e-7, "adds up to the logit 8.25 but for 3e-07"),
        (0.0, "adds up to the logit 8.25 but for 0e+00"),
        (0.33, "misses the logit 8.25 by 4.0 %"),
    ],
)
def test_whether_a_map_adds_up_is_told_where_it_is_known(residual: float | None, text: str) -> None:
    assert words.completeness(SimpleNamespace(residual=residual, logit=8.25, score_kind="logit", lowers=False)) == text


def test_citation_is_short() -> None:
    short = words.citation("Zhou et al., Learning Deep Features, CVPR 2016")
    assert short.replace("\N{NO-BREAK SPACE}", " ") == "Zhou et al., CVPR 2016"
    assert " " not in words.citation("Somebody 2020")
