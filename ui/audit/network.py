"""The network of an audit among those of this app: by its name or folder, confirmed by the hash over its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import camcore
from camcore.audits.manifest import Manifest
from camcore.errors import ModelError
from camcore.models.factories import Factory
from camcore.models.pickling import weights_hash
from camcore.models.saved import SavedNetwork
from ui import model_picker
from ui.jobs.runner import runner
from ui.jobs.work import Update, Updates, Work
from ui.model_picker import Model
from ui.networks import networks

if TYPE_CHECKING:
    from camcore.network import Network
    from ui.jobs.job import Job

MOST = 4
"""The most networks that are loaded to look for the one of an audit."""
UNKNOWN = "This network is not one of this app’s: start it with camcore app FILE"


@dataclass(frozen=True)
class Found:
    """The name under which this app has a network; empty where it has it not, and why."""

    name: str
    why_not: str = ""


def candidates(manifest: Manifest) -> tuple[str, ...]:
    """The networks of this app that may be the one of an audit: those it names, then saved ones of the same kind."""
    network = manifest.network
    rows = camcore.backbones()
    saved = [row for row in rows if isinstance(row, SavedNetwork)]
    named = [row.name for row in rows if row.name == network.source]
    named += [row.name for row in saved if str(row.folder) == network.source]
    named += [row.name for row in rows if isinstance(row, Factory) and str(row.file) == network.source]
    alike = [row.name for row in saved if (row.labels, row.input_size) == (network.labels, network.input_size)]
    return tuple(dict.fromkeys([*named, *alike]))[:MOST]


def random_weights(manifest: Manifest) -> bool:
    """Says whether an audit's network had learned nothing."""
    return manifest.network.weights_note.startswith("random")


def search(manifest: Manifest) -> Work[Found]:
    """Looks for the network of an audit: of the candidates the one with its weights.

    Random weights are gone, and those that are not on this machine have no hash: there the name has to do.
    """
    names, sha256 = candidates(manifest), manifest.network.weights_sha256
    by_name = random_weights(manifest)
    models = [model for name in names if (model := _chosen(name, by_name)).fetch is None]

    def steps(_: object, job: Job[Found]) -> Updates[Found]:
        if by_name or (names and not models):
            yield Update(1.0, Found(names[0]) if names else Found("", UNKNOWN))
            return
        for model in models:
            network = _load(model, job)
            if network is not None and weights_hash(network) == sha256:
                yield Update(1.0, Found(model.key.name))
                return
        why_not = f"This app’s {names[0]} has other weights than the network of the audit" if names else UNKNOWN
        yield Update(1.0, Found("", why_not))

    keys = tuple(model.key for model in models)
    return Work(None, ("audit_network", sha256, names, keys), "Looking for the network", steps, lambda _: 256, 2.0)


def name_of(manifest: Manifest) -> str | None:
    """The name of an audit's network in this app: as it was found, before that the likeliest; None for none."""
    found = runner().known(search(manifest))
    if found is not None:
        return found.name or None
    return next(iter(candidates(manifest)), None)


def check(network: Network, manifest: Manifest) -> None:
    """Raise ModelError where this is not the network of the audit."""
    if weights_hash(network) != manifest.network.weights_sha256:
        raise ModelError(
            f"The network {network.name!r} of this app has other weights than the audit's: it was trained again, or is "
            "another one of that name. Open the audit in an app with the same network, or audit again."
        )


def _chosen(name: str, random: bool) -> Model:
    return model_picker.chosen(name, model_picker.AUTO, random)


def _load(model: Model, job: Job[Any]) -> Network | None:
    """The network; None where it cannot be loaded."""
    try:
        return networks().get(job, model.key)
    except camcore.CamcoreError:
        return None
