"""The registry row of a method: its names, its source, the input it works on, and its options with their checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from numbers import Integral, Real
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from camcore.checks import shown
from camcore.errors import MethodError, nearest
from camcore.graph.layers import Site
from camcore.methods.inputs import Input

if TYPE_CHECKING:
    from camcore.methods.inputs import Array

Family = Literal["gradient", "attention", "perturbation", "decomposition", "control"]
OptionValue = str | int | float | tuple[int | str, ...]
OptionValues = Mapping[str, Any]
"""The values of a method's options by name, each of the type of its default."""

MOST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Option:
    """One option of a method: its default and its range.

    The default's type is the option's: one of ``choices``, a whole number, a number, or class indices (a tuple).
    ``low`` and ``high`` bound a number. ``formula``: the method's function takes it; otherwise it says what is
    asked of the network.
    """

    default: OptionValue
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    help: str = ""
    formula: bool = False

    @property
    def annotation(self) -> object:
        """Its type, as a signature shows it."""
        if self.choices:
            return Literal[self.choices]
        return Sequence[int | str] if isinstance(self.default, tuple) else type(self.default)

    @property
    def range(self) -> str:
        """The values it takes, in words; empty where its type says all."""
        if self.choices:
            return "one of " + ", ".join(map(repr, self.choices))
        if self.low is None:
            return ""
        return f"at least {self.low}" if self.high is None else f"{self.low} to {self.high:,}"


@dataclass(frozen=True)
class MethodInfo:
    """The facts of a method, its function and its input.

    ``input``: what its function is given; ``needs``: the same in words. ``cost``: in words. ``signed``: the raw map may
    be negative. ``class_specific``: it looks at the class. ``min_max``: values are (raw − min) / (max − min) instead of
    relu(raw) / max. ``adds_up``: where all behind the layer is affine, the raw map's mean or sum and an offset make the
    logit. ``compute``: its function. ``weights``: for methods that weigh activations, the weights (K,) or (h, w, K);
    ``caution``: what a reader has to beware of, or None; both given what ``compute`` is.
    """

    key: str
    title: str
    class_name: str
    family: Family
    input: Input = field(repr=False)
    paper: str
    year: int
    equation: str
    url: str
    needs: tuple[str, ...]
    cost: str
    signed: bool
    summary: str
    strengths: str
    weaknesses: str
    compute: Callable[..., Array] = field(repr=False)
    weights: Callable[..., Array] | None = field(default=None, repr=False)
    caution: Callable[..., str | None] | None = field(default=None, repr=False)
    options: Mapping[str, Option] = field(default_factory=lambda: MappingProxyType({}))
    class_specific: bool = True
    adds_up: Literal["", "mean", "sum"] = ""
    min_max: bool = False

    @property
    def variants(self) -> tuple[str, ...]:
        """The named variants, the default first; empty where there is one form only."""
        variant = self.options.get("variant")
        return variant.choices if variant else ()

    @property
    def layer_free(self) -> bool:
        """True where the map is on the input's own grid, with no layer."""
        return self.input.layer_free

    @property
    def own_grid(self) -> str:
        """The grid of its maps where these have no layer, in words."""
        return "the grid of the tokens" if self.input.needs_attention else "the input's own grid"

    @property
    def at_own_layer(self) -> bool:
        """True where it is defined at one layer of the network only."""
        return self.input.at_own_layer

    def passes(self, site: Site, options: OptionValues) -> float:
        """The cost in forward passes, beyond the one shared pass that gives activations and gradients."""
        return self.input.passes(site, options)

    def formula_options(self, options: OptionValues) -> dict[str, Any]:
        """Those options that the method's function takes."""
        return {name: options[name] for name, option in self.options.items() if option.formula}

    def checked(self, options: OptionValues) -> dict[str, Any]:
        """The options with defaults filled in. Raises MethodError for one that does not exist or fit."""
        for name in options:
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise MethodError(
                    f"{self.title} has no option {name!r}. Its options: {known}.{near(name, self.options)}"
                )
        given = {name: options.get(name, option.default) for name, option in self.options.items()}
        return {name: self._value(name, self.options[name], value) for name, value in given.items()}

    def _value(self, name: str, option: Option, value: object) -> OptionValue:
        if option.choices:
            if not isinstance(value, str) or value not in option.choices:
                raise MethodError(
                    f"{self.title}: {name}={shown(value)} is not one of {', '.join(map(repr, option.choices))}."
                    f"{near(value, option.choices)}"
                )
            return value
        if isinstance(option.default, tuple):
            return self._classes(name, value)
        whole = isinstance(option.default, int)
        if isinstance(value, bool) or not isinstance(value, Integral if whole else Real) or not _finite(value):
            kind = "a whole number" if whole else "a number"
            raise MethodError(f"{self.title}: {name}={shown(value)} must be {kind}, such as {option.default}.")
        value = int(value) if isinstance(value, Integral) and whole else float(value)
        if (option.low is not None and value < option.low) or (option.high is not None and value > option.high):
            high = "" if option.high is None else f" and at most {option.high}"
            raise MethodError(f"{self.title}: {name}={shown(value)} must be at least {option.low}{high}.")
        return value

    def _classes(self, name: str, value: object) -> tuple[int | str, ...]:
        """Classes by index or name; which there are the network knows."""
        several = isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim == 1)
        classes: dict[int | str, None] = {}
        for one in value if isinstance(value, Iterable) and several else (value,):
            if not isinstance(one, Integral | str) or isinstance(one, bool):
                raise MethodError(
                    f"{self.title}: {name}={shown(value)} must be classes by index or name, such as (281, 'tiger cat')."
                )
            classes[one if isinstance(one, str) else int(one)] = None
        return tuple(classes)


def _finite(value: Real) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # a whole number too large for any option
        return False


def near(name: object, known: Iterable[str]) -> str:
    """A hint at what was probably meant; empty where nothing is near."""
    match = nearest(name, known)
    return f" Did you mean {match!r}?" if match else ""


def variant(*choices: str, formula: bool = True) -> Mapping[str, Option]:
    """The option ``variant``, the paper's form first."""
    return options(variant=Option(choices[0], choices, help="the paper's form, or a named other one", formula=formula))


def seed(of: str, formula: bool = False) -> Option:
    """The option ``seed``; ``of``: what is drawn by it."""
    return Option(0, low=0, high=MOST_SEED, help=f"of {of}", formula=formula)


def options(**given: Option) -> Mapping[str, Option]:
    """Options by name, read-only."""
    return MappingProxyType(given)
