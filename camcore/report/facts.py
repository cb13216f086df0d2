"""The facts of a network that a report keeps once the network is gone, with what it takes to load it again."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath

from camcore.models.pickling import weights_hash
from camcore.network import Network

_ANY_NETWORK = ("labels", "preprocess", "framing")  # what ``load`` takes for every network
PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "opencv-python-headless")


@dataclass(frozen=True)
class NetworkFacts:
    """A network in words and hashes.

    ``weights``: where they came from, in words. ``weights_given``: as ``load`` was given them: None, ``random`` or a
    file's path. ``options``: of the backbone's constructor. ``folder``: of a saved network; ``file``: a whole model's;
    ``file_sha256``: of the one's weights file, or of the other. ``given``: what else ``load`` was given, as JSON has
    it; ``unrecorded``: what cannot be said in JSON, such as a function.
    """

    name: str
    weights: str
    weights_sha256: str
    input_size: tuple[int, int]
    activation: str
    weights_given: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    folder: str | None = None
    file_sha256: str | None = None
    file: str | None = None
    given: Mapping[str, object] = field(default_factory=dict)
    unrecorded: tuple[str, ...] = ()

    @classmethod
    def of(cls, network: Network, weights: str | os.PathLike[str] | None = None) -> NetworkFacts:
        """The facts of a network; ``weights``: as given to ``load``. Reads all weights, a second for the largest."""
        origin, recipe = network.origin, network.load_arguments
        saved = origin is not None and origin.folder is not None
        options = {} if origin is None or saved else dict(origin.architecture.get("options", {}))
        folder, sha256 = (str(origin.folder), origin.sha256) if origin is not None and saved else (None, None)
        given: dict[str, object] = {}
        if recipe is not None:
            given = {key: value for key, value in recipe.options.items() if recipe.file or key in _ANY_NETWORK}
            if origin is None and recipe.file is None:  # fed otherwise than its origin says
                options = {key: value for key, value in recipe.options.items() if key not in _ANY_NETWORK}
                folder = recipe.source if os.path.isdir(recipe.source) else None
        if recipe is not None and recipe.file is not None:
            given = {"preprocess": "raw", **given, "labels": network.labels, "framing": network.framing}
            sha256 = recipe.sha256
        plain = {key: value for key, value in given.items() if _is_json(value)}
        return cls(
            name=network.name,
            weights=network.weights_note,
            weights_sha256=weights_hash(network),
            input_size=network.input_size,
            activation=network.activation,
            weights_given=None if weights is None else "random" if weights == "random" else os.path.abspath(weights),
            options=options,
            folder=folder,
            file_sha256=sha256,
            file=str(recipe.file) if recipe is not None and recipe.file is not None else None,
            given=plain,
            unrecorded=tuple(key for key in given if key not in plain),
        )


def without_places(facts: NetworkFacts) -> NetworkFacts:
    """The same for readers who are not to know where files lie: their names alone."""
    folder, file = (None if place is None else PurePath(place).name for place in (facts.folder, facts.file))
    return replace(facts, folder=folder, file=file)


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that maps depend on."""
    numbers = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            numbers[package] = version(package)
        except PackageNotFoundError:
            numbers[package] = "unknown"
    return numbers
