"""The options of the methods' classes: in their signature and help, from the registry, and taken as they are shown."""

from __future__ import annotations

import inspect
import pydoc
from typing import Literal, get_args, get_origin

import pytest

import camcore
from camcore.methods import METHODS

COMMON = ["model", "target_layer", "refine"]


@pytest.mark.parametrize("key", METHODS)
def test_a_signature_shows_every_option_with_type_and_default(key: str) -> None:
    info = METHODS[key]
    signature = inspect.signature(getattr(camcore, info.class_name))
    assert list(signature.parameters) == [*COMMON, *info.options]
    for name, option in info.options.items():
        parameter = signature.parameters[name]
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default == option.default
        if option.choices:
            assert get_origin(parameter.annotation) is Literal
            assert get_args(parameter.annotation) == option.choices
        elif not isinstance(option.default, tuple):
            assert parameter.annotation is type(option.default)
    bound = signature.bind("a model", "a layer", refine="aug", **{name: o.default for name, o in info.options.items()})
    assert set(bound.arguments) == {*COMMON, *info.options}


@pytest.mark.parametrize("key", METHODS)
def test_help_names_the_paper_and_every_option(key: str) -> None:
    info = METHODS[key]
    text = pydoc.plain(pydoc.render_doc(getattr(camcore, info.class_name)))
    flat = " ".join(text.replace("|", " ").split())
    for part in (info.summary, info.paper, info.url, info.cost):
        assert " ".join(part.split()) in flat
    for name, option in info.options.items():
        assert f"``{name}``: {option.help}" in flat
        assert f"Default {option.default!r}." in flat


def test_an_option_that_is_not_shown_is_refused() -> None:
    signature = inspect.signature(camcore.SSCAM)
    assert str(signature.parameters["n"]) == "n: int = 35"
    with pytest.raises(TypeError, match="unexpected keyword"):
        signature.bind("a model", m=3)
