"""Checks of arguments at the public functions: one decorator, and the kinds of values that they take.

``@checked(alpha=share, smooth=flag)`` looks at these arguments before the function runs, so that a wrong one is
refused by its name, and the function itself sees only what it was written for.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from numbers import Integral, Real
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError, nearest

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

Check = Callable[[str, object], T]
"""(the argument's name, its value) → the value that the function is given. Raises CamcoreError."""

_LONGEST = 60  # letters of a value that a message shows


def checked(**checks: Check[object]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: the named arguments of a function go through their checks, in this order, before it is called.

    An argument that a call leaves out is not checked. Of a function that is a generator the arguments are checked at
    the call, not at the first step.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        positions = {name: position for position, name in enumerate(inspect.signature(function).parameters)}
        unknown = checks.keys() - positions.keys()
        if unknown:
            raise TypeError(f"{function.__qualname__} has no argument {', '.join(sorted(unknown))} to check")

        call: Callable[..., R] = function

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            by_place, by_name = list[object](args), dict[str, object](kwargs)
            for name, check in checks.items():
                if name in by_name:
                    by_name[name] = check(name, by_name[name])
                elif positions[name] < len(by_place):
                    by_place[positions[name]] = check(name, by_place[positions[name]])
            return call(*by_place, **by_name)

        return wrapper

    return decorate


def shown(value: object) -> str:
    """A value as a message shows it: short, and whatever its own ``repr`` does."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    try:
        text = repr(value)
    except Exception:  # a foreign object, or an int with more digits than Python prints; it is refused in any case
        return f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({type(value).__name__})"


def refused(
    name: str, value: object, wanted: str, what_to_do: str, error: type[CamcoreError] = CamcoreError
) -> CamcoreError:
    """The error for an argument: its value, what it must be, and what to do."""
    return error(f"{name}={shown(value)} cannot be used. It must be {wanted}. {what_to_do}")


# ---- kinds of values


def optional(check: Check[T]) -> Check[T | None]:
    """None, or what ``check`` takes."""
    return lambda name, value: None if value is None else check(name, value)


def flag(name: str, value: object) -> bool:
    """True or False; 0 and 1 will do."""
    if not isinstance(value, (bool, np.bool_, Integral)) or value not in (0, 1):
        raise refused(name, value, "True or False", "Give one of the two.")
    return bool(value)


def text(name: str, value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise refused(name, value, "a string", "Give text in quotation marks.")
    return value


def function(name: str, value: object) -> object:
    """Anything that can be called."""
    if not callable(value):
        raise refused(name, value, "a function", "Give a function, or leave it out.")
    return value


def number(
    low: float | None = None, high: float | None = None, above: float | None = None, example: float = 1.0
) -> Check[float]:
    """A finite number, as a float: at least ``low``, at most ``high``, greater than ``above``."""

    def check(name: str, value: object) -> float:
        if not isinstance(value, Real) or isinstance(value, bool) or not _finite(value):
            raise refused(name, value, "a finite number", f"Give a number such as {example}.")
        number = float(value)
        _bounded(name, number, low, high, above, example)
        return number

    return check


def whole(low: int | None = None, high: int | None = None, example: int = 1) -> Check[int]:
    """A whole number as an int, at least ``low`` and at most ``high``."""

    def check(name: str, value: object) -> int:
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise refused(name, value, "a whole number", f"Give one such as {example}.")
        number = int(value)
        _bounded(name, number, low, high, None, example)
        return number

    return check


share: Check[float] = number(0, 1, example=0.5)
"""A number from 0 to 1."""

max_side: Check[int | None] = optional(whole(1, 1 << 20, example=512))
"""The most pixels of a side; None for no limit."""

seed: Check[int] = whole(0, (1 << 32) - 1, example=0)
"""The seed of random numbers, as numpy and scikit-learn take it."""


def one_of(*choices: str, kind: str = "") -> Check[str]:
    """One of some names; ``kind``: of thing that they name, as a message calls it."""

    def check(name: str, value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            near = nearest(value, choices, 0.4)
            what_to_do = f"Choose {f'{near!r}, perhaps' if near else 'one of these'}."
            if kind:
                raise CamcoreError(f"There is no {kind} {shown(value)}. There are {', '.join(choices)}. {what_to_do}")
            raise refused(name, value, f"one of {', '.join(map(repr, choices))}", what_to_do)
        return value

    return check


def of_type(kind: type[T], what_to_do: str, error: type[CamcoreError] = CamcoreError) -> Check[T]:
    """An object of a class."""

    def check(name: str, value: object) -> T:
        if not isinstance(value, kind):
            raise refused(name, value, f"a {kind.__name__}", what_to_do, error)
        return value

    return check


def many(check: Check[T], least: int = 0, what_to_do: str = "Give a list of them.") -> Check[tuple[T, ...]]:
    """Several values as a tuple, each of which goes through ``check``; at least ``least``. A generator is used up."""

    def check_all(name: str, value: object) -> tuple[T, ...]:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise refused(name, value, "a list", what_to_do)
        if isinstance(value, np.ndarray) and not value.ndim:  # calls itself iterable, and is not
            raise refused(name, value, "a list", what_to_do)
        values = tuple(check(f"{name}[{position}]", one) for position, one in enumerate(value))
        if len(values) < least:
            raise refused(name, value, f"a list of at least {least}", what_to_do)
        return values

    return check_all


# ---- arrays


def picture_pixels(name: str, value: object) -> NDArray[np.uint8]:
    """Pixels: uint8 (H, W, 3)."""
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 3 or value.shape[2] != 3:
        raise refused(name, value, "a uint8 array (height, width, 3), red, green, blue", _TO_PIXELS)
    if not value.size:
        raise refused(name, value, "a picture with pixels", "Give one of at least 1×1.")
    return value


_TO_PIXELS = "Scale colours to 0..255 and use .astype(numpy.uint8); repeat a grey channel three times."


def an_array(name: str, value: object) -> np.ndarray:
    """A numpy array of numbers."""
    if not isinstance(value, np.ndarray):
        raise refused(name, value, "a numpy array", "Convert it with numpy.asarray.")
    return numbers(name, value)


def numbers(name: str, value: object) -> np.ndarray:
    """An array of real numbers of any shape; NaN is one."""
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):  # rows of different lengths
        array = np.array(None)
    if array.dtype.kind not in "fiub" and "float" not in array.dtype.name:  # bfloat16 has a kind of its own
        raise refused(name, value, "an array of numbers", "Give a numpy array, such as CamMap.values.")
    return array


def plane(name: str, value: object) -> NDArray[np.float32]:
    """A map: an array (height, width) of real numbers, as float32; NaN where there is none."""
    array = numbers(name, value)
    if array.ndim != 2 or not array.size:
        raise refused(name, value, "one map (height, width)", "Give one map at a time, such as CamMap.values.")
    with np.errstate(over="ignore"):
        return array.astype(np.float32, copy=False)


# ---- internals


def _finite(value: Real) -> bool:
    try:
        return isfinite(value)
    except (OverflowError, ValueError, TypeError):
        return False


def _bounded(
    name: str, value: float, low: float | None, high: float | None, above: float | None, example: float
) -> None:
    if (low is None or value >= low) and (high is None or value <= high) and (above is None or value > above):
        return
    bounds = [f"at least {low}"] if low is not None else []
    bounds += [f"greater than {above}"] if above is not None else []
    bounds += [f"at most {high}"] if high is not None else []
    raise refused(name, value, " and ".join(bounds), f"Give a number such as {example}.")
