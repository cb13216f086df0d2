"""The Filters page's logic, run by Streamlit's own test runner with a small network that learned nothing."""

import contextlib
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from app_pages import TIMEOUT, components, headline, html, until, visit
from small import network_folder
from streamlit.testing.v1 import AppTest

from camcore.filters import excite
from ui.filters import work as filters_work

pytestmark = pytest.mark.usefixtures("pets", "cache")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that an earlier test has searched for is kept."""
    monkeypatch.setenv("CAMCORE_CACHE", str(tmp_path))


def page(**query: str) -> AppTest:
    return visit("pages/filters.py", **{"model": "pets", "steps": "32", **query})


def tiles(at: AppTest) -> list[dict[str, Any]]:
    return next((data["items"] for data in components(at) if "Pictures; press" in str(data.get("label"))), [])


def searched(at: AppTest) -> bool:
    return "after 32 steps" in html(at)


def offered(at: AppTest) -> bool:
    return any(button.key == "filters_ask" for button in at.button)


def answered(at: AppTest) -> bool:
    return headline(at).startswith("This is what")


def whole(at: AppTest) -> bool:
    return bool(tiles(at)) and all(tile["note"] for tile in tiles(at))


def layers() -> dict[str, int]:
    """The layers that can be chosen and their channels."""
    import camcore

    return {info.path: info.channels or 0 for info in camcore.load("pets").layers if info.usable}


def test_one_picture_comes_by_itself_and_many_at_a_price() -> None:
    at = until(page(), lambda at: searched(at) and offered(at))
    assert "responds to" in headline(at)
    ask = next(button for button in at.button if button.key == "filters_ask")
    assert ask.label.startswith(f"Search for the other {len(tiles(at)) - 1} · ")
    assert sum(tile["src"] is not None for tile in tiles(at)) == 1, "only what was searched for is shown"
    ask.click().run()
    until(at, whole)
    assert sum(tile["selected"] for tile in tiles(at)) == 1
    assert all(tile["src"].startswith("data:image/jpeg") for tile in tiles(at))
    assert "cam-error" not in html(at)
    assert html(at).count('alt="Kernel ') == 4


def test_a_link_names_layer_and_channel() -> None:
    path, channels = next(iter(layers().items()))
    at = until(page(layer=path, channel=str(channels - 1), which="order"), searched)
    assert headline(at) == f"This is what channel {channels - 1} of {path} responds to"
    assert [tile["id"] for tile in tiles(at)] == [str(index) for index in range(min(channels, 16))]
    assert at.query_params["channel"] == str(channels - 1)


def test_another_layer_forgets_the_channel() -> None:
    first, *_, last = layers()
    at = until(page(layer=first, channel="1"), answered)
    at.session_state["layer"] = last
    at.run()
    until(at, lambda at: f"of {last} responds" in headline(at))
    assert at.session_state["channel"] is None


def test_another_network_forgets_the_channel(pets: Path) -> None:
    network_folder(pets / "networks" / "others", ["cat", "dog", "<b>owl</b>"])
    at = until(page(channel="5"), answered)
    next(box for box in at.selectbox if box.key == "model").set_value("others").run()
    until(at, answered)
    assert at.session_state["channel"] is None
    assert "cam-note" not in html(at)


def test_classes_by_name_with_their_labels_escaped() -> None:
    at = until(page(of="classes", names="2,0"), searched)
    assert headline(at) == "This is what pets takes for “<b>owl</b>”"
    assert "<b>owl" not in html(at)
    assert [tile["id"] for tile in tiles(at)] == ["2", "0"]
    assert "of 3 classes" in html(at)


@pytest.mark.parametrize(("query", "said"), [
    ({"of": "pixels", "steps": "7", "seed": "99999", "first": "-3", "channel": "x"},
     ("“pixels”, which does not", "“7”, which does not exist", "between 0 and 9999", "too small", "whole number")),
    ({"channel": "-1"}, ("too small",)),
    ({"channel": "100000"}, ("has no channel 100000",)),
    ({"layer": "nonsense"}, ("This network has no layer “nonsense”",)),
    ({"layer": "scores"}, ("it has no spatial grid",)),
    ({"of": "classes", "class": "3"}, ("There is no class 3",)),
    ({"of": "classes", "names": "0,7"}, ("has no class 7",)),
], ids=lambda value: "-".join(value) if isinstance(value, dict) else "")  # fmt: skip
def test_what_does_not_exist_is_answered_in_place(query: dict[str, str], said: tuple[str, ...]) -> None:
    at = until(page(**query), answered)
    assert [one for one in said if one not in html(at)] == []


def test_a_first_channel_beyond_the_last_shows_the_last() -> None:
    path, channels = next(iter(layers().items()))
    at = until(page(layer=path, which="order", first="5000"), answered)
    assert [tile["id"] for tile in tiles(at)] == [str(channels - 1)]


def test_a_stopped_search_keeps_what_it_has_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    begun: list[int] = []  # how much of it was done when each search began
    waiting = threading.Event()

    def gated(*arguments: Any) -> Generator[Any, None, None]:
        with contextlib.closing(excite(*arguments)) as search:
            for place, state in enumerate(search):
                if place == 0:
                    begun.append(state.done)
                yield state
                if len(arguments[2]) > 1 and state.done >= state.total // 2:
                    waiting.set()
                    gate.wait(TIMEOUT)

    monkeypatch.setattr(filters_work, "excite", gated)
    at = until(page(seed="3"), offered)
    next(button for button in at.button if button.key == "filters_ask").click().run()
    until(at, lambda at: waiting.is_set() and whole(at))
    next(button for button in at.button if button.key == "stop_filters_many").click().run()
    assert any("Stopped" in caption.value for caption in at.caption)
    half = [tile["note"] for tile in tiles(at)]
    assert all(half)
    gate.set()
    assert at.session_state["work_filters_many"].job.wait_for_end(TIMEOUT), "it ends at its next step"
    next(button for button in at.button if button.key == "again_filters_many").click().run()
    until(at, lambda at: not any("filters_many" in str(button.key) for button in at.button) and whole(at))
    assert begun[-1] > 0, "it did not begin anew"
    assert [tile["note"] for tile in tiles(at)] != half


def test_without_weights_the_page_offers_them(no_weights: Path) -> None:
    at = page(model="VGG16")
    assert headline(at) == "VGG16 is not on this machine yet"
    assert any(button.key == "fetch" for button in at.button)
