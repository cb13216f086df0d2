"""``load``: a network by name, ready to be looked into; ``backbones``: which names there are."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

from camcore.checks import checked, function, optional, refused
from camcore.errors import ModelError, nearest
from camcore.forking import check_not_forked
from camcore.models import catalogue, factories, saved
from camcore.models.catalogue import Built, build
from camcore.models.wrapping import wrap
from camcore.network import Network


def _a_name(name: str, value: Any) -> str | os.PathLike[str]:
    """A network's name, or the path of its folder."""
    if not isinstance(value, (str, os.PathLike)):
        raise refused(name, value, "a name or a path", "camcore.backbones() lists the names.", ModelError)
    return value


def _a_file(name: str, value: Any) -> str | os.PathLike[str]:
    """The path of a file, or the word "random"."""
    if not isinstance(value, (str, os.PathLike)):
        raise refused(name, value, "the path of a weights file, or 'random'", "Or leave it out.", ModelError)
    return value


class Listed(Protocol):
    """What a list of networks says of each: a catalogue row, a saved network, or a factory that makes one.

    ``input_size``, ``parameters``: None where they are not known before the network is made. ``version``: tells it
    from another network of the same name. ``framing``: how pictures are framed for it.
    """

    @property
    def name(self) -> str: ...
    @property
    def input_size(self) -> tuple[int, int] | None: ...
    @property
    def parameters(self) -> int | None: ...
    @property
    def weights_state(self) -> str: ...
    @property
    def download_mb(self) -> int: ...
    @property
    def summary(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def framing(self) -> str: ...


def backbones() -> tuple[Listed, ...]:
    """Every network that ``load`` knows by name: the bundled ones, one's own, then the catalogue's.

    ``weights_state``: "bundled", "on disk", "downloads N MB" (about), or "own code" for what a factory makes.
    ``summary``: on what it was trained, in a few words. Looked up anew at each call; imports no TensorFlow and no
    factory's module.
    """
    return (*saved.saved_networks(), *factories.factories(), *catalogue.backbones())


@checked(name=_a_name, weights=optional(_a_file), progress=optional(function))
def load(
    name: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Network:
    """A Network by its catalogue name, the constructor's name in ``keras.applications``; or a saved one, by its name
    or folder: the bundled ``"cats_vs_dogs"``, or one of your own; or one that a factory makes
    (``camcore.models.factories``).

    ``weights``: None for ImageNet weights, found on disk (``CAMCORE_WEIGHTS``, Keras's cache) or downloaded, or for
    a saved network's own; a weights file; or ``"random"``. ``progress``: called with the bytes done and in all while
    downloading. ``options`` go to the catalogue's constructor (``alpha=0.25``).

    Raises ModelError for an unknown name or option, and for weights that are missing, damaged or of another
    architecture.
    """
    check_not_forked()
    called, built = _built(name, weights, progress, options)
    return wrap(
        built.model,
        labels=built.labels,
        preprocess=built.preprocess,
        input_size=built.input_size,
        output=built.output,
        name=called,
        weights_note=built.weights_note,
        framing=built.framing,
        origin=built.origin,
    )


def _built(
    name: Any,
    weights: str | os.PathLike[str] | None,
    progress: Callable[[int, int], None] | None,
    options: dict[str, Any],
) -> tuple[str, Built]:
    names = [row.name for row in catalogue.backbones()]
    if name in names:
        return name, build(name, weights, progress, **options)
    factory = factories.find(name)
    if factory is not None:
        _refuse(options, name, f"the function {factory.target} makes it")
        return factory.name, factories.open_factory(factory, weights)
    found = saved.find(name) if isinstance(name, str | os.PathLike) else None
    if found is None:
        names = [row.name for row in backbones()]
        near = nearest(name, names)
        hint = f"Did you mean {near!r}?" if near else f"Choose one of: {', '.join(names)}."
        raise ModelError(
            f"There is no backbone {name!r}, and no network saved under this name or in a folder of this name. The "
            f"names are those of keras.applications and of saved networks, letter for letter. {hint}"
        )
    _refuse(options, found.name, "it is a saved network, whose architecture is settled")
    return found.name, saved.open_saved(found, weights)


def _refuse(options: dict[str, Any], name: str, why: str) -> None:
    """Raise ModelError where there are options for a network that takes none."""
    if options:
        raise ModelError(f"{name} takes no option {next(iter(options))!r}: {why}. Leave the options away.")
