"""Maps from the structure of the activations themselves: their principal components and statistics.

``A``: activations (h, w, K); raw maps (h, w) on the layer's grid. None but Eigen-Grad-CAM knows of a class.
"""

from __future__ import annotations

import numpy as np

from camcore.errors import MethodError
from camcore.graph.blas import one_thread
from camcore.methods.gradient import AG, SHARED, over_cells
from camcore.methods.info import MethodInfo, Option, options, variant
from camcore.methods.inputs import Activations, Array, Gradients

# Kernel PCA compares every place with every other: above this, gigabytes.
MOST_PLACES = 64 * 64

# Matrices of more rows than this are iterated for their first eigenvector instead of being reduced: faster from here.
ITERATED = 150


def eigencam(A: Array, *, variant: str = "paper") -> Array:
    """raw = A v₁, v₁ the first right singular vector of A as (h·w, K), not centred (Muhammad 2020).

    The sign of v₁ is arbitrary; the one with Σ raw ≥ 0 is taken. Differs from pytorch-grad-cam, which subtracts the
    mean over the places first (``variant="centred"``); Σ raw is then 0, and the sign is the one with
    max raw ≥ |min raw|.
    """
    if variant == "centred":
        return _upright(projection(_centred(A)))
    raw = projection(A)
    return -raw if raw.sum() < 0 else raw


def eigengradcam(A: Array, G: Array) -> Array:
    """As Eigen-CAM on G ⊙ A (pytorch-grad-cam). The sign is the one that agrees with the evidence Σ_k G_k ⊙ A_k."""
    return main_component(A, G)


def main_component(A: Array, weights: Array) -> Array:
    """The first principal component of weighted activations, in place of their sum, (h, w).

    ``weights``: (K,) or (h, w, K). Not centred; its sign is the one that correlates positively with the sum.
    """
    weighted = A * weights
    raw, evidence = projection(weighted), np.einsum("ijk->ij", weighted)
    agreement = float(((raw - raw.mean()) * (evidence - evidence.mean())).sum())
    if agreement == 0:
        agreement = float((raw * evidence).sum())
    return -raw if agreement < 0 else raw


def projection(A: Array) -> Array:
    """A v₁ (h, w) of activations (h, w, K): the places along their first right singular vector, sign as it falls.

    In single precision for single, in double for double; the eigenvector itself is found in double.
    """
    flat = over_cells(A)
    largest = max(flat.max(initial=0), -flat.min(initial=0))
    if largest == 0 or not np.isfinite(largest):
        return np.zeros(A.shape[:2])
    flat = flat / largest  # squares neither overflow nor vanish
    if flat.shape[0] <= flat.shape[1]:
        value, vector = _largest(flat @ flat.T)
        raw = vector * np.sqrt(max(value, 0))
    else:
        raw = flat @ _largest(flat.T @ flat)[1].astype(flat.dtype)
    return (raw.astype(np.float64) * float(largest)).reshape(A.shape[:2])


def kpcacam(A: Array, *, kernel: str = "sigmoid") -> Array:
    """The first kernel principal component over the places, scaled by √λ (Karmani 2024), as scikit-learn's KernelPCA.

    Features are centred; the kernel tanh(x·y/K + 1), or exp(−‖x − y‖²/K) with ``kernel="rbf"``, is centred in its
    feature space. Σ raw is 0; the sign is the one with max raw ≥ |min raw|. Raises MethodError above 4,096 places.
    """
    if A.shape[0] * A.shape[1] > MOST_PLACES:
        raise MethodError(
            f"KPCA-CAM compares every place with every other; a grid of {A.shape[0]}×{A.shape[1]} has too many. Take a "
            "deeper layer, of at most 64×64 cells, or Eigen-CAM."
        )
    x = over_cells(_centred(A))
    if not np.isfinite(x).all() or not x.any():
        return np.zeros(A.shape[:2])
    gram = x @ x.T
    if kernel == "rbf":
        squares = np.diag(gram)
        gram = np.exp((2 * gram - squares[:, None] - squares[None]) / x.shape[1])
    else:
        gram = np.tanh(gram / x.shape[1] + 1)
    means = gram.mean(axis=0)
    gram = gram - means[:, None] - means[None] + means.mean()
    value, vector = _largest(gram)
    return _upright((vector * np.sqrt(max(value, 0))).reshape(A.shape[:2]))


def _largest(matrix: Array) -> tuple[float, Array]:
    """The largest eigenvalue of a symmetric matrix and its vector, float64."""
    from scipy.linalg import eigh  # slow to import, as the next one
    from scipy.sparse.linalg import ArpackError, eigsh

    matrix = matrix.astype(np.float64, copy=False)
    if len(matrix) > ITERATED:
        try:
            start = matrix @ np.cos(np.arange(len(matrix)))
            values, vectors = eigsh(matrix, 1, which="LA", v0=start, ncv=10, maxiter=100)
            return float(values[0]), vectors[:, 0]
        except ArpackError:  # eigenvalues too close to tell apart by iteration
            pass
    last = len(matrix) - 1
    with one_thread():
        values, vectors = eigh(matrix, subset_by_index=(last, last), check_finite=False)
    return float(values[0]), vectors[:, 0]


def fem(A: Array) -> Array:
    """raw = Σ_k μ_k · 1[A_k ≥ μ_k + 2 σ_k], μ and σ over the places (Fuad 2020).

    Differs from pytorch-grad-cam, which swaps the mask and the weight.
    """
    flat = over_cells(A)
    mean, spread = flat.mean(axis=0), flat.std(axis=0)
    rare = (flat >= mean + 2 * spread) & (spread > 0)
    return (rare @ mean).reshape(A.shape[:2])


def _centred(A: Array) -> Array:
    """A less its mean over the places, float64; exactly zero where A is the same at every place."""
    apart = A.astype(np.float64) - A[0, 0]
    return apart - over_cells(apart).mean(axis=0)


def _upright(raw: Array) -> Array:
    return -raw if raw.max() < -raw.min() else raw


def classless_caution(A: object, **options: object) -> str:
    """Caution beside every map of a method that does not look at the class."""
    return "This method does not look at the class: the map is the same for every class."


ROWS = (
    MethodInfo(
        key="eigencam",
        title="Eigen-CAM",
        class_name="EigenCAM",
        family="decomposition",
        input=Activations(),
        paper="Muhammad and Yeasin, Eigen-CAM: Class Activation Map using Principal Components, IJCNN 2020",
        year=2020,
        equation="its projection on the first component",
        url="https://arxiv.org/abs/2008.00299",
        needs=("activations",),
        cost="one forward pass",
        signed=True,
        summary="What stands out most in the layer, whatever the class: its first principal component.",
        strengths="No gradient and no class needed; smooth.",
        weaknesses="The same map for every class: it cannot say why this class.",
        compute=eigencam,
        caution=classless_caution,
        options=variant("paper", "centred"),
        class_specific=False,
    ),
    MethodInfo(
        key="eigengradcam",
        title="Eigen-Grad-CAM",
        class_name="EigenGradCAM",
        family="decomposition",
        input=Gradients(),
        paper="Gildenblat et al., pytorch-grad-cam, github.com/jacobgil/pytorch-grad-cam, 2021",
        year=2021,
        equation="its EigenGradCAM",
        url="https://github.com/jacobgil/pytorch-grad-cam",
        needs=AG,
        cost=SHARED,
        signed=True,
        summary="The main component of the evidence for the class: Eigen-CAM of gradient times activation.",
        strengths="As clean as Eigen-CAM, and about the class.",
        weaknesses="Shows the one strongest pattern; further evidence is left out.",
        compute=eigengradcam,
    ),
    MethodInfo(
        key="kpcacam",
        title="KPCA-CAM",
        class_name="KPCACAM",
        family="decomposition",
        input=Activations(),
        paper="Karmani et al., KPCA-CAM: Visual Explainability of Deep Computer Vision Models using Kernel PCA, 2024",
        year=2024,
        equation="its kernel principal component",
        url="https://arxiv.org/abs/2410.00267",
        needs=("activations", "at most 64×64 cells"),
        cost="one forward pass",
        signed=True,
        summary="Eigen-CAM with a kernel: the main pattern of the layer, also where it is not linear.",
        strengths="Finds structure that a straight line through the activations misses.",
        weaknesses="The same map for every class; slow on large grids.",
        compute=kpcacam,
        caution=classless_caution,
        options=options(
            kernel=Option("sigmoid", ("sigmoid", "rbf"), help="how places are compared", formula=True),
        ),
        class_specific=False,
    ),
    MethodInfo(
        key="fem",
        title="FEM",
        class_name="FEM",
        family="decomposition",
        input=Activations(),
        paper="Fuad et al., Features Understanding in 3D CNNs, IPTA 2020",
        year=2020,
        equation="its binarised maps",
        url="https://doi.org/10.1109/IPTA50016.2020.9286629",
        needs=("activations",),
        cost="one forward pass",
        signed=True,
        summary="Where channels are unusually strong: two standard deviations above their mean, weighted by it.",
        strengths="No gradient; very cheap; marks the unusual.",
        weaknesses="The same map for every class.",
        compute=fem,
        caution=classless_caution,
        class_specific=False,
    ),
)
