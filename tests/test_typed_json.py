"""Dataclasses out of JSON: each value has its field's type, or the field is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pytest

from camcore.files import parse_json
from camcore.typed_json import from_json


@dataclass(frozen=True)
class Inner:
    label: str
    share: float = 0.5


@dataclass(frozen=True)
class Outer:
    name: str
    size: tuple[int, int]
    inner: Inner
    more: tuple[Inner, ...] = ()
    kind: Literal["a", "b"] = "a"
    right: bool = True
    limit: int | None = None
    versions: Mapping[str, str] | None = None


WHOLE = Outer("x", (1, 2), Inner("cat", 1.0), (Inner("dog"), Inner("owl")), "b", False, 3, {"keras": "3"})
LEAST: dict[str, Any] = {"name": "x", "size": [1, 2], "inner": {"label": "cat"}}


def test_what_was_written_comes_back() -> None:
    assert from_json(Outer, json.loads(json.dumps(asdict(WHOLE)))) == WHOLE
    assert from_json(Outer, LEAST) == Outer("x", (1, 2), Inner("cat"))
    share = from_json(Inner, {"label": "", "share": 1}).share
    assert share == 1
    assert isinstance(share, float)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "it holds no object"),
        ("null", "it holds no object"),
        ('{"size": [1, 2], "inner": {"label": "a"}}', "the field 'name' is missing"),
        ('{"odd": 1}', "there is no field 'odd'"),
        ('{"name": 5}', "its name is '5'"),
        ('{"name": null}', "its name is 'None'"),
        ('{"size": [1]}', "its size is"),
        ('{"size": [1, 2, 3]}', "its size is"),
        ('{"size": [1, "2"]}', "its size is '2'"),
        ('{"size": [1, true]}', "its size is 'True'"),
        ('{"size": [1, 2.0]}', "its size is '2.0'"),
        ('{"size": {"0": 1}}', "its size is"),
        ('{"inner": []}', "it holds no object"),
        ('{"inner": {"label": "a", "share": 1e400}}', "its share is 'inf'"),
        ('{"inner": {"label": "a", "share": NaN}}', "its share is 'nan'"),
        ('{"inner": {"label": "a", "share": 1' + "0" * 400 + "}}", "its share is '1000"),
        ('{"inner": {"label": "a", "share": true}}', "its share is 'True'"),
        ('{"more": [{"label": 1}]}', "its label is '1'"),
        ('{"more": "ab"}', "its more is 'ab'"),
        ('{"kind": "c"}', "its kind is 'c'"),
        ('{"kind": ["a"]}', "its kind is"),
        ('{"right": 1}', "its right is '1'"),
        ('{"limit": "3"}', "its limit is '3'"),
        ('{"versions": {"keras": 3}}', "its versions is '3'"),
    ],
)
def test_the_field_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        from_json(Outer, parse_json(text))
