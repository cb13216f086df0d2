"""Dataclasses out of JSON, each value checked against its field's type: a file of others may hold anything."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from camcore.files import Json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def from_json(kind: type[T], content: Json) -> T:
    """A dataclass of the values in a JSON object; lists become tuples, fields with a default may be missing.

    Raises ValueError, which names the field, for a value of another type, a number that is not finite, and a field that
    is missing or unknown.
    """
    if not isinstance(content, dict):
        raise ValueError("it holds no object")
    types = _types(kind)
    unknown = next((name for name in content if name not in types), None)
    if unknown is not None:
        raise ValueError(f"there is no field {unknown[:40]!r}")
    values = {name: _value(name, types[name], value) for name, value in content.items()}
    for one in fields(kind):
        if one.name not in values and one.default is MISSING and one.default_factory is MISSING:
            raise ValueError(f"the field {one.name!r} is missing")
    return kind(**values)


@cache
def _types(kind: type[object]) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _value(name: str, type_: Any, value: Json) -> Json:
    """The value as a field of this type has it."""
    origin, inner = get_origin(type_), get_args(type_)
    if origin in (Union, UnionType):
        if value is None and NoneType in inner:
            return None
        (type_,) = (one for one in inner if one is not NoneType)
        return _value(name, type_, value)
    if origin is tuple and isinstance(value, list):
        types = inner[:1] * len(value) if inner[-1] is ... else inner
        if len(types) == len(value):
            return tuple(_value(name, one, part) for one, part in zip(types, value, strict=True))
    elif origin is Mapping and isinstance(value, dict):
        return {key: _value(name, inner[1], part) for key, part in value.items()}
    elif is_dataclass(type_) and isinstance(type_, type):
        return from_json(type_, value)
    elif type_ is float:
        if type(value) in (int, float) and abs(value) <= sys.float_info.max:
            return float(value)
    elif value in inner if origin is Literal else type(value) is type_:
        return value
    raise ValueError(f"its {name} is {str(value)[:40]!r}")
