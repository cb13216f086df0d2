"""The Activations page, run by Streamlit's own test runner with a small network that learned nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app_pages import html, until, visit
from small import network_folder
from streamlit.testing.v1 import AppTest

import camcore
from camcore.features.channels import Channels
from ui import samples
from ui.activations import overview as activations_overview
from ui.jobs import session
from ui.network_summary import NetworkSummary, known_summary
from ui.query import NetworkKey

NAME = "pets"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    network_folder(home / "networks" / NAME, ["cat", "dog"])
    return home


seen: dict[str, Any] = {}
"""The status of each section as the page was drawn last."""


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    section = session.section

    def noted(name: str, *arguments: Any) -> Any:
        status = section(name, *arguments)
        seen[name] = status if not isinstance(status.value, NetworkSummary) else None
        return status

    monkeypatch.setattr(session, "section", noted)


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_HOME", str(home))
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(home))
    monkeypatch.setenv("KERAS_HOME", str(home))


def page(settle: bool = True, **query: str) -> AppTest:
    seen.clear()
    at = visit("pages/activations.py", **{"model": NAME, **query})
    return settled(at) if settle else at


def settled(at: AppTest) -> AppTest:
    """Both sections are there."""
    parts = ("channels", "overview")
    return until(at, lambda at: all(seen.get(part) is not None and seen[part].complete for part in parts))


def channels() -> Channels:
    """The channels that the page drew last."""
    assert isinstance(seen["channels"].value, Channels)
    return seen["channels"].value


def key() -> NetworkKey:
    row = next(row for row in camcore.backbones() if row.name == NAME)
    return NetworkKey(NAME, version=row.version)


def layers() -> tuple[Any, ...]:
    facts = known_summary(key())
    assert facts is not None
    return facts.layers


def test_the_recommended_layer_and_its_first_channel() -> None:
    at = page()
    found = channels()
    assert found.layer.recommended
    assert f"{len(found)} channels" in at.header[0].value
    first = int(np.argmax(found.contribution))
    assert f'aria-label="Channel {first} in figures"' in html(at)
    dead = int(found.dead.sum())
    said = " ".join(m.value for m in at.markdown)
    assert (f"**{dead:,} of {len(found):,}** channels are dead" if dead else "Every channel responds") in said


def test_a_link_to_a_layer_and_a_channel() -> None:
    page()
    other = next(info for info in layers() if info.usable and info.kind == "activation" and not info.recommended)
    at = page(layer=other.path, channel="2", order="number")
    found = channels()
    assert found.layer.path == other.path
    assert 'aria-label="Channel 2 in figures"' in html(at)
    assert at.query_params["layer"] == other.path
    assert at.query_params["channel"] == "2"
    assert "cam-note" not in html(at)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"order": "loudness", "scaling": "huge", "listed": "nothing", "channel": "x"},
         ("loudness", "huge", "nothing", "whole number")),
        ({"layer": "nope"}, ("no layer “nope”",)),
        ({"layer": "scores"}, ("no spatial grid",)),
        ({"channel": "5000"}, ("no channel 5000",)),
        ({"class": "2"}, ("no class 2: its classes are 0 to 1",)),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "",
)  # fmt: skip
def test_a_link_that_cannot_be_followed_is_answered_in_place(query: dict[str, str], said: tuple[str, ...]) -> None:
    at = page(**query)
    found = channels()
    assert found.layer.recommended
    assert [one for one in said if one not in html(at)] == []
    streamlits = {"order", "scaling", "listed"}  # to take away
    assert not set(query) & (set(at.query_params) - streamlits)


def test_contributions_are_to_the_chosen_class() -> None:
    """One sigmoid: what speaks for the one class speaks against the other."""
    page(**{"class": "0"})
    cat = channels()
    page(**{"class": "1"})
    dog = channels()
    assert (cat.label, dog.label) == ("cat", "dog")
    np.testing.assert_allclose(cat.contribution, -dog.contribution, rtol=1e-5)


def test_a_channel_of_another_layer_is_forgotten() -> None:
    at = page(channel="3")
    other = next(info for info in layers() if info.usable and not info.recommended)
    at.session_state["layer"] = other.path
    seen.clear()
    settled(at.run())
    assert channels().layer.path == other.path
    assert at.session_state["channel"] is None
    assert "no channel" not in html(at)


def test_the_overview_shows_the_strongest_of_every_layer() -> None:
    page()
    found = seen["overview"].value
    wanted = [info.path for info in layers() if info.usable and info.kind in ("convolution", "pooling")]
    assert [one.layer.path for one in found] == wanted
    page(listed="merge")
    found = seen["overview"].value
    assert [one.layer.kind for one in found] == ["merge"] * len(found)


def test_a_network_without_its_weights_is_offered() -> None:
    at = page(settle=False, model="MobileNetV2")
    assert at.header[0].value == "MobileNetV2 needs its weights first"
    assert [button.key for button in at.button if button.key == "fetch"]


def test_the_sample_is_read_as_the_core_reads_it() -> None:
    page(framing="stretch")
    found = channels()
    net = camcore.load(NAME)
    A = camcore.activations(net, samples.picture(samples.KEYS[0]), found.layer.path, "stretch")[found.layer.path]
    np.testing.assert_allclose(found.activations, A, rtol=1e-4, atol=1e-5)


def test_many_passes_are_priced_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activations_overview, "PASSES_UNASKED", 0)
    at = page(settle=False)
    until(at, lambda at: [button for button in at.button if button.key == "overview_go"])
    assert "1 pass" in " ".join(m.value for m in at.markdown)
    assert seen["overview"].value is None, "nothing is begun unasked"
    seen.clear()
    at.button(key="overview_go").click().run()
    settled(at)
    assert seen["overview"].value
