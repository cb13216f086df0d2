"""Architectures as JSON values, and the Keras models that are built from them.

    {"builder": "gap_classifier", "size": 128, …}      the project's own classifier, with its function's arguments
    {"builder": "backbone", "backbone": "MobileNetV2", "options": {…}}       one of the catalogue, without its head
    {"builder": "classifier", "backbone": "MobileNetV2", "options": {"classes": 37}}             the same with its head
    {"builder": "whole"}                               nothing to build: the file of weights is a whole model's
    {"builder": "grafted", "backbone": …, "layer": "block_12_add", "position": 116, "kind": "transformer", …}
                                                       a trunk, cut at a layer, with new blocks and a linear head
    {"builder": "surgery", "backbone": …, "layer": "out_relu", "position": 153, "outputs": 1, "dropout": 0.2}
                                                       a trunk, cut at a layer, with a new linear head

The backbone of the last two is itself an architecture. Where it was cut is told twice: ``layer`` is the name, and
``position`` the place among the model's operations, for Keras numbers unnamed layers anew in each process.
No code is ever read from such a value: it only chooses among these builders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from camcore.checks import shown
from camcore.errors import ModelError
from camcore.files import Json
from camcore.models.catalogue import backbone, build, build_trunk
from camcore.models.grafting import BLOCKS, cut_again, with_head

if TYPE_CHECKING:
    import keras

_DEEPEST = 4  # surgery upon surgery
_LARGEST = 8192  # of any whole number: wider layers would not fit into memory
_MOST_LAYERS = 100_000
_MOST_BLOCKS = 64  # new ones on a trunk
WHOLE = "whole"
"""The builder of a network that camcore cannot build: its model lies beside it, as Keras wrote it."""


def check_architecture(architecture: object, depth: int = 0) -> None:
    """Raise ModelError where this is no architecture. Builds nothing, and imports neither Keras nor TensorFlow."""
    if not isinstance(architecture, Mapping):
        raise _wrong("architecture", architecture, "it must be a JSON object with a 'builder'")
    builder = architecture.get("builder")
    if builder == WHOLE and not depth and len(architecture) == 1:
        return
    if not isinstance(builder, str) or builder not in _BUILDERS:
        raise _wrong("builder", builder, f"camcore can build {', '.join(_BUILDERS)}")
    if depth > _DEEPEST:
        raise _wrong("architecture", builder, f"it is nested more than {_DEEPEST} deep")
    for key, value in architecture.items():
        if key not in ("position", "backbone") and not _plain(value):
            raise _wrong(key, value, f"options are texts, and numbers up to {_LARGEST}")
    if builder in ("backbone", "classifier"):
        backbone(str(architecture.get("backbone")))
        if not isinstance(architecture.get("options", {}), Mapping):
            raise _wrong("options", architecture["options"], "it must be a JSON object")
    if builder == "surgery":
        _check_trunk(architecture, {"dropout"}, depth)
        dropout = architecture.get("dropout", 0.0)
        if not isinstance(dropout, int | float) or not 0 <= dropout < 1:
            raise _wrong("dropout", dropout, "it must be a share from 0 to below 1")
    if builder == "grafted":
        _check_trunk(architecture, {"kind", "width", "blocks"}, depth)
        if architecture.get("kind") not in BLOCKS:
            raise _wrong("kind", architecture.get("kind"), f"new blocks are {' or '.join(BLOCKS)}")
        for key, most in (("width", _LARGEST), ("blocks", _MOST_BLOCKS)):
            if not is_whole(architecture.get(key), 1, most):
                raise _wrong(key, architecture.get(key), f"it must be a whole number from 1 to {most}")


def _check_trunk(architecture: Mapping[str, Json], options: set[str], depth: int) -> None:
    """Raise ModelError where this does not tell the trunk that something new is put on."""
    unknown = set(architecture) - options - {"builder", "backbone", "layer", "position", "outputs"}
    if unknown:
        what = "a surgery" if architecture["builder"] == "surgery" else "a grafted network"
        raise _wrong(sorted(unknown)[0], architecture[sorted(unknown)[0]], f"{what} has no such option")
    layer, position = architecture.get("layer"), architecture.get("position")
    if not isinstance(layer, str):
        raise _wrong("layer", layer, "it must be the path of the layer behind which the trunk was cut")
    if not is_whole(position, 0, _MOST_LAYERS):
        raise _wrong("position", position, "it must be a place among the model's operations")
    if not is_whole(architecture.get("outputs"), 1, _LARGEST):
        raise _wrong("outputs", architecture.get("outputs"), "it must be 1 (one sigmoid unit) or the number of classes")
    check_architecture(architecture.get("backbone"), depth + 1)


def build_architecture(architecture: Mapping[str, Json]) -> keras.Model:
    """The keras.Model, untrained. Raises ModelError where it cannot be built."""
    check_architecture(architecture)
    return _BUILDERS[architecture["builder"]](architecture)


def _gap_classifier(architecture: Mapping[str, Json]) -> keras.Model:
    from camcore.models.gap_classifier import gap_classifier

    options = {"size": None, **{key: value for key, value in architecture.items() if key != "builder"}}
    try:
        return gap_classifier(**options)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise _wrong("architecture", options, f"its options do not go together: {error}") from error


def _backbone(architecture: Mapping[str, Json]) -> keras.Model:
    return build_trunk(architecture["backbone"], **architecture.get("options", {}))


def _classifier(architecture: Mapping[str, Json]) -> keras.Model:
    return build(architecture["backbone"], "random", **architecture.get("options", {})).model


def _surgery(architecture: Mapping[str, Json]) -> keras.Model:
    model = build_architecture(architecture["backbone"])
    trunk = cut_again(model, architecture["layer"], architecture["position"])
    return with_head(model.inputs[0], trunk, architecture["outputs"], architecture.get("dropout", 0.0), "surgery")


def _grafted(architecture: Mapping[str, Json]) -> keras.Model:
    from camcore.models.grafted import grafted

    model = build_architecture(architecture["backbone"])
    trunk = cut_again(model, architecture["layer"], architecture["position"])
    new = {key: architecture[key] for key in ("kind", "width", "blocks", "outputs")}
    return grafted(model.inputs[0], trunk, **new)


_BUILDERS: dict[str, Callable[[Mapping[str, Json]], keras.Model]] = {
    "gap_classifier": _gap_classifier,
    "backbone": _backbone,
    "classifier": _classifier,
    "surgery": _surgery,
    "grafted": _grafted,
}


def is_whole(value: object, low: int, high: int) -> bool:
    """Tell whether a value is a whole number between two others."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _plain(value: object, depth: int = 0) -> bool:
    """Tell whether a value is text, a number within bounds, nothing, or a few of these."""
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, str):
        return len(value) <= 200
    if isinstance(value, int | float):
        return abs(value) <= _LARGEST
    if isinstance(value, list | tuple):
        return depth < 2 and len(value) <= 64 and all(_plain(item, depth + 1) for item in value)
    if isinstance(value, Mapping):
        return depth < 1 and len(value) <= 64 and all(_plain(item, depth + 1) for item in value.values())
    return False


def _wrong(key: str, value: object, why: str) -> ModelError:
    return ModelError(
        f"The architecture's {key} is {shown(value)}: {why}. The file was damaged or written by something else. "
        "Take a network.json that camcore wrote."
    )
