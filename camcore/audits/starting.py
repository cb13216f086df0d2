"""The start of an audit: its manifest, and whether a folder holds the same one, to go on with, or another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

import camcore
from camcore.audits import manifest as manifests
from camcore.audits.manifest import AuditedNetwork, Manifest, read_manifest, write_manifest
from camcore.audits.rows import Plan
from camcore.audits.schema import PARTS
from camcore.audits.sources import NO_LABEL, Listing
from camcore.errors import CamcoreError
from camcore.files import unwritable
from camcore.models.pickling import weights_hash
from camcore.network import Network
from camcore.text import sides

_LIBRARIES = ("tensorflow", "keras", "numpy", "pyarrow", "distributed")

_VALUES = 24  # of a preprocessed picture that the manifest holds

# Choices that make another audit.
_CHOICES = ("method", "layer", "framing", "limit", "seed", "chunk")


def new_manifest(
    network: Network,
    plan: Plan,
    listing: Listing,
    classes: Sequence[int],
    *,
    chunk: int,
    seed: int,
    limit: int | None,
) -> Manifest:
    """The manifest of an audit that begins. ``classes``: the class index of each picture."""
    layer = network.layer(plan.layer)
    assert layer.grid is not None
    arguments = network.load_arguments
    return Manifest(
        network=AuditedNetwork(
            name=network.name,
            source="" if arguments is None else arguments.source,
            weights_note=network.weights_note,
            weights_sha256=weights_hash(network),
            labels=network.labels,
            input_size=network.input_size,
            score_kind=network.score_kind,
            activation="" if network.scored_over else network.activation,
            preprocessed=_preprocessed(network),
        ),
        method=plan.method,
        layer=plan.layer,
        grid=layer.grid,
        channels=layer.channels or 0,
        framing=plan.framing,
        pictures=listing.given,
        base=listing.base,
        pictures_sha256=listing.sha256(classes),
        labelled=any(index != NO_LABEL for index in classes),
        left_out=listing.left_out,
        cells=layer.cells(network.input_size),
        total=len(listing),
        chunk=chunk,
        seed=seed,
        limit=limit,
        versions={"camcore": camcore.__version__, **{name: _version(name) for name in _LIBRARIES}},
    )


def started(folder: Path, manifest: Manifest) -> Manifest:
    """The manifest of the audit in ``folder``: the one that was begun there before, else this one, written.

    Raises CamcoreError where the folder holds another audit or cannot be written.
    """
    try:
        if (folder / manifests.NAME).exists():
            earlier = read_manifest(folder)
            _check_same(folder, earlier, manifest)
            return replace(earlier, pictures=manifest.pictures, base=manifest.base, left_out=manifest.left_out)
        folder.mkdir(parents=True, exist_ok=True)
        if next((folder / PARTS).glob("part-*.parquet"), None) is not None:
            raise CamcoreError(
                f"'{folder}' holds rows of an audit, but no {manifests.NAME}. Nothing says of which network they are. "
                f"Give another folder, or delete '{folder / PARTS}'."
            )
    except OSError as error:
        raise unwritable(folder, error) from error
    write_manifest(folder, manifest)
    return manifest


def _check_same(folder: Path, earlier: Manifest, manifest: Manifest) -> None:
    if earlier.network.weights_sha256 != manifest.network.weights_sha256:
        there = f"of {earlier.network.name}, with other weights" * (earlier.network.name == manifest.network.name)
        difference = there or f"of the network {earlier.network.name}, not {manifest.network.name}"
    elif earlier.network.labels != manifest.network.labels:
        difference = f"of {earlier.network.name} with other names of its classes"
    elif earlier.network.input_size != manifest.network.input_size:
        difference = f"of {earlier.network.name} with an input of {sides(earlier.network.input_size)} pixels"
    elif not _same_preprocessing(earlier.network, manifest.network):
        difference = f"of {earlier.network.name} with another preprocessing of the pictures"
    else:
        name = next((one for one in _CHOICES if getattr(earlier, one) != getattr(manifest, one)), None)
        if name is not None:
            difference = f"with {name} {getattr(earlier, name)!r}, not {getattr(manifest, name)!r}"
        elif earlier.pictures_sha256 != manifest.pictures_sha256:
            difference = (
                f"of other pictures or labels ({earlier.total:,} of '{earlier.pictures}', not {manifest.total:,} of "
                f"'{manifest.pictures}')"
            )
        else:
            return
    raise CamcoreError(
        f"'{folder}' holds another audit: {difference}. One folder holds one audit, and its rows would not go together "
        "with these. Give another folder, or delete that one."
    )


def _preprocessed(network: Network) -> tuple[float, ...]:
    """Values of a fixed picture of noise after the network's preprocessing, which need not have a name."""
    noise = np.random.default_rng(0).integers(0, 256, (1, *network.input_size, 3))
    x = network.preprocess(noise.astype(np.float32)).ravel().astype(np.float64)
    kept = x[np.linspace(0, len(x) - 1, _VALUES).astype(np.int64)]
    return tuple(np.nan_to_num(kept).tolist())


def _same_preprocessing(earlier: AuditedNetwork, now: AuditedNetwork) -> bool:
    """Machines may differ in the last digits."""
    one, other = np.array(earlier.preprocessed), np.array(now.preprocessed)
    return not len(one) or (len(one) == len(other) and bool(np.allclose(one, other, 1e-3, 1e-3 * np.abs(other).max())))


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:  # TensorFlow goes by several names
        return ""
