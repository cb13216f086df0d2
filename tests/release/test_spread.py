"""The null spread of a recipe, as a policy that each of its networks passes in the place of every other."""

from __future__ import annotations

from itertools import permutations

import cued
import pytest
from cued import Cued

import camcore
from camcore.release.judged import judge
from camcore.release.kinds import AT_LEAST
from camcore.release.policy import read_policy
from camcore.release.proposal import to_facts, to_toml
from camcore.release.spread import Spread, loosened


@pytest.fixture(scope="module")
def spread(cue: Cued) -> Spread:
    third = cued.network(cued.CUE / 4, name="third")
    steps = camcore.spread([cue.old, cue.new, third], cue.home / "pictures", cue.out, masks=cue.home / "masks")
    *_, last = steps
    assert last.result is not None
    return last.result


def test_every_network_passes_in_the_place_of_every_other(cue: Cued, spread: Spread) -> None:
    policy = read_policy(to_toml(spread).encode())
    assert {rule.name for rule in policy.rules} == {one.rule.name for one in spread.rules if not one.unknown}
    names = {folder.name.split("-")[0]: folder for folder in cue.out.iterdir()}
    for old, new in permutations(("old", "new", "third"), 2):
        *_, last = camcore.check_audits(names[new], names[old], policy, masks=cue.home / "masks")
        assert last.result is not None
        assert last.result.passed, [one.sentence for one in last.result.rules if one.refuses]
        assert len(judge(last.result.versions, policy)) == len(policy.rules)


def test_figures_are_those_of_all_pairs(spread: Spread) -> None:
    found = {one.rule.name: one for one in spread.rules}
    assert all(len(one.figures) == 6 for one in spread.rules if not one.unknown)
    lost = found["evidence_inside_lost"]
    largest = cued.MARKED / (2 * cued.COUNT) * cued.MOVED
    assert (lost.worst, lost.mean) == pytest.approx((largest, 0), abs=1e-3)
    inside = found["evidence_inside"]
    assert inside.worst == pytest.approx(1 - largest, abs=1e-3)
    assert inside.rule.limit <= min(one.low for one in inside.figures) < inside.rule.limit + 0.001
    assert found["suspects"].unknown


def test_limits_are_loosened_by_the_distance_of_the_worst_figure_from_the_mean(spread: Spread) -> None:
    loose = loosened(spread, 2.0)
    for tight, one in zip(spread.rules, loose.rules, strict=True):
        assert one.figures == tight.figures
        if tight.unknown:
            continue
        ends = [figure.end(tight.rule) for figure in tight.figures]
        mean, kind = sum(ends) / len(ends), tight.rule.kind
        worst = min(ends) if kind.limit == AT_LEAST else max(ends)
        step = 1.0 if kind.whole else 1e-3
        assert one.rule.limit == pytest.approx(min(max(worst + 2 * (worst - mean), kind.low), kind.high), abs=step)
    assert loosened(loose, 0.0) == spread
    assert "# Loosened by 2 times" in to_toml(loose)
    assert read_policy(to_toml(loose).encode()).rules


def test_audits_that_are_there_give_the_same(cue: Cued, spread: Spread) -> None:
    names = {folder.name.split("-")[0]: folder for folder in cue.out.iterdir()}
    *_, last = camcore.spread_audits([names[name] for name in spread.networks], masks=cue.home / "masks")
    assert last.result == spread
    with pytest.raises(camcore.CamcoreError, match="at least 2"):
        camcore.spread_audits([names["old"]])


def test_what_is_not_examined_is_a_comment(spread: Spread) -> None:
    text = to_toml(spread)
    assert "# [suspects] is not examined: " in text
    assert "3 networks show little" in text
    facts = to_facts(spread)
    assert facts["policy"] == text
    with pytest.raises(camcore.CamcoreError, match="at least 2"):
        camcore.spread([], "pictures", "out")
