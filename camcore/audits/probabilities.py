"""Probabilities of an audit's labelled answers, as predictions that ROC, calibration and thresholds are computed from.

Their ``files`` are empty texts: no figure over all pictures needs a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.audits.answered import answered_rows
from camcore.evaluation.predict import Predictions
from camcore.predictions import probabilities

if TYPE_CHECKING:
    from camcore.audits.manifest import AuditedNetwork
    from camcore.audits.store import Audit


def are_known(network: AuditedNetwork) -> bool:
    """Says whether an audit of this network tells the probabilities of all its classes."""
    return bool(network.activation) or len(network.labels) == 2


def of_all(audit: Audit) -> Predictions:
    """The labelled answers with the probabilities of all classes, for a network of few classes.

    Of two classes that share one probability it is the one that the rows hold; else all are those of the scores, which
    are kept in half precision.
    """
    network = audit.manifest.network
    if len(network.labels) == 2 and network.activation != "sigmoid":
        table = audit.sql(
            "select label = ? as second, if(predicted = ?, probability, 1 - probability::double) as p from rows "
            "where correct is not null",
            (network.labels[1], network.labels[1]),
        )
        second = table["second"].to_numpy(zero_copy_only=False)
        return _of_two(second, table["p"].to_numpy().astype(np.float64), network.labels)
    index = {name: place for place, name in enumerate(network.labels)}
    labels, shares = [np.empty(0, np.int64)], [np.empty((0, len(index)))]
    for names, p in _from_scores(audit):
        labels.append(np.array([index[name] for name in names], np.int64))
        shares.append(p)
    true = np.concatenate(labels)
    return Predictions(("",) * len(true), true, np.concatenate(shares), network.labels)


def against_rest(audit: Audit, label: str) -> Predictions:
    """The labelled answers with the probability of one class, the second one here, against all others together."""
    columns = [place for place, name in enumerate(audit.manifest.network.labels) if name == label]
    own, shares = [np.empty(0, bool)], [np.empty(0)]
    for names, p in _from_scores(audit):
        own.append(names == label)
        shares.append(np.minimum(p[:, columns].sum(axis=1), 1))  # some networks have a class's name twice
    return _of_two(np.concatenate(own), np.concatenate(shares), ("others", label))


def _from_scores(audit: Audit) -> Iterator[tuple[NDArray[np.str_], NDArray[np.float64]]]:
    """Of each part the labels (n,) and the probabilities (n, classes) of the labelled answers."""
    network = audit.manifest.network
    for part in answered_rows(audit.folder, ["label", "logits"]):
        labelled = part.table.column("label").is_valid().to_numpy()
        scores = part.lists("logits", len(network.labels))
        yield part.texts("label")[labelled], probabilities(scores[labelled], network.activation)


def _of_two(second: NDArray[np.bool_], p: NDArray[np.float64], names: tuple[str, ...]) -> Predictions:
    return Predictions(("",) * len(p), second.astype(np.int64), np.stack([1 - p, p], axis=1), names)
