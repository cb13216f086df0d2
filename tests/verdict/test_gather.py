"""The whole verdict: what must not be trusted is not, on real networks; cost, steps and cancelling."""

from dataclasses import replace

import numpy as np
import pytest
from bright import counter, picture
from networks import flat
from shared_data import shared

import camcore
from camcore.errors import CamcoreError
from camcore.verdict.gather import PLANS, trust, trust_passes


def spotted(size=(24, 24)):
    """One bright square in the dark, off the middle."""
    grey = np.full(size, 10)
    grey[3:10, 14:21] = 250
    return picture(grey)


def last(net, pic, m, form="quick"):
    *_, step = trust(net, pic, m, form)
    return step.trust


def kinds(found):
    return {reason.key: reason.kind for reason in found.verdict.reasons}


@pytest.fixture(scope="module")
def net():
    return counter((24, 24))


@pytest.fixture(scope="module")
def good(net):
    (m,) = camcore.explain(net, spotted(), "gradcam", classes=1, framing="stretch")
    return m


def test_a_map_of_what_counts_beats_chance(net, good):
    found = last(net, spotted(), good)
    assert kinds(found)["chance"] == "for"
    chance = found.findings.chance
    assert len(chance.lead_random) == 19
    assert chance.lead > max(chance.lead_random)
    # Hiding the brightest fifth (115 of 576 pixels, all 49 bright ones): the mean colour of the whole in their place.
    x = spotted().rgb[..., 0] / 255
    hidden = np.where(x > 0.5, x.mean(), x)
    left = (hidden.sum() - 66 * (x.min() - x.mean())) / 576
    y, after = (1 / (1 + np.exp(3 - 8 * mean)) for mean in (x.mean(), left))
    assert chance.removed == pytest.approx((y - after) / y, abs=1e-6)


def test_the_same_everywhere_is_not_trusted(net, good):
    for value in (0, 1):
        found = last(net, spotted(), replace(good, values=np.full((24, 24), value, np.float32)))
        assert found.verdict.level == "distrust"
        assert kinds(found)["flat"] == "against"


@pytest.mark.parametrize("method", ["centre", "random"])
def test_a_control_is_not_trusted(net, method):
    (m,) = camcore.explain(net, spotted(), method, classes=1, framing="stretch")
    found = last(net, spotted(), m)
    assert found.verdict.level == "distrust"
    assert kinds(found)["survives"] == "against"


def test_the_wrong_place_does_not_beat_chance(net, good):
    found = last(net, spotted(), replace(good, values=np.ascontiguousarray(good.values[::-1, ::-1])))
    assert found.verdict.level == "distrust"
    assert kinds(found)["chance"] == "against"


@pytest.mark.parametrize(
    ("name", "options"),
    [pytest.param("MobileNetV2", {"input_shape": (96, 96, 3)}, marks=pytest.mark.slow), ("cats_vs_dogs", {})],
)
def test_a_network_of_random_weights_is_not_trusted(name, options):
    net = camcore.load(name, weights="random", **options)
    pic = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (160, 160, 3), np.uint8))
    for method in ("gradcam", "layercam"):
        (m,) = camcore.explain(net, pic, method)
        found = last(net, pic, m)
        assert found.verdict.level == "distrust"
        assert kinds(found)["undecided"] == "against"


def test_the_model_is_as_it_was():
    model = flat()
    before = [value.copy() for value in model.get_weights()]
    net = camcore.wrap(model)
    pic = spotted()
    (m,) = camcore.explain(net, pic, "gradcam")
    for form in PLANS:
        last(net, pic, m, form)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


def test_the_full_form_has_all_figures(net, good):
    found = last(net, spotted(), good, "full")
    assert kinds(found)["chance"] == "for"
    assert [one.name for one in found.more] == ["gradcam", "centre", "random", "random", "random"]
    assert found.more[0].road is not None
    assert found.more[0].adcc is not None
    assert len(found.copies) == 5
    assert [stage.layers for stage in found.stages] == [1, 2]


def test_every_control_comes_with_the_map(net, good):
    found = last(net, spotted(), good)
    assert [one.name for one in found.chance] == ["gradcam", "centre"] + ["random"] * 19
    assert sorted(one.seed for one in found.chance[2:]) == list(range(19))
    assert len(found.copies) == 3


def test_a_dear_map_is_not_made_again_in_the_quick_form(net):
    options = {"rise": {"n": 500}}
    (m,) = camcore.explain(net, spotted(), "rise", classes=1, framing="stretch", options=options)
    found = last(net, spotted(), m)
    assert not found.copies
    assert found.sensitivity is None
    assert kinds(found)["unchecked"] == "beware"
    assert "about 501 forward passes" in found.verdict.text
    assert trust_passes(net, m) < 300 < trust_passes(net, m, "full")


def test_a_fused_map_is_judged_by_what_can_be(net, good):
    found = last(net, spotted(), camcore.fuse([good]), "full")
    assert kinds(found)["unchecked"] == "beware"
    assert found.more[0].coherency is None
    assert found.more[0].road is not None


def test_steps_tell_the_cost_beforehand(net, good):
    steps = list(trust(net, spotted(), good))
    assert steps[0].total == trust_passes(net, good) == steps[-1].done
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert all(step.trust.verdict is None for step in steps[:-1])
    assert len(steps) > 2


@pytest.mark.slow
def test_the_quick_form_is_quick_on_mobilenet():
    net = camcore.load("MobileNetV2", weights="random")
    pic = camcore.Picture.from_array(np.zeros((64, 64, 3), np.uint8))
    for m in camcore.explain(net, pic, ["gradcam", "layercam", "eigencam", "fullgrad", "reciprocam"]):
        assert trust_passes(net, m) <= 300


def test_closing_stops_within_a_chunk(net, good):
    asked = []
    logits = net.logits
    net.logits = lambda x: asked.append(len(x)) or logits(x)
    try:
        steps = trust(net, spotted(), good)
        assert not asked
        next(steps)
        next(steps)
        steps.close()
        assert len(asked) == 1
    finally:
        del net.logits


def test_what_cannot_be_judged_is_refused_at_the_call(net, good):
    with pytest.raises(CamcoreError, match=r"no form 'quik'.*'quick'"):
        trust(net, spotted(), good, "quik")  # type: ignore[arg-type]
    with pytest.raises(CamcoreError, match="cannot be judged with"):
        trust(net, spotted((30, 24)), good)


@pytest.mark.slow
def test_the_bundled_model_mostly_beats_chance():
    net = camcore.load("cats_vs_dogs")
    folder = shared("cats_dogs", "test")
    files = [*sorted((folder / "cat").iterdir())[:3], *sorted((folder / "dog").iterdir())[:3]]
    found = []
    for file in files:
        pic = camcore.open_picture(file)
        (m,) = camcore.explain(net, pic, "gradcam")
        found.append(kinds(last(net, pic, m)).get("chance") == "for")
    assert sum(found) > len(found) / 2
