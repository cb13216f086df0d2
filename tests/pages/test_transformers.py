"""A transformer on the pages: attention maps by token and head, and the methods that it can have."""

from __future__ import annotations

from typing import Any

import pytest
from app_pages import components, headline, text, until, visit
from streamlit.testing.v1 import AppTest
from transformers import GRID, HEADS

import camcore
from ui import methods

NAME = "transformer"
ATTENTION = [key for key, info in camcore.METHODS.items() if info.input.needs_attention]


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_MODELS", f"{NAME}=own_models:transformer")


def part(at: AppTest, **wanted: Any) -> dict[str, Any] | None:
    """The data of the component that has these."""
    return next((one for one in components(at) if all(one.get(key) == value for key, value in wanted.items())), None)


def activations(**query: str) -> AppTest:
    at = visit("pages/activations.py", model=NAME, **query)
    return until(at, lambda at: [one for one in at.subheader if one.value == "Where the tokens look"]
                 and any("ids" in one and "2.1" in one["ids"] for one in components(at)))  # fmt: skip


def test_where_a_token_looks() -> None:
    at = activations(token="2-4", head="2.1")
    sheet = next(one for one in components(at) if "ids" in one and "2.1" in one["ids"])
    assert (sheet["chosen"], sheet["columns"], len(sheet["ids"])) == ("2.1", 1 + HEADS, 2 * (1 + HEADS))
    assert [label["title"] for label in sheet["labels"]] == ["Block 1", "Block 2"]
    picture = part(at, cell=[1, 3])
    assert picture is not None
    assert (picture["grid"]["rows"], picture["grid"]["columns"]) == GRID
    assert "Block 2, head 1: where the place in row 2, column 4 looks" in picture["alt"]
    box = next(one for one in at.selectbox if one.label == "The token that looks")
    assert box.options == ["class token", "register 1", "register 2", "place in row 2, column 4"]
    assert (at.query_params["token"], at.query_params["head"]) == ("2-4", "2.1")
    at = box.set_value("register 2").run()
    assert not at.exception
    assert at.query_params["token"] == "register-2"
    assert at.session_state["token"] == "register 2"

    at = activations(token="9-1", head="7")
    assert "no place in row 9, column 1: its tokens lie on 3×5 places. Showing the class token instead" in text(at)
    assert "no attention head 7: it has blocks 1 to 2" in text(at)
    assert part(at, cell=None, without="the class token; press a place to look from there") is not None


def test_only_what_is_defined_is_offered() -> None:
    at = visit(model=NAME, method="cam")
    assert "CAM is not defined for transformer" in text(at)
    assert "Showing Grad-CAM in its place" in text(at)
    offered = at.selectbox(key="method").options
    assert set(offered) == {methods.in_family(key) for key in camcore.METHODS if key != "cam"}
    assert headline(at).startswith(NAME)


def test_a_network_without_attention_has_nothing_of_it() -> None:
    at = visit(model="cats_vs_dogs", method="rollout")
    assert "Attention rollout is not defined for this network" in text(at)
    assert not set(map(methods.in_family, ATTENTION)) & set(at.selectbox(key="method").options)
    at = visit("pages/activations.py", at, model="cats_vs_dogs")
    until(at, lambda at: any(one.value == "The whole network on one page" for one in at.subheader)
          and not at.get("progress"))  # fmt: skip
    assert "Where the tokens look" not in [one.value for one in at.subheader]
