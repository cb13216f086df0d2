"""The null spread of a recipe, as a policy that each of its networks passes in the place of every other."""

from __future__ import annotations

from itertools import permutations

import cued
import pytest
from cued import Cued

import camcore
from camcore.release.judged import judge
from camcore.release.policy import read_policy
from camcore.release.proposal import to_facts, to_toml
from camcore.release.spread import Spread


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


def test_what_is_not_examined_is_a_comment(spread: Spread) -> None:
    text = to_toml(spread)
    assert "# [suspects] is not examined: " in text
    assert "3 networks show little" in text
    facts = to_facts(spread)
    assert facts["policy"] == text
    with pytest.raises(camcore.CamcoreError, match="at least 2"):
        camcore.spread([], "pictures", "out")
