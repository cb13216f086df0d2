"""Weights from a file into a model: every variable is set, or the difference is said."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.errors import ModelError
from camcore.models.weights_contents import Contents, Shape, check_file, damaged, read_contents

if TYPE_CHECKING:
    import keras

    from camcore.models.planned import ModelPlan

_HEAD_ARRAYS = 6  # at most, of a classifier of keras.applications: VGG's three Dense layers


def check_fit(path: str | os.PathLike[str], build: Callable[[], keras.Model]) -> None:
    """Raise ModelError where a weights file cannot be that of the model which ``build`` makes.

    The file's headers are compared with the model's structure: nothing is read, and no variable allocated. What a
    comparison of shapes cannot tell is left to ``load_weights``.
    """
    from camcore.models.planned import planned

    path = check_file(path)
    contents = read_contents(path)
    plan = planned(build)
    if plan is not None:
        difference = _difference(plan, contents.layers)
        missing = _count(_wanted(plan)) - _count(contents.layers)
        if difference and (missing or not contents.legacy):
            _refuse_within(path, plan, contents)
            raise _misfit(path, plan, difference)


def load_weights(model: keras.Model, path: str | os.PathLike[str]) -> None:
    """Set every variable of the Keras model from a weights file, in Keras 3's layout or in the older one.

    The layout is told from the file's content, not from its name. Raises ModelError where the file is
    missing, damaged or no weights file, where it belongs to another network (with the layer that differs), or
    where it would leave a variable unset. The model is then of no use; the file stays as it is.
    """
    from camcore.models.planned import ModelPlan

    path = check_file(path)
    contents = read_contents(path)
    plan = ModelPlan.of(model)
    difference = _difference(plan, contents.layers)
    if difference and not contents.legacy:
        _refuse_within(path, plan, contents)
        # Keras would take a file with more layers than the network, and use some. The older layout's reader
        # compares every count and shape itself.
        raise _misfit(path, plan, difference)
    _mark_unset(model)
    try:
        with _named_for_keras(path, contents.legacy) as readable:
            model.load_weights(readable)
    except Exception as error:  # whatever Keras makes of layers that do not fit or unreadable numbers
        _refuse_within(path, plan, contents)
        if difference:
            raise _misfit(path, plan, difference) from error
        raise damaged(path, "its arrays cannot be read", error) from error
    unset = [variable.path for variable in _float_variables(model) if _has_nan(variable)]
    if unset:
        raise damaged(path, f"it leaves {len(unset)} arrays of the network unset or not numbers, {unset[0]!r} first")


def _refuse_within(path: Path, plan: ModelPlan, contents: Contents) -> None:
    """Raise ModelError where a file holds a model within another, and the network is no such pair."""
    if not contents.within or plan.nested:
        return
    rest = Counter(shape for _, shape in plan.weights)
    own = Counter(contents.within)
    fits = not own - rest and (rest - own).total() <= _HEAD_ARRAYS
    what = f"of {plan.name!r} without its head, within another model" if fits else "of a model within another one"
    others = sum(map(len, contents.layers.values())) - len(contents.within)
    raise ModelError(
        f"'{path}' holds the weights {what} ({len(contents.within)} arrays of the inner one, {others} of the layers "
        "around it). The file is sound, but how the layers around the inner model go together is not in it. "
        "Save the whole model, model.save('my_model.keras'), and name that file: camcore explain PICTURE --model "
        'my_model.keras, or for the app CAMCORE_MODELS="name=my_model.keras".'
    )


def _count(layers: dict[str, list[Shape]]) -> Counter[Shape]:
    return Counter(shape for shapes in layers.values() for shape in shapes)


def _wanted(plan: ModelPlan) -> dict[str, list[Shape]]:
    """The shapes of the model's arrays, by their layers' names."""
    wanted: dict[str, list[Shape]] = {}
    for path, shape in plan.weights:
        wanted.setdefault(path.rpartition("/")[0].rpartition("/")[2], []).append(shape)
    return wanted


def _difference(plan: ModelPlan, stored: dict[str, list[Shape]]) -> str:
    """The difference between the file's arrays and the model's, shape by shape; "" where there is none.

    Layers are compared by name only to say what differs: Keras makes up the names of some anew each time.
    """
    wanted = _wanted(plan)
    if _count(wanted) == _count(stored):
        return ""
    for layer, shapes in wanted.items():
        if layer in stored and sorted(stored[layer]) != sorted(shapes):
            here, there = _shapes(shapes), _shapes(stored[layer])
            return f"layer {layer!r} has {here} in the network, {there} in the file"
    missing = [layer for layer in wanted if layer not in stored]
    extra = [layer for layer in stored if layer not in wanted]
    parts = [f"the file has no layer {missing[0]!r}{_more(missing)}"] if missing else []
    if extra:
        parts.append(f"the network has no layer {extra[0]!r}{_more(extra)}")
    return "; ".join(parts)


def _more(names: list[str]) -> str:
    return f" (nor {len(names) - 1} more)" if len(names) > 1 else ""


def _shapes(shapes: list[Shape]) -> str:
    return ", ".join("×".join(map(str, shape)) or "one number" for shape in shapes)


def _misfit(path: Path, plan: ModelPlan, difference: str) -> ModelError:
    return ModelError(
        f"The weights file '{path}' is not for this network ({plan.name}): {difference}. "
        "It belongs to another architecture, or to this one with other options (alpha, classes, …). "
        "Give the same options as when it was written, or another file."
    )


@contextmanager
def _named_for_keras(path: Path, legacy: bool) -> Iterator[Path]:
    """The file under a name by which Keras, which goes by names, picks the right reader."""
    new_style_name = path.name.endswith(".weights.h5")
    if new_style_name != legacy and path.suffix == ".h5":
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        alias = Path(folder) / ("legacy.h5" if legacy else "new.weights.h5")
        try:
            alias.symlink_to(path.absolute())
        except OSError:  # not every system lets everybody make links
            shutil.copyfile(path, alias)
        yield alias


def _float_variables(model: keras.Model) -> list[keras.Variable]:
    return [variable for variable in model.weights if "float" in variable.dtype and variable.shape]


def _mark_unset(model: keras.Model) -> None:
    """Put a NaN into each variable, which loading must overwrite (one number each, for speed)."""
    for variable in _float_variables(model):
        variable.value.scatter_nd_update([[0] * len(variable.shape)], [float("nan")])


def _has_nan(variable: keras.Variable) -> bool:
    import keras

    return bool(keras.ops.isnan(keras.ops.sum(variable)))  # any NaN makes the sum one
