"""Principal components and statistics of activations against numpy's SVD, a plain kernel PCA, and loops."""

from __future__ import annotations

import numpy as np
import pytest
from formulas import close
from networks import GRID, W, flat, images

import camcore
from camcore.methods import METHODS
from camcore.methods.decomposition import main_component, projection

eigencam, eigengradcam = METHODS["eigencam"].compute, METHODS["eigengradcam"].compute
kpcacam, fem = METHODS["kpcacam"].compute, METHODS["fem"].compute

# More places than channels, fewer, and as many.
SHAPES = [(6, 5, 7), (3, 4, 40), (3, 4, 12), (1, 9, 4), (1, 1, 5), (4, 4, 1)]


def signed(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.1, 1, shape)


def behind_relu(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.maximum(np.random.default_rng(seed).normal(0.3, 1, shape), 0)


def first_component(A: np.ndarray) -> np.ndarray:
    """A v₁ by numpy's SVD, up to its sign."""
    flat = A.reshape(-1, A.shape[-1])
    return (flat @ np.linalg.svd(flat, full_matrices=False)[2][0]).reshape(A.shape[:2])


# ---- Eigen-CAM


@pytest.mark.parametrize("make", [signed, behind_relu])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_eigencam_is_the_first_right_singular_vector(shape, make, seed):
    A = make(shape, seed)
    wanted = first_component(A)
    close(eigencam(A), wanted * (1 if wanted.sum() >= 0 else -1), 1e-8)


@pytest.mark.parametrize("shape", SHAPES[:4], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_eigencam_centred(shape, seed):
    A = behind_relu(shape, seed)
    wanted = first_component(A - A.mean(axis=(0, 1)))
    wanted = wanted if wanted.max() >= -wanted.min() else -wanted
    found = eigencam(A, variant="centred")
    close(found, wanted, 1e-7)
    assert abs(found.sum()) < 1e-9 * np.abs(found).sum()
    assert found.max() >= -found.min()


def test_both_forms_of_eigencam_differ_and_turn_with_the_activations():
    A = behind_relu((5, 5, 8), 3)
    paper, centred = eigencam(A), eigencam(A, variant="centred")
    assert np.corrcoef(paper.ravel(), centred.ravel())[0, 1] < 0.99
    for form in ("paper", "centred"):
        found = eigencam(A, variant=form)
        close(eigencam(A[:, ::-1], variant=form), found[:, ::-1], 1e-8)
        close(eigencam(A[..., ::-1], variant=form), found, 1e-8)
        close(eigencam(3 * A, variant=form), 3 * found, 1e-8)


def test_eigencam_of_one_pattern_is_that_pattern():
    """A = pattern ⊗ v: the map is the pattern times |v|, turned so that its sum is positive."""
    pattern, v = np.array([[-1.0, 0.5], [0.2, -3.0]]), np.array([3.0, 0.0, -4.0])
    close(eigencam(pattern[..., None] * v), -5 * pattern, 1e-12)
    close(eigencam(pattern[..., None] * -v), -5 * pattern, 1e-12)


@pytest.mark.parametrize("scale", [1e-30, 1e-4, 1e4, 1e30])
@pytest.mark.parametrize("shape", [(6, 5, 7), (3, 4, 40)], ids=str)
def test_projection_of_any_size_in_float32(shape, scale):
    """Squares of 1e30 overflow and of 1e-30 vanish in float32."""
    A = (behind_relu(shape) * scale).astype(np.float32)
    wanted = first_component(A.astype(np.float64) / scale) * scale
    close(projection(A) * np.sign(projection(A).sum()), wanted * np.sign(wanted.sum()), 1e-6)


@pytest.mark.parametrize("form", ["paper", "centred"])
def test_eigencam_of_nothing_is_nothing(form):
    np.testing.assert_array_equal(eigencam(np.zeros((3, 4, 5)), variant=form), np.zeros((3, 4)))


@pytest.mark.parametrize("value", [2.0, 0.1, 0.7])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_eigencam_of_constant_activations(value, dtype):
    """Centred they are nothing at all: what rounding leaves would be drawn at full scale."""
    A = np.full((7, 7, 4), value, dtype)
    close(eigencam(A), np.full((7, 7), 2 * value), 1e-6)
    np.testing.assert_array_equal(eigencam(A, variant="centred"), np.zeros((7, 7)))


# ---- Eigen-Grad-CAM


@pytest.mark.parametrize("shape", [(6, 5, 7), (3, 4, 40), (4, 4, 1)], ids=str)
@pytest.mark.parametrize("seed", range(8))
def test_eigengradcam_is_the_component_that_agrees_with_the_evidence(shape, seed):
    A, G = behind_relu(shape, seed), signed(shape, seed + 100)
    wanted, evidence = first_component(A * G), (A * G).sum(axis=-1)
    agreement = np.corrcoef(wanted.ravel(), evidence.ravel())[0, 1]
    assert abs(agreement) > 1e-6
    found = eigengradcam(A, G)
    close(found, wanted * np.sign(agreement), 1e-8)
    assert np.corrcoef(found.ravel(), evidence.ravel())[0, 1] > 0


def test_eigengradcam_does_not_show_counter_evidence_as_evidence():
    """Everywhere against the class, least so in one corner: with Σ raw ≥ 0 the rest would light up."""
    G = -np.ones((3, 3, 2))
    A = np.full((3, 3, 2), 4.0)
    A[0, 0] = 1.0
    found = eigengradcam(A, G)
    close(found, (A * G).sum(axis=-1) / np.sqrt(2), 1e-12)
    assert found.argmax() == 0
    assert found.sum() < 0
    close(eigengradcam(A, -G), -found, 1e-12)


def test_main_component_of_constant_evidence_takes_the_sign_of_its_sum():
    A, weights = np.full((2, 3, 2), 1.0), np.array([-3.0, -4.0])
    close(main_component(A, weights), np.full((2, 3), -5.0), 1e-12)
    close(main_component(A, -weights), np.full((2, 3), 5.0), 1e-12)
    np.testing.assert_array_equal(main_component(A, np.zeros(2)), np.zeros((2, 3)))


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat())


@pytest.mark.parametrize("layer", ["features", "conv1"])
@pytest.mark.parametrize("c", range(4))
def test_eigengradcam_of_a_network_is_hirescam_refined(network, layer, c):
    x = images(1)
    found = camcore.EigenGradCAM(network, layer).compute_heatmap(x, c, raw=True)
    refined = camcore.HiResCAM(network, layer, refine="eigen").compute_heatmap(x, c, raw=True)
    np.testing.assert_array_equal(found, refined)
    seen = network.tap(x, [layer], [c])
    A, G = seen.activations[layer][0], seen.gradients[0][layer][0]
    wanted = first_component(A * G)
    evidence = (A * G).sum(axis=-1)
    close(found, wanted * np.sign(np.corrcoef(wanted.ravel(), evidence.ravel())[0, 1]))


def test_eigencam_of_a_network(network):
    """Of the last layer, whose gradient is W / N: Eigen-Grad-CAM there is the component of A ⊙ W / N."""
    x = images(1)
    A = network.tap(x, ["features"]).activations["features"][0]
    wanted = first_component(A)
    close(camcore.EigenCAM(network).compute_heatmap(x, raw=True), wanted * np.sign(wanted.sum()))
    weighted = first_component(A * W.w[:, 1] / (GRID[0] * GRID[1]))
    found = camcore.EigenGradCAM(network).compute_heatmap(x, 1, raw=True)
    close(np.abs(found), np.abs(weighted))


# ---- KPCA-CAM


def kernel_pca(A: np.ndarray, kernel: str) -> np.ndarray:
    """scikit-learn's KernelPCA(1, kernel, gamma=1/K, coef0=1) of centred features, in full, up to its sign."""
    x = A.reshape(-1, A.shape[-1])
    x = x - x.mean(axis=0)
    n, channels = x.shape
    if kernel == "sigmoid":
        gram = np.tanh(x @ x.T / channels + 1)
    else:
        gram = np.array([[np.exp(-((a - b) ** 2).sum() / channels) for b in x] for a in x])
    centre = np.eye(n) - np.full((n, n), 1 / n)
    values, vectors = np.linalg.eigh(centre @ gram @ centre)
    return (vectors[:, -1] * np.sqrt(values[-1])).reshape(A.shape[:2])


@pytest.mark.parametrize("kernel", ["sigmoid", "rbf"])
@pytest.mark.parametrize("shape", [(5, 4, 6), (3, 3, 30), (14, 14, 5), (15, 14, 5), (16, 17, 40)], ids=str)
def test_kpcacam_is_kernel_pca_in_full(shape, kernel):
    """14×14 places are solved in full, 15×14 by iteration."""
    A = behind_relu(shape, 2)
    # Blobs, as layers have them: the first component stands out.
    y, x = np.mgrid[: shape[0], : shape[1]]
    blob = np.exp(-((y - shape[0] / 3) ** 2 + (x - shape[1] / 2) ** 2) / 6)
    A = A + 2 * blob[..., None] * np.random.default_rng(1).uniform(0, 1, shape[2])
    wanted = kernel_pca(A, kernel)
    wanted = wanted if wanted.max() >= -wanted.min() else -wanted
    found = kpcacam(A, kernel=kernel)
    close(found, wanted, 1e-6)
    assert abs(found.sum()) < 1e-8 * np.abs(found).sum()


def test_kernels_of_kpcacam_differ():
    A = behind_relu((6, 6, 4), 7)
    assert np.abs(kpcacam(A) - kpcacam(A, kernel="rbf")).max() > 0.05 * np.abs(kpcacam(A)).max()
    np.testing.assert_array_equal(kpcacam(A), kpcacam(A, kernel="sigmoid"))


def test_kpcacam_of_rbf_by_hand():
    """Two places: the centred kernel matrix is (1 − e)/2 · [[1, −1], [−1, 1]], its first vector (1, −1)/√2."""
    A = np.array([[[1.0, 0.0], [0.0, 2.0]]])
    half = np.sqrt((1 - np.exp(-5 / 2)) / 2)
    close(np.sort(kpcacam(A, kernel="rbf").ravel()), [-half, half], 1e-12)


@pytest.mark.parametrize("shape", [(4, 4, 3), (20, 20, 3)], ids=str)
@pytest.mark.parametrize("kernel", ["sigmoid", "rbf"])
def test_kpcacam_of_constant_activations_is_nothing(shape, kernel):
    for value in (0.5, 0.1, 0.7):
        np.testing.assert_array_equal(kpcacam(np.full(shape, value), kernel=kernel), np.zeros(shape[:2]))
    np.testing.assert_array_equal(kpcacam(np.zeros(shape), kernel=kernel), np.zeros(shape[:2]))


def test_kpcacam_is_the_same_every_time_on_large_grids():
    A = behind_relu((18, 18, 5), 4)
    np.testing.assert_array_equal(kpcacam(A), kpcacam(A))


@pytest.mark.parametrize("grid", [(65, 64), (1, 4097), (112, 112)], ids=str)
def test_kpcacam_refuses_large_grids(grid):
    with pytest.raises(camcore.MethodError, match=rf"{grid[0]}×{grid[1]}.*64×64.*Eigen-CAM"):
        kpcacam(np.ones((*grid, 1)))


def test_kpcacam_takes_64_by_64(monkeypatch):
    monkeypatch.setattr("camcore.methods.decomposition._largest", lambda gram: (4.0, np.eye(len(gram))[7]))
    found = kpcacam(behind_relu((64, 64, 1)))
    assert found.shape == (64, 64)
    assert (found[0, 7], np.count_nonzero(found)) == (2.0, 1)


# ---- FEM


def fem_in_loops(A: np.ndarray) -> np.ndarray:
    h, w, channels = A.shape
    result = np.zeros((h, w))
    for k in range(channels):
        a = A[..., k]
        mean = sum(a.ravel()) / a.size
        spread = (sum((a.ravel() - mean) ** 2) / a.size) ** 0.5
        for i in range(h):
            for j in range(w):
                if a[i, j] >= mean + 2 * spread:
                    result[i, j] += mean
    return result


@pytest.mark.parametrize("make", [signed, behind_relu])
@pytest.mark.parametrize("seed", range(4))
def test_fem_in_loops(make, seed):
    A = make((7, 6, 9), seed)
    wanted = fem_in_loops(A)
    assert 0 < np.count_nonzero(wanted) < wanted.size
    close(fem(A), wanted, 1e-12)


def test_fem_by_hand():
    """One cell of 30 at 9, else 1: mean 38/30, deviation 1.436; only that cell is above. A constant channel: none."""
    A = np.ones((5, 6, 2))
    A[2, 3, 0] = 9.0
    wanted = np.zeros((5, 6))
    wanted[2, 3] = 38 / 30
    close(fem(A), wanted, 1e-12)


def test_fem_of_channels_without_spread_is_nothing():
    np.testing.assert_array_equal(fem(np.full((4, 4, 3), 2.5)), np.zeros((4, 4)))


# ---- all of them


@pytest.mark.parametrize("key", ["eigencam", "kpcacam", "fem"])
def test_the_class_is_of_no_account_and_that_is_said(network, key):
    pic = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8))
    one, other = camcore.explain(network, pic, key, classes=[0, 3])
    np.testing.assert_array_equal(one.raw, other.raw)
    assert "does not look at the class" in one.warning
    assert not METHODS[key].class_specific


@pytest.mark.parametrize("key", ["eigencam", "kpcacam", "fem", "eigengradcam"])
def test_activations_stay_as_they_were(key):
    A = behind_relu((5, 4, 6))
    before = A.copy()
    METHODS[key].compute(A, *([A + 1] if key == "eigengradcam" else []))
    np.testing.assert_array_equal(A, before)
