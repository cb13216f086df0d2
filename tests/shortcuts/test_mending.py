"""Mending of a known shortcut: the mark stops to count, the rest of the head stays; and closed forms of the head."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from planted import MARK, SIDE, colour_network, planted_folder

import camcore
from camcore.__main__ import main
from camcore.audits.groups import read_groups
from camcore.errors import CamcoreError, MethodError
from camcore.generators import Returning
from camcore.shortcuts.linear_head import LinearHead, linear_head, with_head
from camcore.shortcuts.mended import WAYS
from camcore.shortcuts.mending import Mended, mend


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return colour_network(magenta=400)


@pytest.fixture(scope="module")
def audited(network, tmp_path_factory) -> Path:
    pictures, out = tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("audits") / "planted"
    planted_folder(pictures)
    list(camcore.audit(network, pictures, out, layer="cells"))
    return out


def mended(network: camcore.Network, folder: Path, way: str) -> Mended:
    steps = Returning(mend(network, folder, 1, way))
    counts = list(steps)
    assert counts[-1][0] == counts[-1][1]
    return steps.result


@pytest.mark.parametrize("way", WAYS)
def test_the_mark_counts_no_more_and_the_thing_still_does(network, audited, way):
    assert read_groups(audited)[0].suspect
    done = mended(network, audited, way)
    before, after = done.record.before, done.record.after
    assert before.flipped.value > 0.5
    assert before.flipped.count > before.random.count
    assert before.flipped.n == after.random.n > 100  # each picture of another class gets several
    assert after.flipped.value < before.flipped.value / 2
    assert after.flipped.low <= after.random.high  # no more than any piece of its pictures does
    assert after.others.value >= before.others.value - 0.05
    kernels = [linear_head(one, "cells").kernel for one in (network, done.network)]
    margins = [kernel[:, 1] - kernel[:, 0] for kernel in kernels]
    assert margins[1][2] < margins[0][2]  # magenta
    assert margins[1][0] > 0 > margins[1][1]  # green and blue


@pytest.mark.parametrize("way", WAYS)
def test_a_mark_that_stays_in_its_place_counts_no_more(network, tmp_path, way):
    planted_folder(tmp_path / "pictures", at=(24, 30))
    list(camcore.audit(network, tmp_path / "pictures", tmp_path / "audit", layer="cells"))
    first = read_groups(tmp_path / "audit")[0]
    assert first.suspect
    assert first.copied.in_place == pytest.approx(MARK**2 / SIDE**2)
    record = mended(network, tmp_path / "audit", way).record
    assert record.before.flipped.count == record.before.flipped.n > 0
    assert (record.before.random.count, record.after.flipped.count) == (0, 0)
    assert record.after.others.high >= record.before.others.low


def test_the_network_itself_stays_as_it_is(network, audited):
    before = [np.array(value) for value in network.model.get_weights()]
    mended(network, audited, "project")
    for one, other in zip(before, network.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_direction_is_taken_out_and_what_lies_across_it_stays():
    rng = np.random.default_rng(0)
    head = LinearHead("", rng.normal(size=(5, 3)), rng.normal(size=3))
    direction, usual = rng.normal(size=(2, 5))
    fresh = head.without(direction, usual)
    np.testing.assert_allclose(direction @ fresh.kernel, 0, atol=1e-12)
    across = rng.normal(size=5)
    across -= direction * (across @ direction) / (direction @ direction)
    np.testing.assert_allclose(across @ fresh.kernel, across @ head.kernel, atol=1e-12)
    # pictures that differ from the usual one across the direction keep their scores, however much of it they have
    for much in (0.0, 3.0):
        one = usual + across + much * direction
        np.testing.assert_allclose(one @ fresh.kernel + fresh.bias, (usual + across) @ head.kernel + head.bias)
    assert head.without(np.zeros(5), usual) is head


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_head_is_fitted_where_the_slope_of_its_loss_is_zero(outputs):
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    labels = np.arange(80) % 2
    features = rng.normal(size=(80, 3)) + labels[:, None] * [1.0, 0.0, -0.5]
    features /= features.std(axis=0)
    penalty = 0.05
    fitted = LinearHead("", np.zeros((3, outputs)), np.zeros(outputs)).fitted(features, labels, penalty, 500)
    share = 1 if outputs == 1 else 2  # two outputs split the difference, and its square
    reference = LogisticRegression(C=share / (2 * penalty * len(labels)), tol=1e-10).fit(features, labels)
    margin = fitted.kernel[:, -1] - (fitted.kernel[:, 0] if outputs == 2 else 0)
    np.testing.assert_allclose(margin, reference.coef_[0], rtol=0.02)


def test_what_cannot_be_mended_is_told(network, audited):
    with pytest.raises(CamcoreError, match="counted from 1"):
        mend(network, audited, 99)
    with pytest.raises(CamcoreError, match="project"):
        mend(network, audited, 1, "magic")
    with pytest.raises(MethodError):
        linear_head(_flattened(), "conv")


def _flattened() -> camcore.Network:
    import keras
    from keras import layers

    x = keras.Input((8, 8, 3))
    y = layers.Flatten()(layers.Conv2D(2, 3, activation="relu", name="conv")(x))
    return camcore.wrap(keras.Model(x, layers.Dense(2, activation="softmax")(y)))


def test_a_copy_with_the_same_head_says_the_same(network):
    twin = with_head(network, linear_head(network, "cells"), "a copy")
    x = np.random.default_rng(0).random((2, 64, 64, 3)).astype(np.float32)
    np.testing.assert_allclose(twin.logits(x), network.logits(x), atol=1e-6)


def test_the_command_mends_and_says_what_it_needs(network, audited, tmp_path, capsys):
    command = ["mend", str(audited), "--out", str(tmp_path / "out")]
    assert main(command) == 1
    assert "--model" in capsys.readouterr().err
    network.model.save(tmp_path / "colours.keras")
    (tmp_path / "labels.txt").write_text("sky\nleaf\n")
    command += ["--model", str(tmp_path / "colours.keras"), "--labels", str(tmp_path / "labels.txt")]
    assert main([*command, "--preprocess", "unit", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["before"]["flipped"]["value"] > 0.5 > facts["after"]["flipped"]["value"]
    assert Path(facts["saved"]).exists()
    colour_network(magenta=399).model.save(tmp_path / "other.keras")
    command[command.index(str(tmp_path / "colours.keras"))] = str(tmp_path / "other.keras")
    assert main(command) == 1
    assert "other weights" in capsys.readouterr().err
