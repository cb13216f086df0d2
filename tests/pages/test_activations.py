"""The Activations page, run by Streamlit's own test runner with a small network that learned nothing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small import network_folder
from streamlit.testing.v1 import AppTest

import camcore
from camcore.features.channels import Channels
from ui import samples, working
from ui.activations import overview as activations_overview
from ui.facts import Facts
from ui.meeting import known_facts
from ui.questions import NetworkKey

APP = str(Path(__file__).resolve().parents[2] / "app.py")
PAGE = "pages/activations.py"
TIMEOUT = 120
NAME = "pets"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    network_folder(home / "networks" / NAME, ["cat", "dog"])
    return home


seen: dict[str, Any] = {}
"""The standing of each section as the page was drawn last."""


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    section = working.section

    def noted(name: str, *arguments: Any) -> Any:
        standing = section(name, *arguments)
        seen[name] = standing if not isinstance(standing.value, Facts) else None
        return standing

    monkeypatch.setattr(working, "section", noted)


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_HOME", str(home))
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(home))
    monkeypatch.setenv("KERAS_HOME", str(home))


def page(settle: bool = True, **query: str) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=TIMEOUT)
    at.switch_page(PAGE)
    for name, value in {"model": NAME, **query}.items():
        at.query_params[name] = value
    seen.clear()
    at.run()
    assert not at.exception
    return settled(at) if settle else at


def settled(at: AppTest) -> AppTest:
    """Run the script again, as the page's fragments do, until both sections are there."""
    end = time.monotonic() + TIMEOUT
    while not all(seen.get(part) is not None and seen[part].complete for part in ("channels", "overview")):
        assert time.monotonic() < end, (at.header, html(at))
        time.sleep(0.1)
        at.run()
        assert not at.exception
    return at


def channels() -> Channels:
    """What the page drew last."""
    assert isinstance(seen["channels"].value, Channels)
    return seen["channels"].value


def html(at: AppTest) -> str:
    return " ".join(str(element.proto.body) for element in at.get("html") if "<style>" not in str(element.proto.body))


def key() -> NetworkKey:
    row = next(row for row in camcore.backbones() if row.name == NAME)
    return NetworkKey(NAME, version=row.version)


def layers() -> tuple[Any, ...]:
    facts = known_facts(key())
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
        ({"layer": "nope"}, "no layer “nope”"),
        ({"layer": "scores"}, "no spatial grid"),
        ({"channel": "5000"}, "no channel 5000"),
        ({"channel": "x"}, "whole number"),
        ({"class": "2"}, "no class 2: its classes are 0 to 1"),
        ({"order": "loudness"}, "loudness"),
        ({"scaling": "huge"}, "huge"),
        ({"listed": "nothing"}, "nothing"),
    ],
    ids=lambda value: next(iter(value.values())) if isinstance(value, dict) else "",
)
def test_a_link_that_cannot_be_followed_is_answered_in_place(query: dict[str, str], said: str) -> None:
    at = page(**query)
    found = channels()
    assert found.layer.recommended
    assert said in html(at)
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
    end = time.monotonic() + TIMEOUT
    while not [button for button in at.button if button.key == "overview_go"]:
        assert time.monotonic() < end, html(at)
        time.sleep(0.1)
        at.run()
    assert "1 pass" in " ".join(m.value for m in at.markdown)
    assert seen["overview"].value is None, "nothing is begun unasked"
    seen.clear()
    at.button(key="overview_go").click().run()
    settled(at)
    assert seen["overview"].value
