"""CONTRIBUTING's "A new method", followed: a function, an input and a row, and everything else works."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from networks import flat
from PIL import Image

import camcore
from camcore.__main__ import main
from camcore.graph.layers import Site
from camcore.heatmaps import keras_api
from camcore.methods import registry
from camcore.methods.info import MethodInfo, OptionValues, options, variant
from camcore.methods.inputs import Array, Input, MethodArguments, MethodCall, PerturbedScores
from camcore.methods.perturbations import PerturbationPlan, Perturbations, Series

RGB = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)
PIC = camcore.Picture.from_array(RGB)


# ---- 1. the function


def gradient_times_input(x: Array, G: Array, *, variant: str = "signed") -> Array:
    """raw = Σ_c x_c ∂y/∂x_c (Shrikumar 2016); variant ``absolute``: of the absolute values."""
    return (x * G if variant == "signed" else np.abs(x * G)).sum(axis=-1)


def hidden_rows(A: None, perturbed: PerturbedScores) -> Array:
    """raw = how far y_c falls when a row is set to zero."""
    raw = np.zeros(perturbed.input_size)
    raw[perturbed.members] = (perturbed.logit - perturbed.logits[:, :1]) / perturbed.input_size[1]
    return raw


# ---- 2. the input, of a kind that there is not yet


class PixelsAndGradient(Input):
    """``x`` and ``G`` (H, W, C): the network's input, and ∂logit/∂x."""

    layer_free = True
    derivative_order = 1
    per_class = True

    def passes(self, site: Site, options: OptionValues) -> float:
        return 3.0

    def arguments(self, call: MethodCall, class_index: int) -> MethodArguments:
        G, seconds = call.session.input_gradient(class_index)
        x = call.session.network.channels_last(call.session.x)[0]
        return MethodArguments((x, G), 3.0, seconds, (G,))


class HiddenRows(Perturbations):
    """Scores with each row of the input set to zero."""

    layer_free = True

    def passes(self, site: Site, options: OptionValues) -> float:
        return float(site.input_size[0])

    def plan(self, call: MethodCall) -> PerturbationPlan:
        network, x = call.session.network, call.session.x

        def ask(members: np.ndarray) -> Array:
            hidden = np.repeat(x, len(members), axis=0)
            hidden[np.arange(len(members)), members] = 0
            return network.logits(hidden)

        return PerturbationPlan(np.arange(network.input_size[0]), (Series(("rows",), ask),), chunk=5)


# ---- 3. the row


def row(key: str, class_name: str, **own: object) -> MethodInfo:
    facts = {
        "key": key,
        "title": key.title(),
        "class_name": class_name,
        "family": "control",
        "paper": "Somebody, Something, 2016",
        "year": 2016,
        "equation": "its product",
        "url": "https://example.org",
        "needs": ("the input",),
        "cost": "little",
        "signed": True,
        "summary": "New.",
        "strengths": "Short.",
        "weaknesses": "Made up.",
    }
    return MethodInfo(**{**facts, **own})  # type: ignore[arg-type]


TIMES = row(
    "timesinput",
    "TimesInput",
    input=PixelsAndGradient(),
    compute=gradient_times_input,
    options=variant("signed", "absolute"),
)
ROWS = row("hiddenrows", "HiddenRows", input=HiddenRows(), compute=hidden_rows, options=options())


@pytest.fixture(autouse=True)
def new_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    for info in (TIMES, ROWS):
        monkeypatch.setitem(registry._BY_KEY, info.key, info)
        monkeypatch.setitem(keras_api.CLASSES, info.class_name, keras_api.class_for(info))


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat(), labels=list("abcd"), preprocess=lambda rgb: rgb / 127.5 - 1)


def product(network: camcore.Network, x: np.ndarray, index: int) -> np.ndarray:
    """Σ_c x_c ∂y/∂x_c, without the method."""
    G = network.tap(x, [""], [index]).gradients[0][""][0]
    return (x[0] * G).sum(axis=-1)


def test_explain(network):
    one, other = camcore.explain(network, PIC, "timesinput", classes=[1, 2], framing="stretch")
    x, _ = network.prepare(PIC, "stretch")
    np.testing.assert_allclose(one.raw, product(network, x, 1), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(other.raw, product(network, x, 2), rtol=1e-5, atol=1e-7)
    assert one.layer is None
    assert one.passes == 3
    assert one.on_picture().shape == (24, 20)
    (absolute,) = camcore.explain(
        network, PIC, "timesinput", classes=1, framing="stretch", options={"timesinput": {"variant": "absolute"}}
    )
    assert absolute.raw.min() >= 0


def test_partial_maps_come_and_the_last_is_whole(network):
    steps = list(camcore.stream(network, PIC, "hiddenrows", classes=1, framing="stretch"))
    height = network.input_size[0]
    assert [len(step.partial) for step in steps] == [1] * (len(range(5, height, 5))) + [0]
    (m,) = steps[-1].maps
    x, _ = network.prepare(PIC, "stretch")
    hidden = np.repeat(x, height, axis=0)
    hidden[np.arange(height), np.arange(height)] = 0
    falls = network.logits(x)[0, 1] - network.logits(hidden)[:, 1]
    np.testing.assert_allclose(m.raw.sum(axis=1), falls, rtol=1e-4, atol=1e-6)


def test_estimate(network):
    assert camcore.estimate(network, "timesinput", classes=[0, 1]) == 1 + 2 * 3
    assert camcore.estimate(network, "hiddenrows", classes=[0, 1]) == 1 + network.input_size[0]


def test_the_class(network):
    x, _ = network.prepare(PIC, "stretch")
    method = camcore.TimesInput(network, variant="signed")
    np.testing.assert_allclose(method.compute_heatmap(x, 1, raw=True), product(network, x, 1), rtol=1e-5, atol=1e-7)
    with pytest.raises(camcore.MethodError, match="variant='none' is not one of 'signed', 'absolute'"):
        camcore.TimesInput(network, variant="none")


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    Image.fromarray(RGB).save(tmp_path / "photo.png")
    arguments = ["explain", str(tmp_path / "photo.png"), "--model", "cats_vs_dogs", "--method", "timesinput"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    run = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert "timesinput" in json.dumps(run)
    assert main(["methods"]) == 0
    assert "timesinput" in capsys.readouterr().out
