"""Every way to write one network × everything that the engine computes: the same, whatever the way.

The methods' own formulas are tested on one network each, in ``tests/methods``. Between two ways to write a network
only what a formula is given can differ, so one method of each source stands for all that share it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from cheap import CHEAP, GENERAL
from networks import GRID, TWINS, Twin, images

import camcore
from camcore.methods import METHODS


def one_of_each_input() -> Iterator[tuple[str, dict[str, Any]]]:
    """The first method of each kind of input, in each variant that asks something else of the network."""
    known = set()
    for key in GENERAL:
        info = METHODS[key]
        variant = info.options.get("variant")
        for choice in variant.choices if variant and not variant.formula else (None,):
            if (type(info.input), choice) not in known:
                known.add((type(info.input), choice))
                yield key, {"variant": choice} if choice else {}


# Of the gradients ``cam`` comes first, which looks at the linear head alone; ``hirescam`` keeps each place and sign.
ENGINE = [*one_of_each_input(), ("hirescam", {}), ("scorecam", {"variant": "authors"})]

# Weighed by probabilities, of which a sigmoid has others than the two-unit softmax that it is compared with; on the
# input's own colours, of which grey has one. Both are worked out in tests/methods.
PROBABLE = [("reciprocam", "paper"), ("reciprocam", "gaussian"), ("rise", None), ("finercam", None)]
PROBABLE += [("scorecam", "authors"), ("shapleycam", "rest")]
COLOURED = [("gradient", None), ("fullgrad", None)]


@functools.cache
def reference(build: Callable[[], Any]) -> camcore.Network:
    return camcore.wrap(build())


def pictures(grey: bool) -> np.ndarray:
    x = images(2)
    return np.repeat(x[..., :1], 3, axis=-1) if grey else x


def heatmap(network: camcore.Network, x: np.ndarray, index: int, key: str, options: dict[str, Any]) -> np.ndarray:
    method = getattr(camcore, METHODS[key].class_name)
    return method(network, **CHEAP.get(key, {}), **options).compute_heatmap(x, index, raw=True)


@functools.cache
def wanted(build: Callable[[], Any], grey: bool, index: int, row: int) -> np.ndarray:
    """The reference's maps by a row of ``ENGINE``."""
    return heatmap(reference(build), pictures(grey), index, *ENGINE[row])


@pytest.fixture(scope="module", params=TWINS)
def twin(request: pytest.FixtureRequest) -> Twin:
    return TWINS[request.param]


@pytest.fixture(scope="module")
def network(twin: Twin) -> camcore.Network:
    return camcore.wrap(twin.build(), **twin.options)


@pytest.fixture(scope="module", autouse=True)
def forget() -> Iterator[None]:
    yield
    reference.cache_clear()
    wanted.cache_clear()


def test_every_source_has_a_method_here():
    assert {type(METHODS[key].input) for key, _ in ENGINE} == {type(METHODS[key].input) for key in GENERAL}


def test_the_same_logits_and_default_layer(twin, network):
    x, other = pictures(twin.grey_picture), reference(twin.reference)
    logits = other.logits(x)
    close = twin.tolerance * np.abs(logits).max()
    found = network.logits(twin.image(x))
    np.testing.assert_allclose(found[:, twin.class_index], logits[:, twin.reference_class], rtol=0, atol=close)
    info, same = network.layer(network.default_layer), other.layer(other.default_layer)
    assert info.grid == GRID
    assert twin.layer is None or twin.layer in info.path
    assert (info.receptive_field, info.first_centre) == (same.receptive_field, same.first_centre)
    assert [info for info in network.layers if info.recommended] == [info]


def test_the_same_maps(twin, network):
    x = twin.image(pictures(twin.grey_picture))
    others = (PROBABLE if network.activation == "sigmoid" else []) + (COLOURED if twin.grey_picture else [])
    for row, (key, options) in enumerate(ENGINE):
        name, info = f"{key} {options}", METHODS[key]
        want = wanted(twin.reference, twin.grey_picture, twin.reference_class, row)
        got = heatmap(network, x, twin.class_index, key, options)
        assert got.shape == want.shape, name
        assert info.layer_free or got.shape == (2, *GRID), name
        assert got.dtype == np.float32, name
        assert want.any(), name
        if (key, options.get("variant")) not in others:
            close = twin.tolerance * (5 if key == "fullgrad" else 1)  # the sum of many maps, each with its own rounding
            np.testing.assert_allclose(got, want, rtol=0, atol=close * np.abs(want).max(), err_msg=name)
