"""A mended network among one's own: loaded again as it was, whatever it was made from, with its record beside it."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from planted import colour_network
from small import network_folder

import camcore
from camcore.errors import CamcoreError, ModelError
from camcore.metrics.intervals import rate
from camcore.models.description import MendedCopy
from camcore.shortcuts.linear_head import linear_head, with_head
from camcore.shortcuts.mended import Mending, Trials, keep_mending, mending_from_json, mending_of, read_mendings
from camcore.shortcuts.mending import Mended
from camcore.shortcuts.saving import free_folder, save_mended
from camcore.training.new_head import replace_head

RECORD = Mending(
    "pets", "a" * 64, "dog", 40, "key", "project", "2026-01-02T03:04:05+00:00",
    Trials(rate(9, 10), rate(80, 90), rate(30, 60), rate(1, 60)), Trials(None, rate(81, 90), rate(0, 60), rate(0, 0)),
)  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "networks"


def changed(network: camcore.Network) -> Mended:
    """The network with another head."""
    head = linear_head(network, "cells" if network.name == "colours" else network.default_layer)
    twin = with_head(
        network, head.without(np.linspace(1, 2, len(head.kernel)), np.ones(len(head.kernel))), "another head"
    )
    return Mended(twin, RECORD)


def networks(home: Path) -> dict[str, camcore.Network]:
    """Networks of each kind: saved, with another head on it, a catalogue's, and a model of one's own."""
    network_folder(home / "pets", ["cat", "dog", "owl"])
    pets, catalogue = camcore.load("pets"), camcore.load("MobileNet", "random", alpha=0.25, input_shape=(64, 64, 3))
    return {
        "saved": pets,
        "surgery": replace_head(pets, ["a", "b"]),
        "catalogue": catalogue,
        "own": colour_network(magenta=4),
    }


def test_it_is_loaded_by_its_name_as_it_was(home: Path) -> None:
    for kind, network in networks(home).items():
        made = changed(network)
        saved = save_mended(made, free_folder(kind))
        again = camcore.load(f"{kind} mended")
        x = np.random.default_rng(0).integers(0, 256, (2, *network.input_size, 3)).astype(np.float32)
        np.testing.assert_allclose(
            again.logits(again.preprocess(x)), made.network.logits(network.preprocess(x)), rtol=1e-4, atol=1e-5
        )
        assert (again.labels, again.framing) == (network.labels, network.framing)
        assert (saved.mended, mending_of(saved)) == (MendedCopy("pets", "dog"), RECORD)
        assert "a copy of pets without a shortcut to 'dog'" in again.weights_note
        assert saved.whole == (kind == "own")
        row = next(row for row in camcore.backbones() if row.name == saved.name)
        assert (row.parameters, row.weights_state) == (network.parameters, "on disk")


def test_a_trunk_that_cannot_be_built_again_is_told_where_a_head_is_to_be_saved(home: Path) -> None:
    saved = save_mended(changed(colour_network(magenta=4)), free_folder("own"))
    assert replace_head(saved.folder, ["a", "b"]).origin is None
    with pytest.raises(ModelError, match="random"):
        camcore.load("own mended", "random")
    (saved.folder / "network.keras").write_bytes(b"another file")
    with pytest.raises(ModelError, match="not those that were saved"):
        camcore.load("own mended")


def test_names_are_free_and_can_be_names(home: Path) -> None:
    assert free_folder("pets").name == "pets mended"
    (home / "pets mended").mkdir(parents=True)
    assert free_folder("pets mended").name == "pets mended 2"
    assert free_folder("hub:vit/../x").name == "hub vit .. x mended"
    assert free_folder("…").name == "network mended"


def test_what_cannot_be_saved_is_told(home: Path) -> None:
    model = colour_network(magenta=4).model
    odd = camcore.wrap(model, labels=("a", "b"), preprocess=lambda rgb: rgb / 99)
    with pytest.raises(CamcoreError, match="code cannot be saved"):
        save_mended(Mended(odd, RECORD), free_folder("odd"))
    two = keras.Model(model.inputs, [model.outputs[0], model.get_layer("cells").output])
    with pytest.raises(ModelError, match="several"):
        save_mended(Mended(camcore.wrap(two, output=0), RECORD), free_folder("two"))


def test_the_record_is_kept_beside_the_audit(tmp_path: Path) -> None:
    assert read_mendings(tmp_path) == {}
    keep_mending(tmp_path, "one", RECORD)
    keep_mending(tmp_path, "two", RECORD)
    assert read_mendings(tmp_path) == read_mendings(tmp_path, "key") == {"one": RECORD, "two": RECORD}
    assert read_mendings(tmp_path, "another group") == {}
    for damaged in ("[]", '{"one": {}}', '{"one": {"way": "magic"}}'):
        (tmp_path / "mended.json").write_text(damaged)
        with pytest.raises(CamcoreError, match="record of mended networks"):
            read_mendings(tmp_path)
    with pytest.raises(ValueError, match="magic"):
        mending_from_json({"way": "magic"})
