"""What there is to know about a method: its registry row, its options, and what it costs where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from camcore.checks import shown
from camcore.errors import MethodError, nearest

Array = NDArray[Any]
Family = Literal["gradient", "perturbation", "decomposition", "control"]

# What a method's function is given, and so what has to be asked of the network for it.
#   gradients        A, G          activations and ∂logit/∂A (h, w, K)
#   contrast         A, G          the same for the score of FinerCAM
#   activations      A
#   curvature        A, G, HA      and the Hessian times the activations
#   noise            A, G1, G2, G3 with the first three moments of G over noisy inputs
#   input gradients  G             ∂logit/∂x (H, W, C)
#   bias gradients   BiasPass      x⊙∂y/∂x and b⊙∂y/∂z of every bias
#   channel masks, noisy masks, faded masks, ablations, positions, squares, random masks
#                    A, Asked      scores of perturbed inputs or activations (A None without a layer)
#   nothing          grid          (h, w)
Source = Literal[
    "gradients", "contrast", "activations", "curvature", "noise", "input gradients", "bias gradients",
    "channel masks", "noisy masks", "faded masks", "ablations", "positions", "squares", "random masks", "nothing",
]  # fmt: skip


PERTURBING = frozenset(
    {"channel masks", "noisy masks", "faded masks", "ablations", "positions", "squares", "random masks"}
)


@dataclass(frozen=True)
class Option:
    """One option of a method: its default and what it may be.

    The default's type is the option's: one of ``choices``, a whole number, a number, or class indices (a tuple).
    ``low`` and ``high`` bound a number. ``formula``: the method's function takes it; otherwise it says what is
    asked of the network.
    """

    default: Any
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    help: str = ""
    formula: bool = False


@dataclass(frozen=True)
class Site:
    """Where a method is to work, as far as its cost depends on it.

    ``channels`` and ``grid`` of the layer, ``input_size`` of the network, and ``behind``, the share of the
    network's work that lies behind the layer, 0..1.
    """

    channels: int
    grid: tuple[int, int]
    input_size: tuple[int, int]
    behind: float

    @property
    def cells(self) -> int:
        """Places of the layer's grid."""
        return self.grid[0] * self.grid[1]


@dataclass(frozen=True, eq=False)
class Asked:
    """The answers to perturbed inputs, for one class.

    ``members`` (m,): which perturbations were asked, such as channel numbers. ``logits`` and ``probabilities``
    (m, s): of the class, for each of s kinds of perturbation (noise fields, steps). ``logit``, ``probability``: of
    the unperturbed picture. ``input_size`` (h, w).
    """

    members: NDArray[np.intp]
    logits: Array
    probabilities: Array
    logit: float
    probability: float
    input_size: tuple[int, int]


@dataclass(frozen=True)
class MethodInfo:
    """What there is to know about a method.

    ``source``: what its function is given. ``needs``: the same in words. ``cost``: in words; ``passes``: in forward
    passes, as a function of the site and the options, beyond the one shared pass that gives activations and
    gradients; ``per_class``: every further class costs that again. ``signed``: the raw map may be negative.
    ``min_max``: values are (raw − min) / (max − min) instead of relu(raw) / max. ``at_own_layer``: defined at one
    layer of the network only. ``adds_up``: where all behind the layer is affine, the raw map's mean or sum and an
    offset make the logit. ``layer_free``: on the input's own grid, with no layer. ``weights``: for methods that
    weigh activations, the weights (K,) or (h, w, K), given what ``compute`` is.
    """

    key: str
    title: str
    class_name: str
    family: Family
    source: Source
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
    compute: Callable[..., Any] = field(repr=False)
    weights: Callable[..., Any] | None = field(default=None, repr=False)
    caution: Callable[..., str | None] | None = field(default=None, repr=False)
    passes: Callable[[Site, Mapping[str, Any]], float] = field(default=lambda site, options: 0.0, repr=False)
    per_class: bool = False
    options: Mapping[str, Option] = field(default_factory=lambda: MappingProxyType({}))
    class_specific: bool = True
    at_own_layer: bool = False
    adds_up: Literal["", "mean", "sum"] = ""
    layer_free: bool = False
    min_max: bool = False

    @property
    def variants(self) -> tuple[str, ...]:
        """The named variants, the default first; empty where there is one form only."""
        variant = self.options.get("variant")
        return variant.choices if variant else ()

    @property
    def asks(self) -> bool:
        """Whether it works by asking for the scores of perturbed inputs, so that partial maps come before the last."""
        return self.source in PERTURBING

    @property
    def single_pass(self) -> bool:
        """Whether activations and gradients of one shared pass are all it needs."""
        return self.source in ("gradients", "activations")

    def formula_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Those options that the method's function takes."""
        return {name: options[name] for name, option in self.options.items() if option.formula}

    def checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with defaults filled in. Raises MethodError for one that does not exist or fit."""
        for name in options:
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise MethodError(
                    f"{self.title} has no option {name!r}. Its options: {known}.{near(name, self.options)}"
                )
        return {
            name: self._value(name, option, options.get(name, option.default)) for name, option in self.options.items()
        }

    def _value(self, name: str, option: Option, value: Any) -> Any:
        if option.choices:
            if not isinstance(value, str) or value not in option.choices:
                raise MethodError(
                    f"{self.title}: {name}={shown(value)} is not one of {', '.join(map(repr, option.choices))}."
                    f"{near(str(value), option.choices)}"
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

    def _classes(self, name: str, value: Any) -> tuple[int | str, ...]:
        """Classes by index or name; which there are the network knows."""
        several = isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim == 1)
        given = tuple(value) if several else (value,)
        if not all(isinstance(one, Integral | str) and not isinstance(one, bool) for one in given):
            raise MethodError(
                f"{self.title}: {name}={shown(value)} must be classes by index or name, such as (281, 'tiger cat')."
            )
        return tuple(dict.fromkeys(one if isinstance(one, str) else int(one) for one in given))


def _finite(value: Any) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # a whole number too large for any option
        return False


def near(name: str, known: Iterable[str]) -> str:
    """A hint at what was probably meant; empty where nothing is near."""
    found = nearest(name, known)
    return f" Did you mean {found!r}?" if found else ""


def variant(*choices: str, formula: bool = True) -> Mapping[str, Option]:
    """The option ``variant``, the paper's form first."""
    return options(variant=Option(choices[0], choices, help="the paper's form, or a named other one", formula=formula))


def options(**given: Option) -> Mapping[str, Option]:
    """Options by name, read-only."""
    return MappingProxyType(given)
