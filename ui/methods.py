"""The methods as a list to choose from: those to try first, then family by family; the controls last.

A *form* names a method on a page and in an address: its key, or ``key:variant`` for a named variant.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import camcore

if TYPE_CHECKING:
    from camcore.methods import MethodInfo

CONTROL = "control"

_FAMILIES = {
    "gradient": "gradients",
    "attention": "attention",
    "decomposition": "principal components",
    "perturbation": "changed inputs",
    CONTROL: "control",
}

COMPARED = ("gradcam", "gradcam++", "layercam", "eigengradcam", "reciprocam", "fasterscorecam")
"""The methods that are compared first: cheap, and each another idea."""


def keys(refused: Collection[str] = ()) -> list[str]:
    """Every method's key: COMPARED, then family by family, without those ``refused`` as not defined for a network."""
    families = list(_FAMILIES)
    known = (key for key in camcore.METHODS if key not in refused)
    return sorted(known, key=lambda key: (key not in COMPARED, families.index(camcore.METHODS[key].family)))


def forms(refused: Collection[str] = ()) -> list[str]:
    """Every method's key, each followed by its further variants; ``refused`` as in ``keys``."""
    return [key if i == 0 else f"{key}:{name}" for key in keys(refused) for i, name in enumerate(_variants(key))]


def key_of(form: str) -> str:
    """The method's key."""
    return form.partition(":")[0]


def options_of(form: str) -> dict[str, dict[str, str]]:
    """A form as the ``options`` of camcore's explain and stream."""
    key, _, name = form.partition(":")
    return {key: {"variant": name}} if name else {}


def title(form: str) -> str:
    """A method's title in a list."""
    info = camcore.METHODS[key_of(form)]
    return f"{info.title} (control)" if info.family == CONTROL else short(form)


def in_family(form: str) -> str:
    """A method's title in a long list, with the family that it belongs to, and a star at those of COMPARED."""
    star = "★ " if form in COMPARED else ""
    return f"{star}{short(form)} · {_FAMILIES[camcore.METHODS[key_of(form)].family]}"


def short(form: str) -> str:
    """A method's title, with the variant's name."""
    key, _, name = form.partition(":")
    return f"{camcore.METHODS[key].title}, {name}" if name else str(camcore.METHODS[key].title)


def layer_free(info: MethodInfo) -> bool:
    """True for a method on the input's own grid, whatever layer is chosen."""
    return bool(info.layer_free)


def _variants(key: str) -> tuple[str, ...]:
    return camcore.METHODS[key].variants or ("",)
