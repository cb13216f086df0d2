"""The rules of the verdict, one by one, on findings made by hand."""

from dataclasses import replace

import pytest

from camcore.verdict.rules import Chance, Findings, judge

GOOD = Findings(
    same_everywhere=False,
    probability=0.8,
    top=0.8,
    top_label=None,
    classes=1000,
    chance=Chance(
        removed=0.63,
        removed_random=(0.1, 0.14),
        lead=3.0,
        lead_centre=1.0,
        lead_random=tuple(0.1 * number for number in range(19)),
        spread=5.0,
    ),
    survival=(-0.1, 0.2, 0.3),
    random_sureness=(0.001, 0.002, 0.001),
    sensitivity=0.06,
    layer="out_relu",
)


def with_chance(**changed):
    return replace(GOOD, chance=replace(GOOD.chance, **changed))


def test_a_good_map_is_trusted_with_its_reasons():
    verdict = judge(GOOD)
    assert verdict.level == "trust"
    assert verdict.text == (
        "This map beats chance. What it marks matters more to the score than what any of 19 random maps marks. It "
        "changes when the network’s weights are replaced by random ones (rank correlation 0.20). Barely visible noise "
        "changes it by 6.0 % at most. Hiding its top 20 % lowers the score by 63 %; hiding a random map’s lowers it by "
        "12 % on average."
    )


@pytest.mark.parametrize(
    ("removed", "by_chance", "said"),
    [
        (0.001, -0.002, "hardly changes the score, and neither does hiding a random map’s"),
        (0.001, 0.25, "hardly changes the score; hiding a random map’s lowers it by 25 % on average"),
        (-0.1, 0.001, "raises the score by 10 %; hiding a random map’s hardly changes it on average"),
        (0.25, 0.25, "lowers the score by 25 %, as hiding a random map’s does on average"),
    ],
)
def test_hiding_is_told_in_one_sentence_whatever_it_does(removed, by_chance, said):
    text = judge(with_chance(removed=removed, removed_random=(by_chance,))).text
    assert f"Hiding its top 20 % {said}" in text


@pytest.mark.parametrize(
    ("found", "key"),
    [
        (replace(GOOD, same_everywhere=True), "flat"),
        (replace(GOOD, top=0.0011, probability=0.0011), "undecided"),
        (replace(GOOD, classes=2, top=0.55, probability=0.55), "undecided"),
        (replace(GOOD, random_sureness=(0.3, 0.8)), "unsure"),
        (with_chance(lead=1.8), "chance"),  # as good as the best of the random maps
        (with_chance(spread=0.09), "indifferent"),
        (with_chance(lead=float("nan")), "overflow"),
        (replace(GOOD, survival=(0.9, 0.7, 0.1)), "survives"),
    ],
)
def test_one_reason_against_is_enough(found, key):
    verdict = judge(found)
    assert verdict.level == "distrust"
    assert verdict.headline == "Do not trust this map."
    assert key in [reason.key for reason in verdict.reasons if reason.kind == "against"]
    assert verdict.reasons[0].kind == "against"  # what decides comes first


@pytest.mark.parametrize(
    ("found", "key"),
    [
        (with_chance(lead_centre=3.0), "centre"),
        (replace(GOOD, survival=(0.4, 0.5, 0.9)), "resembles"),
        (replace(GOOD, survival=(), unchecked="it is dear"), "unchecked"),
        (replace(GOOD, top_label="tiger_cat", top=0.85), "not first"),
        (replace(GOOD, probability=0.09, top=0.09), "improbable"),
        (replace(GOOD, sensitivity=0.6), "unstable"),
        (replace(GOOD, warning="Saturated: half of it."), "warning"),
    ],
)
def test_what_to_beware_of(found, key):
    verdict = judge(found)
    assert verdict.level == "caution"
    assert [reason.key for reason in verdict.reasons if reason.kind == "beware"] == [key]


@pytest.mark.parametrize(
    ("found", "key"),
    [
        (replace(GOOD, probability=0.9995, top=0.9995), "saturated"),
        (replace(GOOD, whole_picture=True), "receptive field"),
    ],
)
def test_notes_change_nothing(found, key):
    verdict = judge(found)
    assert verdict.level == "trust"
    assert [reason.key for reason in verdict.reasons if reason.kind == "note"] == ["hiding", key]


@pytest.mark.parametrize(
    ("found", "key"),
    [
        (replace(GOOD, classes=2, top=0.56, probability=0.56), "undecided"),
        (replace(GOOD, top=0.0012, probability=0.0012, random_sureness=()), "undecided"),
        (with_chance(lead=1.81), "chance"),
        (with_chance(spread=0.1), "indifferent"),
        (replace(GOOD, survival=(0.9, 0.69, 0.1)), "survives"),
    ],
)
def test_just_beyond_a_limit_a_rule_is_silent(found, key):
    assert not any(reason.kind == "against" and reason.key == key for reason in judge(found).reasons)


def test_the_output_of_a_regression_has_no_odds():
    plain = replace(with_chance(spread=0.05), probability=float("nan"), top=float("nan"))
    assert "the output moves by 5.0 % of its value at most" in judge(plain).text
    assert "its odds move by 5.1 %" in judge(with_chance(spread=0.05)).text  # e^0.05 − 1


def test_a_network_without_probabilities_is_judged_all_the_same():
    unknown = float("nan")
    found = replace(GOOD, probability=unknown, top=unknown, classes=1, random_sureness=(unknown,))
    assert judge(found).level == "trust"
