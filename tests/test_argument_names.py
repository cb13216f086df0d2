"""One convention for arguments: the same thing has the same name and the same place in every public function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator

import camcore
from camcore.features.channels import channels
from camcore.features.patches import cut_out
from camcore.features.strongest_channels import strongest_channels
from camcore.heatmaps.evidence import evidence

# In this order, as far as a function takes them; what is its own may stand between them.
ORDER = (
    "network",
    "pic",
    "methods",
    "method",  # where only one is taken, as with a layer
    "layers",
    "layer",
    "classes",
    "class_index",
    "framing",
    "options",
    "refine",
    "memory",
)
SYNONYMS = {"net", "image", "img", "picture", "index", "cls", "class_idx", "target_layer", "model", "opts"}


def doors() -> Iterator[tuple[str, Callable[..., object]]]:
    for name in camcore.__all__:
        if inspect.isfunction(getattr(camcore, name)):
            yield name, getattr(camcore, name)
    for function in (channels, strongest_channels, evidence, cut_out):
        yield function.__name__, function


def test_the_same_thing_has_the_same_name_and_place() -> None:
    wrong = {}
    for name, function in doors():
        parameters = list(inspect.signature(function).parameters)
        places = [ORDER.index(one) for one in parameters if one in ORDER]
        if places != sorted(places) or set(parameters) & SYNONYMS:
            wrong[name] = parameters
    assert wrong == {}
