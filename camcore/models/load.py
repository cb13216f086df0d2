"""``load``: a network by name, ready to be looked into."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from camcore.checks import checked, function, optional, refused
from camcore.errors import ModelError, nearest
from camcore.files import Json
from camcore.forking import check_not_forked
from camcore.models import catalogue, factories, hub, saved
from camcore.models.catalogue import Built, build
from camcore.models.input_scaling import advice
from camcore.models.labels import labels_beside, read_labels
from camcore.models.listing import backbones
from camcore.models.pickling import renamed, send_as_loaded
from camcore.models.preprocessing import TITLES, preprocessing
from camcore.models.whole import Custom, file_hash, find_file, open_whole
from camcore.models.wrap import wrap, wrap_options
from camcore.network import Network, Preprocess
from camcore.origin import LoadArguments

Labels = Sequence[str] | str | os.PathLike[str] | None
"""The classes' names, or the path of a file that gives them."""


def _a_name(name: str, value: object) -> str | os.PathLike[str]:
    """A network's name, or the path of its folder."""
    if not isinstance(value, (str, os.PathLike)):
        raise refused(name, value, "a name or a path", "camcore.backbones() lists the names.", ModelError)
    return value


def _a_file(name: str, value: object) -> str | os.PathLike[str]:
    """The path of a file, or the word "random"."""
    if not isinstance(value, (str, os.PathLike)):
        raise refused(name, value, "the path of a weights file, or 'random'", "Or leave it out.", ModelError)
    return value


@checked(name=_a_name, weights=optional(_a_file), progress=optional(function))
def load(
    name: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    labels: Labels = None,
    preprocess: Preprocess | str | None = None,
    framing: str | None = None,
    custom_objects: Custom = None,
    safe_mode: bool = True,
    **options: Json,
) -> Network:
    """A Network by its catalogue name, the constructor's name in ``keras.applications``; by the name or folder of a
    saved one (the bundled ``"cats_vs_dogs"``, or one of your own); by a name that ``CAMCORE_MODELS`` declares; from the
    file of a whole model, ``.keras`` or ``.h5``, of Keras 3 or 2; or an image classifier of keras_hub, where that is
    installed: ``"hub:vit_base_patch16_224_imagenet"``, or the folder of a preset.

    ``weights``: None for ImageNet weights, found on disk (``CAMCORE_WEIGHTS``, Keras's cache) or downloaded, or for
    a network's own; a weights file; or ``"random"``. ``progress``: called with the bytes done and in all while
    downloading. ``labels``: the classes' names, or a labels file; ``preprocess``: a function as ``wrap`` takes it, or
    a name of ``camcore.models.preprocessing``; ``framing``: how pictures are fed by default. None of these: as the
    network says; a file's is fed RGB 0..255 and the whole picture, as ``model.predict`` would be, and its classes are
    named by ``birds.labels.txt`` or ``birds.txt`` beside ``birds.keras`` where there is one.
    ``options`` go to the catalogue's constructor (``alpha=0.25``), or for a file to ``wrap`` (``input_size``, …).

    Of a file, nothing runs that is not Keras's own: ``custom_objects`` gives classes and functions by name, or names
    the modules that register them; ``safe_mode=False`` lets code in the file run (Lambda layers, SavedModels).

    Raises ModelError for an unknown name, file or option, and for weights that are missing, damaged or of another
    architecture.

    >>> net = camcore.load("cats_vs_dogs")
    >>> net.input_size, net.labels, net.default_layer
    ((192, 192), ('cat', 'dog'), 'block2')
    >>> net.layer("block2").grid
    (12, 12)
    """
    check_not_forked()
    declared = _declared_file(name)
    if declared is not None and declared.file is not None:
        options_of_file = factories.file_options(declared)
        given = {"labels": labels, "preprocess": preprocess, "framing": framing, "custom_objects": custom_objects}
        options_of_file |= {key: value for key, value in given.items() if value is not None} | options
        network: Network = load(declared.file, weights, progress, **{"safe_mode": safe_mode, **options_of_file})
        return renamed(network, declared.name)
    arguments, built = _built(name, weights, progress, options, (custom_objects, safe_mode))
    called = {"labels": labels, "preprocess": preprocess, "framing": framing}
    given = {key: value for key, value in called.items() if value is not None}
    arguments = replace(arguments, options={**arguments.options, **given})
    named, note = _labels(labels, arguments.file)
    if isinstance(preprocess, str):
        feed: Preprocess | None = preprocessing(preprocess)
        note.append(f"fed {TITLES[preprocess]}, as named")
    else:
        feed = preprocess if preprocess is not None else built.preprocess
        if preprocess is not None:
            note.append("fed by a function of its owner's")
        elif arguments.file is not None:
            note.append(advice(built.model))
    network = wrap(
        built.model,
        labels=built.labels if named is None else named,
        preprocess=feed,
        name=arguments.called,
        weights_note="; ".join((built.weights_note, *note)),
        framing=built.framing if framing is None else framing,
        origin=built.origin if not given.keys() & {"preprocess"} else None,
        **_wrapped(built, arguments),
    )
    send_as_loaded(network, arguments, load)
    return network


def _declared_file(name: object) -> factories.Factory | None:
    """The declaration of a whole model's file under this name; None where there is none."""
    if name in [row.name for row in catalogue.backbones()]:
        return None
    factory = factories.find(name)
    return factory if factory is not None and factory.file is not None else None


def _built(
    name: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None,
    progress: Callable[[int, int], None] | None,
    options: dict[str, Json],
    code: tuple[Custom, bool],
) -> tuple[LoadArguments, Built]:
    kept = None if weights is None or weights in ("random", "imagenet") else os.path.abspath(os.fspath(weights))
    arguments = LoadArguments("", "", kept or (None if weights is None else str(weights)), options)
    if name in [row.name for row in catalogue.backbones()]:
        row = str(name)
        return replace(arguments, source=row, called=row), build(row, weights, progress, **options)
    factory = factories.find(name)
    if factory is not None:
        _refuse(options, factory.name, f"{factory.target} makes it")
        return replace(arguments, source=factory.name, called=factory.name), factories.open_factory(factory, weights)
    preset = hub.find(name)
    if preset is not None:
        _refuse(options, preset.called, "it is a preset of keras_hub, whose architecture is settled")
        source = str(name) if str(name).startswith(hub.PREFIX) else preset.source
        return replace(arguments, source=source, called=preset.called), hub.open_preset(preset, weights)
    network = saved.find(name)
    if network is not None:
        _refuse(options, network.name, "it is a saved network, whose architecture is settled")
        return replace(arguments, source=str(network.folder), called=network.name), saved.open_saved(network, weights)
    file = find_file(name)
    if file is None:
        raise _unknown(name)
    return _from_file(replace(arguments, source=str(file), file=file), weights, code)


def _from_file(
    arguments: LoadArguments, weights: str | os.PathLike[str] | None, code: tuple[Custom, bool]
) -> tuple[LoadArguments, Built]:
    file = arguments.file
    assert file is not None
    unknown = next((key for key in arguments.options if key not in wrap_options()), None)
    if unknown is not None:
        near = nearest(unknown, (*wrap_options(), "labels", "preprocess", "framing", "custom_objects", "safe_mode"))
        raise ModelError(
            f"{file.name!r} takes no option {unknown!r}: it is the file of a whole model, whose architecture is "
            "settled. " + (f"Did you mean {near!r}?" if near else "Leave the option away.")
        )
    custom, safe_mode = code
    built = open_whole(file, weights, custom, safe_mode)
    options = dict(arguments.options)
    options |= {} if custom is None else {"custom_objects": custom}
    options |= {} if safe_mode else {"safe_mode": False}
    called = file.parent.name if file.name == "saved_model.pb" else file.stem or file.name
    return replace(arguments, called=called, options=options, sha256=file_hash(file)), built


def _wrapped(built: Built, arguments: LoadArguments) -> dict[str, Json]:
    """The arguments of ``wrap`` that say which part of the model is explained."""
    more = dict(built.more)
    if built.input_size is not None:
        more["input_size"] = built.input_size
    if arguments.file is not None:
        more |= {key: value for key, value in arguments.options.items() if key in wrap_options()}
    return more


def _labels(labels: Labels, file: Path | None) -> tuple[Sequence[str] | None, list[str]]:
    """The class names, None where there are none, and a note about them."""
    if isinstance(labels, str | os.PathLike):
        return read_labels(labels), []
    if labels is None and file is not None:
        beside, name = labels_beside(file)
        return beside, [f"classes named by {name}"] if beside else []
    return labels, []


def _unknown(name: object) -> ModelError:
    names = [row.name for row in backbones()]
    near = nearest(name, names)
    hint = f"Did you mean {near!r}?" if near else "`python -m camcore models` lists the names."
    hint = next((problem for problem in factories.problems() if f"{name}=" in problem or repr(name) in problem), hint)
    return ModelError(
        f"There is no backbone {name!r}, no network saved under this name or in a folder of this name, and no file of "
        f"a whole model (.keras, .h5). The names are those of keras.applications and of saved networks, letter for "
        f"letter. {hint}"
    )


def _refuse(options: dict[str, Json], name: str, why: str) -> None:
    """Raise ModelError where there are options for a network that takes none."""
    if options:
        raise ModelError(f"{name} takes no option {next(iter(options))!r}: {why}. Leave the options away.")
