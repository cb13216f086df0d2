"""The preprocessing that a network was trained on, told from its answers about a few photographs.

A network that is given its pictures in the wrong way is either unsure of everything, or sure of the same thing
whatever it is shown. So what counts is how much its answer tells about the picture: the mutual information between
picture and answer, the entropy of the mean answer less the mean entropy of the answers (in bits; with n pictures at
most log2 n). Each answer is the mean over the picture and its mirror image, which show the same thing. The measure is
the logarithm of the Inception score (Salimans et al., Improved Techniques for Training GANs, 2016, section 4).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camcore.errors import ModelError
from camcore.framing import frame_picture
from camcore.models.preprocessing import PREPROCESSINGS, TITLES, preprocessing
from camcore.network import Network
from camcore.pictures.picture import Picture
from camcore.predictions import Prediction

CLEAR_BITS = 0.1
"""By so much the best has to lead for a choice to be clear."""
LEAST_BITS = 0.25
"""So much the best has to tell about the pictures, or nothing can be concluded."""
_CHOOSE = "Choose the one that the network was trained with."
_COMMON = ("unit", "tf", "torch", "caffe", "raw")  # the most usual first


@dataclass(frozen=True)
class Fit:
    """A network's answers when it is fed in one way.

    ``confidence``: the most probable class's probability, 0..1. ``entropy``: of the answers, in bits. Both are means
    over the pictures. ``information``: what the answers tell about the picture, in bits. ``predictions``: the most
    probable class of each picture.
    """

    name: str
    confidence: float
    entropy: float
    information: float
    predictions: tuple[Prediction, ...]


def compare_preprocessings(
    network: Network, pictures: Sequence[Picture], framing: str | None = None
) -> Generator[tuple[Fit, ...], None, None]:
    """Feed the pictures in every way that ``camcore.models.preprocessing`` knows; yields the fits so
    far, one more each time.

    ``network``: wrapped without a preprocessing of its own. Raises ModelError where its output has no probabilities.
    """
    rgb = np.stack(
        [frame_picture(picture, network.input_size, network.framing_for(framing))[0] for picture in pictures]
    )
    fits: tuple[Fit, ...] = ()
    for name in PREPROCESSINGS:
        prepared = preprocessing(name)(np.concatenate([rgb, rgb[:, :, ::-1]]))
        logits = np.asarray(network.logits(network.preprocess(prepared)), np.float64)
        fits = (*fits, _fit(network, name, logits))
        yield fits


def _fit(network: Network, name: str, logits: NDArray[np.float64]) -> Fit:
    p = network.probabilities(logits)
    if np.isnan(p).any():
        raise ModelError(
            f"{network.name} ends in numbers that are no probabilities (a regression, or values too large), so its "
            "answers cannot tell how it wants its pictures. Give its preprocessing yourself."
        )
    count = len(p) // 2
    # Of independent sigmoids: their shares, so that answers of all networks are measured alike.
    shares = p / np.maximum(p.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    answers = (shares[:count] + shares[count:]) / 2
    entropy = float(_entropy(answers).mean())
    predictions = tuple(network.predictions(row, 1)[0] for row in logits[:count].astype(np.float32))
    information = max(float(_entropy(answers.mean(axis=0))) - entropy, 0.0)
    return Fit(name, float(answers.max(axis=1).mean()), entropy, information, predictions)


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """In bits, over the last axis."""
    return np.asarray(-(p * np.log2(np.where(p > 0, p, 1.0))).sum(axis=-1))


def ranked(fits: Sequence[Fit]) -> tuple[Fit, ...]:
    """The fits, the best one first."""
    return tuple(sorted(fits, key=lambda fit: -fit.information))


def leading(fits: Sequence[Fit]) -> tuple[Fit, ...]:
    """The best one and those that fit about as well, the best first; none where the pictures do not tell."""
    order = ranked(fits)
    most = order[0].information
    return tuple(fit for fit in order if most - fit.information < CLEAR_BITS) if most >= LEAST_BITS else ()


def suggested(fits: Sequence[Fit], usual: str | None = None) -> str:
    """The preprocessing to begin with: the ``usual`` one of the architecture unless another fits clearly better.

    Of several that fit alike, the one that most networks use; "raw", which changes nothing, where nothing can be told.
    """
    good = [fit.name for fit in leading(fits)]
    if usual is not None and (usual in good or not good):
        return usual
    return next((name for name in _COMMON if name in good), "raw")


def verdict(fits: Sequence[Fit]) -> str:
    """The result of the comparison, in a sentence or two with its figures."""
    order, good = ranked(fits), leading(fits)
    if not good:
        return (
            "These pictures do not tell which preprocessing is right: whatever the network is given, its answer says "
            f"little about the picture (at most {order[0].information:.2f} bits, with {TITLES[order[0].name]}). "
            + _CHOOSE
        )
    worse = order[len(good) :]
    if not worse:
        return f"All fit about as well: the answer tells {_figures(good)}. {_CHOOSE}"
    fit = "fits better than" if len(good) == 1 else "fit about as well, and better than"
    end = "" if len(good) == 1 else f" {_CHOOSE}"
    return f"{_titles(good)} {fit} {_titles(worse)}: the answer tells {_figures(good)}, against {_figures(worse)}.{end}"


def _figures(fits: Sequence[Fit]) -> str:
    """The information in answers and their confidence, as ranges."""
    bits, sure = ([getattr(fit, what) for fit in fits] for what in ("information", "confidence"))
    span = _range(f"{min(bits):.2f}", f"{max(bits):.2f}")
    return f"{span} bits about the picture, {_range(f'{min(sure):.0%}', f'{max(sure):.0%}')} sure"


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _titles(fits: Sequence[Fit]) -> str:
    names = [TITLES[fit.name] for fit in fits]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
