"""The layer chooser: what it offers, and what it does with a choice that a network does not have."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from app_pages import AppTest, components
from keras import layers

import camcore
from ui import layer_browser


def conv(name: str, **options: Any) -> Any:
    return layers.Conv2D(4, 3, padding="same", name=name, **options)


@pytest.fixture(scope="module")
def net() -> camcore.Network:
    """stem → (a → a2 | skip) → sum → strided b; then the scores."""
    x = keras.Input((16, 16, 3))
    y = conv("stem")(x)
    y = layers.Add(name="sum")([y, conv("a2")(conv("a")(y))])
    y = layers.GlobalAveragePooling2D(name="gap")(conv("b", strides=2, activation="relu")(y))
    return camcore.wrap(keras.Model(x, layers.Dense(2, name="scores")(y)))


def plan(net: camcore.Network) -> dict[str, Any]:
    return layer_browser._plan(tuple(net.layers), tuple(net.ladder))


def test_stages_and_layers_with_their_branches(net: camcore.Network) -> None:
    found = plan(net)
    assert [(s["title"], s["note"], s["usable"]) for s in found["stages"]] == [
        ("16×16", "4 layers", True),
        ("8×8", "1 layer", True),
        ("no grid", "2 layers", False),
    ]
    rows = {row["path"]: row for row in found["layers"]}
    assert rows["a2"]["seats"] == [["sum", 0, 1]]
    assert rows["sum"]["joins"] == "joins a branch and a skip"
    assert rows["stem"]["seats"] == []
    assert rows["b"]["recommended"]
    assert rows["b"]["rung"]
    assert rows["sum"]["rung"]
    assert not rows["gap"]["usable"]
    assert "no spatial grid" in rows["gap"]["reason"]
    assert found["recommended"] == "b"


def test_nothing_to_choose_yet() -> None:
    assert layer_browser._plan((), ())["layers"] == []


def page(wanted: str | None, layers: Any, **options: Any) -> AppTest:
    def script() -> None:
        import streamlit as st

        from ui import layer_browser, urls
        from ui.urls import Parameter

        parameters = [Parameter("layer", "layer", None)]
        urls.adopt(parameters)
        found = layer_browser.show(st.session_state["given"], **st.session_state["options"])
        st.text(None if found is None else found.path)
        for notice in urls.notices().values():
            st.warning(notice)
        urls.publish(parameters)

    at = AppTest.from_function(script)
    at.session_state["given"], at.session_state["options"] = layers, options
    if wanted is not None:
        at.query_params["layer"] = wanted
    at.run()
    assert not at.exception
    return at


def test_without_a_choice_it_is_the_recommended_layer(net: camcore.Network) -> None:
    assert page(None, net.layers).text[0].value == "b"


def test_a_link_chooses(net: camcore.Network) -> None:
    at = page("a2", net.layers)
    assert at.text[0].value == "a2"
    assert not at.warning


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("summ", "Did you mean “sum”?"), ("gap", "no spatial grid"), ("<b>", "no layer “<b>”")],
    ids=["unknown", "without a grid", "markup"],
)
def test_a_link_that_cannot_be_followed(net: camcore.Network, wanted: str, said: str) -> None:
    at = page(wanted, net.layers)
    assert at.text[0].value == "b"
    assert said in at.warning[0].value
    assert "“b”, instead" in at.warning[0].value
    assert "layer" not in at.query_params


def test_a_choice_waits_for_the_network() -> None:
    at = page("a2", ())
    assert at.session_state["layer"] == "a2"
    assert not at.warning


def test_a_page_may_begin_with_another_layer(net: camcore.Network) -> None:
    assert page(None, net.layers, start="a").text[0].value == "a"
    assert page("b", net.layers, start="a").text[0].value == "b", "the recommended one can be chosen there, too"
    at = page("nowhere", net.layers, start="a")
    assert at.text[0].value == "a"
    assert "Showing “a” instead" in at.warning[0].value


def test_where_no_layer_can_be_chosen_none_is_and_the_choice_waits(net: camcore.Network) -> None:
    at = page("a2", net.layers, compact=True, closed="None: it looks at the input itself")
    assert at.text[0].value == "None"
    assert at.session_state["layer"] == "a2"
    (data,) = components(at)
    assert (data["layers"], data["chosen"], data["closed"]) == ([], None, "None: it looks at the input itself")
