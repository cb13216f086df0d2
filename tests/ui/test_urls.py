"""Links: the values they may name, and the answer to what does not exist."""

import pytest
from app_pages import AppTest

from ui import urls
from ui.urls import ListParameter, Parameter, whole_number


def test_a_known_word_is_taken() -> None:
    assert Parameter("method", "method", "gradcam", ("gradcam", "layercam")).read("layercam") == ("layercam", None)


def test_an_unknown_word_is_named_with_the_nearest_and_the_default() -> None:
    value, problem = Parameter("model", "backbone", "A", ("A", "MobileNetV2")).read("mobilenetv")
    assert value == "A"
    assert problem is not None
    assert "“mobilenetv”" in problem
    assert "Did you mean “MobileNetV2”?" in problem
    assert "Showing “A” instead." in problem


@pytest.mark.parametrize(
    ("text", "wrong"), [("abc", "whole number"), ("140", "between 0 and 100"), ("1.5", "whole number")]
)
def test_numbers_are_checked(text: str, wrong: str) -> None:
    value, problem = Parameter("opacity", "opacity", 50, parse=whole_number(0, 100)).read(text)
    assert value == 50
    assert problem is not None
    assert wrong in problem


def test_a_very_long_word_is_cut() -> None:
    _, problem = Parameter("method", "method", "gradcam", ("gradcam",)).read("x" * 5000)
    assert problem is not None
    assert len(problem) < 200


def test_several_choices_with_commas_between_them() -> None:
    methods = ListParameter("methods", "method", ["gradcam"], ("gradcam", "layercam", "cam"))
    assert methods.read("layercam,cam,layercam") == (["layercam", "cam"], None)
    assert methods.write(["layercam", "cam"]) == "layercam,cam"


def test_of_several_choices_those_that_exist_stand() -> None:
    methods = ListParameter("methods", "method", ["gradcam"], ("gradcam", "layercam"))
    value, problem = methods.read("layercam,gradcamm")
    assert value == ["layercam"]
    assert problem == (
        "The link names the method “gradcamm”, which does not exist. Did you mean “gradcam”? It is left out."
    )
    value, problem = methods.read("nothing")
    assert value == ["gradcam"]
    assert problem is not None
    assert problem.endswith("Showing the usual ones instead.")


def test_a_list_without_end_is_read_to_its_limit_and_told_in_a_few_sentences() -> None:
    methods = ListParameter("methods", "method", ["gradcam"], ("gradcam", "layercam"))
    value, problem = methods.read("layercam," + ",".join(f"x{number}" for number in range(200_000)))
    assert value == ["layercam"]
    assert problem is not None
    assert problem.endswith("196 more of them cannot be followed and are left out.")
    assert len(problem) < 500


def two_pages() -> None:
    import streamlit as st

    from ui import urls
    from ui.urls import Parameter

    pages = {
        "one": [
            Parameter("model", "backbone", "A", ("A", "B")),
            Parameter("layer", "layer", None),
            Parameter("grid", "grid view", "smooth", ("smooth", "native"), bound=True),
        ],
        "two": [Parameter("run", "run", None)],
        "three": [Parameter("model", "network", "A", ("A", "B", "C"), own_key="about", former=("about",))],
    }
    urls.adopt(pages[st.session_state["page"]])
    urls.clear_others(pages[st.session_state["page"]])
    urls.publish(pages[st.session_state["page"]])


def visit(at: AppTest, page: str, **query: str) -> AppTest:
    at.session_state["page"] = page
    at.query_params.clear()
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def test_a_link_to_another_page_is_followed_within_a_visit() -> None:
    at = visit(AppTest.from_function(two_pages), "one", model="B", layer="conv")
    visit(at, "two", run="x")
    assert at.session_state["run"] == "x"
    visit(at, "one", model="A")
    assert at.session_state["model"] == "A"
    assert at.session_state["layer"] is None, "a link describes a whole view"


def test_coming_back_without_a_link_finds_the_choices_as_they_were() -> None:
    at = visit(AppTest.from_function(two_pages), "one", model="B", layer="conv")
    visit(at, "two")
    assert at.session_state["run"] is None
    visit(at, "one")
    assert (at.session_state["model"], at.session_state["layer"]) == ("B", "conv")
    assert dict(at.query_params) == {"model": "B", "layer": "conv"}


def test_what_a_widget_of_another_page_wrote_leaves_the_address() -> None:
    at = visit(AppTest.from_function(two_pages), "one", grid="native", layer="conv")
    assert dict(at.query_params) == {"grid": "native", "layer": "conv"}
    visit(at, "two", run="x", grid="native", unknown="stays")
    assert dict(at.query_params) == {"run": "x", "unknown": "stays"}


def test_the_word_of_an_older_link_leads_to_the_same_and_leaves_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    at = visit(AppTest.from_function(two_pages), "three", about="C")
    assert at.session_state["about"] == "C"
    assert dict(at.query_params) == {"model": "C"}
    visit(at, "three", about="C", model="B")
    assert dict(at.query_params) == {"model": "C"}, "an address that is behind"
    monkeypatch.setattr(urls, "is_history_navigation", lambda: True)
    visit(at, "three", about="B")
    assert at.session_state["about"] == "B"


def test_one_word_for_two_choices_of_two_pages() -> None:
    at = visit(AppTest.from_function(two_pages), "one", model="B")
    visit(at, "three", model="C")
    assert (at.session_state["model"], at.session_state["about"]) == ("B", "C")
    visit(at, "one")
    assert dict(at.query_params) == {"model": "B"}


def choose(at: AppTest, model: str) -> AppTest:
    """A choice by hand, as a callback makes it."""
    at.session_state["model"] = model
    at.run()
    assert not at.exception
    return at


def test_an_earlier_address_means_back_where_the_browser_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    at = visit(AppTest.from_function(two_pages), "one", layer="conv")
    choose(at, "B")
    visit(at, "one", layer="conv")
    assert at.session_state["model"] == "B", "a busy browser that has not written the new address yet"
    monkeypatch.setattr(urls, "is_history_navigation", lambda: True)
    visit(at, "one", layer="conv")
    assert at.session_state["model"] == "A"


def test_a_choice_that_is_made_once_more_after_its_opposite_stands() -> None:
    at = visit(AppTest.from_function(two_pages), "one", layer="conv")
    for model in ("B", "A", "B", "A"):
        assert choose(at, model).session_state["model"] == model


def test_a_wrong_link_on_a_second_page_is_told() -> None:
    at = visit(AppTest.from_function(two_pages), "two")
    visit(at, "one", model="C")
    assert at.session_state["model"] == "A"
    assert "“C”" in at.session_state["url_notices"]["model"][0]
