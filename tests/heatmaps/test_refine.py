"""Refinements: the mean over changed pictures and the main component by hand, and several maps fused into one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cheap import CHEAP, GENERAL
from formulas import close
from networks import GRID, SIZE, W, channels_first, flat, images

import camcore
from camcore.framing import CellGrid
from camcore.heatmaps.refine import augmented, check_refinements, on_input
from camcore.methods import METHODS
from camcore.methods.inputs import PerturbedScores

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
UNWEIGHED = [key for key, info in METHODS.items() if info.weights is None]
N = GRID[0] * GRID[1]


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat(), labels=list("abcd"), preprocess=lambda x: x / 127.5 - 1)


def method(network: Any, key: str, layer: str = "features", **options: Any) -> Any:
    return getattr(camcore, METHODS[key].class_name)(network, layer, **CHEAP.get(key, {}), **options)


def first_component(A: np.ndarray, evidence: np.ndarray) -> np.ndarray:
    """A v₁ by numpy's SVD, in the sign that correlates with the evidence."""
    flat = A.reshape(-1, A.shape[-1])
    found = (flat @ np.linalg.svd(flat, full_matrices=False)[2][0]).reshape(A.shape[:2])
    return found * np.sign(np.corrcoef(found.ravel(), evidence.ravel())[0, 1])


# ---- names


def test_names_are_put_in_order():
    assert check_refinements(()) == ()
    assert check_refinements("eigen") == ("eigen",)
    assert check_refinements(["eigen", "aug", "eigen"]) == ("aug", "eigen")


def test_other_names_are_refused(network):
    with pytest.raises(camcore.MethodError, match="Did you mean 'aug'"):
        check_refinements("augg")
    with pytest.raises(camcore.MethodError, match="no refinement 'smooth'"):
        camcore.explain(network, PIC, refine=("aug", "smooth"))
    with pytest.raises(camcore.MethodError, match="Did you mean 'eigen'"):
        camcore.GradCAM(network, refine="eigne")


# ---- aug


def changed(x: np.ndarray) -> list[tuple[np.ndarray, bool]]:
    return [(x[:, :, ::-1] * f if mirrored else x * f, mirrored) for mirrored in (False, True) for f in (0.9, 1, 1.1)]


def test_the_six_inputs(network):
    x = images(1)
    found = list(augmented(network, x))
    np.testing.assert_array_equal(found[0][0], x)
    assert len(found) == 6
    for wanted, mirrored in changed(x):
        assert sum(m == mirrored and np.allclose(one, wanted, rtol=1e-15) for one, m in found) == 1


def test_the_six_inputs_of_channels_first():
    network = camcore.wrap(channels_first())
    x = images(1).astype(np.float32).transpose(0, 3, 1, 2)
    found = list(augmented(network, x))
    assert {(one.shape, one.dtype.name) for one, _ in found} == {((1, 3, *SIZE), "float32")}
    for index, factor in enumerate((1, 0.9, 1.1)):
        np.testing.assert_allclose(found[index][0], x * factor, rtol=1e-6)
        np.testing.assert_allclose(found[index + 3][0], x[..., ::-1] * factor, rtol=1e-6)


@pytest.mark.parametrize("key", [key for key in GENERAL if key != "rise"])
def test_aug_is_the_mean_of_six_maps(network, key):
    x = images(1)
    plain = method(network, key)
    total = 0.0
    for one, mirrored in changed(x):
        raw = plain.compute_heatmap(one, 2, raw=True)
        total = total + (raw[:, ::-1] if mirrored else raw).astype(np.float64)
    close(method(network, key, refine="aug").compute_heatmap(x, 2, raw=True), total / 6)


def test_aug_of_gradcam_in_closed_form(network):
    x, c = images(1), 1
    total = np.zeros(GRID)
    for one, mirrored in changed(x):
        A = network.tap(one, ["features"]).activations["features"][0]
        raw = np.maximum(A @ W.w[:, c] / N, 0)
        total += raw[:, ::-1] if mirrored else raw
    close(method(network, "gradcam", refine="aug").compute_heatmap(x, c, raw=True), total / 6)
    A = network.tap(x, ["features"]).activations["features"][0]
    plain = np.maximum(A @ W.w[:, c] / N, 0)
    assert np.abs(total / 6 - plain).max() > 0.01 * plain.max(), "the changes are of account"


def test_aug_of_a_picture(network):
    """The class is that of the picture as it is, whatever the changed ones say; the parts do not add up any more."""
    x, _ = network.prepare(PIC)
    top = int(network.logits(x)[0].argmax())
    for m in camcore.explain(network, PIC, ["gradcam", "cam", "fullgrad"], refine="aug"):
        assert (m.class_index, m.refine, m.offset, m.evidence) == (top, ("aug",), None, None)
        close(m.raw, method(network, m.method, refine="aug").compute_heatmap(x, top, raw=True))
        assert m.values.max() == 1


def test_aug_of_several_classes_and_layers_at_once(network):
    found = camcore.explain(network, PIC, ["gradcam", "layercam"], ["conv1", "features"], [3, 1], refine="aug")
    for m in found:
        (alone,) = camcore.explain(network, PIC, m.method, m.layer, m.class_index, refine="aug")
        np.testing.assert_allclose(m.raw, alone.raw, rtol=0, atol=1e-6 * np.abs(alone.raw).max())


# ---- eigen


@pytest.mark.parametrize("layer", ["features", "conv1"])
@pytest.mark.parametrize(("key", "weight"), [
    ("gradcam", lambda A, G: np.broadcast_to(G.mean(axis=(0, 1)), A.shape)),
    ("hirescam", lambda A, G: G),
    ("layercam", lambda A, G: np.maximum(G, 0)),
    ("shapleycam", lambda A, G: np.broadcast_to(G.mean(axis=(0, 1)), A.shape)),
])  # fmt: skip
def test_eigen_is_the_first_component_of_what_is_summed(network, key, weight, layer):
    x, c = images(1), 3
    seen = network.tap(x, [layer], [c])
    A, G = seen.activations[layer][0], seen.gradients[0][layer][0]
    weighted = A * weight(A, G)
    wanted = first_component(weighted, weighted.sum(axis=-1))
    close(method(network, key, layer, refine="eigen").compute_heatmap(x, c, raw=True), wanted)
    assert np.abs(wanted - weighted.sum(axis=-1)).max() > 1e-3 * np.abs(wanted).max()


def test_eigen_of_a_method_that_asks_for_scores(network):
    """Ablation-CAM's weights by hand: (y − y without the channel) / |y|."""
    x, c = images(1), 0
    A = network.tap(x, ["features"]).activations["features"][0]
    y = network.logits(x)[0, c]
    weighted = A * (A.mean(axis=(0, 1)) * W.w[:, c] / abs(y))
    wanted = first_component(weighted, weighted.sum(axis=-1))
    close(method(network, "ablationcam", refine="eigen").compute_heatmap(x, c, raw=True), wanted)


def test_aug_and_eigen_together(network):
    x, c = images(1), 2
    plain = method(network, "gradcam", refine="eigen")
    maps = [(plain.compute_heatmap(one, c, raw=True), mirrored) for one, mirrored in changed(x)]
    wanted = np.mean([raw[:, ::-1] if mirrored else raw for raw, mirrored in maps], axis=0, dtype=np.float64)
    close(method(network, "gradcam", refine=("eigen", "aug")).compute_heatmap(x, c, raw=True), wanted)


@pytest.mark.parametrize("key", [key for key in UNWEIGHED if not METHODS[key].input.needs_attention])
def test_eigen_is_refused_where_nothing_is_weighed(network, key):
    with pytest.raises(camcore.MethodError, match=r"weighs no activations.*'gradcam'"):
        method(network, key, refine="eigen")
    with pytest.raises(camcore.MethodError, match="weighs no activations"):
        camcore.explain(network, PIC, ["gradcam", key], refine=["aug", "eigen"])


def test_methods_without_weights_are_those_that_weigh_no_activations():
    assert {"eigencam", "kpcacam", "fem", "fullgrad", "reciprocam", "occlusion", "rise", "gradient"} <= set(UNWEIGHED)
    assert not {"cam", "gradcam", "gradcam++", "xgradcam", "scorecam", "ablationcam", "finercam"} & set(UNWEIGHED)


@pytest.mark.parametrize("key", [key for key in METHODS if key not in UNWEIGHED])
def test_weights_are_those_of_the_method(key):
    """relu(Σ_k w_k A_k) is the method's own map."""
    r = np.random.default_rng(4)
    A, G, HA = np.maximum(r.normal(0.3, 1, (4, 3, 6)), 0), r.normal(0, 1, (4, 3, 6)), r.normal(0, 1, (4, 3, 6))
    info = METHODS[key]
    if key == "cam":
        G = np.broadcast_to(G[:1, :1], G.shape)
    given: dict[str, tuple[Any, ...]] = {
        "Gradients": (A, G),
        "LinearHeadGradients": (A, G),
        "ContrastGradients": (A, G),
        "Curvature": (A, G, HA),
        "NoisyGradients": (A, G, G**2 + 0.1, G**3),
    }
    scores = r.normal(0, 1, (6, 2))
    what = given.get(
        type(info.input).__name__, (A, PerturbedScores(np.arange(6), scores, np.exp(scores) / 9, 1.3, 0.4, SIZE))
    )
    options = info.formula_options(info.checked({}))
    summed = (A * info.weights(*what, **options)).sum(axis=-1)
    close(np.maximum(info.compute(*what, **options), 0), np.maximum(summed, 0), 1e-10)


# ---- fusion


def drawn(values: np.ndarray, cells: CellGrid, size: tuple[int, int]) -> np.ndarray:
    """Values between the cells' centres, along one axis and then along the other, the border held."""
    for axis in (0, 1):
        centres = cells.first_centre[axis] + cells.stride[axis] * np.arange(values.shape[axis])
        pixels = np.arange(size[axis])
        values = np.apply_along_axis(lambda row, p=pixels, c=centres: np.interp(p, c, row), axis, values)
    return values


@pytest.fixture(scope="module")
def three(network) -> tuple[Any, ...]:
    return camcore.explain(network, PIC, ["layercam", "gradcam"], ["conv1", "features"], 1)[:3]


CELLS = [
    CellGrid.uniform(GRID, SIZE),
    CellGrid((0.0, 0.0), (2.0, 2.0)),
    CellGrid((2.5, -1.0), (1.5, 2.5)),
    CellGrid((1.3, 0.7), (1.7, 1.9)),
]


@pytest.mark.parametrize("cells", CELLS, ids=str)
def test_on_input_is_bilinear_between_the_cells_centres(three, cells):
    values = np.random.default_rng(2).uniform(0, 1, GRID).astype(np.float32)
    close(on_input(replace(three[0], values=values, cells=cells)), drawn(values, cells, SIZE))


def test_on_input_puts_a_cell_where_it_lies(three):
    """Centres at the pixels 1, 3, 5, …: a lone cell is a tent around its own pixel."""
    values = np.zeros(GRID, np.float32)
    values[2, 1] = 1
    found = on_input(replace(three[0], values=values, cells=CellGrid((1.0, 1.0), (2.0, 2.0))))
    wanted = np.zeros(SIZE)
    wanted[4:7, 2:5] = np.outer([0.5, 1, 0.5], [0.5, 1, 0.5])
    np.testing.assert_allclose(found, wanted, atol=1e-7)


def test_on_input_of_one_cell_and_of_the_inputs_own_grid(three):
    one = replace(three[0], values=np.full((1, 1), 0.7, np.float32), cells=CellGrid.uniform((1, 1), SIZE))
    np.testing.assert_allclose(on_input(one), np.full(SIZE, 0.7), rtol=1e-6)
    values = np.random.default_rng(2).uniform(0, 1, SIZE).astype(np.float32)
    own = replace(three[0], values=values, cells=CellGrid.uniform(SIZE, SIZE))
    np.testing.assert_array_equal(on_input(own), values)


@pytest.mark.parametrize("gamma", [None, 2.0, 0.5])
@pytest.mark.parametrize("how", ["max", "mean"])
def test_fuse_by_hand(three, how, gamma):
    stack = [drawn(m.values, m.cells, SIZE) for m in three]
    stack = [np.tanh(gamma * values) for values in stack] if gamma else stack
    wanted = np.max(stack, axis=0) if how == "max" else sum(stack) / 3
    found = camcore.fuse(three, how, gamma)
    close(found.raw, wanted)
    close(found.values, wanted / wanted.max())
    assert (found.layer, found.offset, found.evidence, found.residual) == (None, None, None, None)
    assert (found.class_index, found.logit, found.frame) == (1, three[0].logit, three[0].frame)
    assert found.cells == CellGrid.uniform(SIZE, SIZE)
    assert (found.raw.dtype, found.values.dtype, found.raw.shape) == (np.float32, np.float32, SIZE)


def test_fuse_of_one_map_is_that_map_on_the_input(three):
    close(camcore.fuse(three[:1]).raw, drawn(three[0].values, three[0].cells, SIZE))


def test_fuse_of_empty_maps_is_empty_and_keeps_their_warnings(three):
    zero = np.zeros(GRID, np.float32)
    empty = [replace(three[0], raw=zero, values=zero, warning=note) for note in ("One.", "Two.", "One.", None)]
    found = camcore.fuse(empty)
    assert not found.values.any()
    assert found.warning == "One. Two."


def test_fuse_refuses_what_does_not_belong_together(network, three):
    other = camcore.Picture.from_array(np.zeros((50, 30, 3), np.uint8))
    for stranger in (
        *camcore.explain(network, PIC, "gradcam", classes=2),
        *camcore.explain(network, PIC, "gradcam", classes=1, framing="crop"),
        *camcore.explain(network, other, "gradcam", classes=1),
        replace(three[0], network="another"),
    ):
        with pytest.raises(camcore.CamcoreError, match="one picture, network and class"):
            camcore.fuse([*three, stranger])
    with pytest.raises(camcore.CamcoreError, match="Give at least one"):
        camcore.fuse([])
    with pytest.raises(camcore.CamcoreError, match=r"how='min' .* one of 'max', 'mean'"):
        camcore.fuse(three, "min")
