"""What is known of a network once it is gone: what a report keeps of it, and what it takes to have it again."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from camcore.network import Network

PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "opencv-python-headless")


@dataclass(frozen=True)
class NetworkFacts:
    """A network in words and hashes.

    ``weights``: where they came from, in words. ``weights_given``: as ``load`` was given them: None, ``random`` or a
    file's path. ``options``: of the backbone's constructor. ``folder`` and ``file_sha256``: of a saved network.
    """

    name: str
    weights: str
    weights_sha256: str
    input_size: tuple[int, int]
    activation: str
    weights_given: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    folder: str | None = None
    file_sha256: str | None = None

    @classmethod
    def of(cls, network: Network, weights: str | os.PathLike[str] | None = None) -> NetworkFacts:
        """The facts of a network; ``weights``: as given to ``load``. Reads all weights, a second for the largest."""
        origin = network.origin
        saved = origin is not None and origin.folder is not None
        return cls(
            name=network.name,
            weights=network.weights_note,
            weights_sha256=weights_hash(network),
            input_size=network.input_size,
            activation=network.activation,
            weights_given=None if weights is None else "random" if weights == "random" else os.path.abspath(weights),
            options={} if origin is None or saved else dict(origin.architecture.get("options", {})),
            folder=str(origin.folder) if origin is not None and saved else None,
            file_sha256=origin.sha256 if origin is not None and saved else None,
        )


def weights_hash(network: Network) -> str:
    """SHA-256 over all weights, in the model's order: two networks with the same one are the same."""
    digest = hashlib.sha256()
    for weight in network.model.weights:
        array = np.ascontiguousarray(weight.numpy())
        digest.update(f"{weight.path}{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that maps depend on."""
    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found
