"""Network: a Keras image classifier with its classes and preprocessing, ready to be inspected.

The model is traced once; what is asked of it (scores, activations and gradients at some layers, masked forward
passes, the head behind a layer) is then cut out of that one graph as a compiled function and kept. Nothing is
traced again for a new picture or class.
"""

from __future__ import annotations

import copy
import itertools
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import SupportsInt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.checks import checked, numbers, optional, refused, shown
from camcore.class_names import index_of, output_labels
from camcore.errors import CamcoreError, ModelError, PictureError
from camcore.forking import check_not_forked
from camcore.framing import Frame, check_framing, frame_picture
from camcore.graph.compiled import ReweightedCompiler
from camcore.graph.inspectable_model import InspectableModel
from camcore.graph.layers import Site
from camcore.graph.reweighting import fed_values
from camcore.graph.trace import trace_model
from camcore.lazy import keras, tf
from camcore.origin import LoadArguments, Origin
from camcore.pictures.picture import Picture
from camcore.predictions import Prediction, probabilities, top_predictions
from camcore.preprocessed import pictures_in, preprocessed

Array = np.ndarray
Preprocess = Callable[[NDArray[np.float32]], ArrayLike]

_SERIAL = itertools.count()


def _logits(name: str, value: object) -> Array:
    """Logits (..., classes)."""
    array = numbers(name, value)
    if not array.ndim or not array.shape[-1]:
        raise refused(name, value, "an array (..., classes) of logits", "Give what Network.logits returns.")
    return array


@dataclass(frozen=True, eq=False)
class _Prepared:
    """The last picture as the network's input: several calls in a row concern one picture."""

    pixels: weakref.ref[np.ndarray]
    x: Array
    frame: Frame


class Network(InspectableModel):
    """A Keras image classifier, ready to be looked into. Made by ``camcore.load`` and ``camcore.wrap``.

    Attributes: ``name``; ``input_size`` (h, w); ``framing``, how a picture is brought to that size unless a call says
    otherwise; ``labels``, one per class; ``classes``, their number; ``activation`` that turns scores into
    probabilities (``softmax``, ``sigmoid``, ``linear``, ``exp`` or ``none``);
    ``score_kind``, what the scores are that methods differentiate and ``logits`` gives: ``logit``,
    ``log-probability``, ``log-odds`` or ``value`` (a regression: class 0 is what raises it, class 1 what lowers it);
    ``scored_over``, of an output that is a map: the pixels over which scores and probabilities are means, in words;
    empty otherwise; ``layers``, a tuple of LayerInfo; ``default_layer``, the path of the recommended one, None where no
    layer has a grid; ``ladder``, the paths of the last layer of each of the last four grid sizes; ``parameters``;
    ``multiplications`` that one image takes; ``weights_note``, where the weights came from; ``traced``, what its trace
    consists of; ``origin``, what it takes to have the network again, None where nobody knows; ``recipe``, the arguments
    of ``load`` that made it, None where ``wrap`` did; ``send``, how it is pickled; ``serial``, a number that no other
    network of this process has. Safe to use from several threads. The model is never changed. It can be pickled: what
    is sent is how to make it again (``camcore.models.pickling``).
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        name: str,
        input_size: tuple[int, int],
        channels: int,
        channels_first: bool,
        dtype: str,
        labels: Sequence[str] | None,
        preprocess: Preprocess | None,
        choose: Callable[[object], tf.Tensor],
        weights_note: str,
        framing: str = "stretch",
        origin: Origin | None = None,
        feed: Callable[[tf.Tensor], object] = lambda image: image,
        target: object = None,
    ) -> None:
        sides = (channels, *input_size) if channels_first else (*input_size, channels)
        super().__init__(
            model,
            trace_model(model, sides, dtype, choose, feed),
            name=name,
            input_size=input_size,
            channels=channels,
            channels_first=channels_first,
            labelled=None if labels is None else len(labels),
            target=target,
        )
        self.labels = output_labels(labels, self.classes, self.score_kind)
        self.framing = framing
        self.weights_note = weights_note
        self.origin = origin
        self.load_arguments: LoadArguments | None = None
        self.send: Callable[[Network], tuple[object, ...]] | None = None
        self.serial = next(_SERIAL)
        self._preprocess = preprocess
        self._prepared: _Prepared | None = None

    def __repr__(self) -> str:
        h, w = self.input_size
        says = "one value" if self.score_kind == "value" else f"{self.classes} classes"
        return f"<Network {self.name}: {h}×{w}, {says}, default layer {self.default_layer!r}>"

    def __reduce__(self) -> tuple[object, ...]:
        if self.send is None:
            raise CamcoreError(
                f"The network {self.name!r} cannot be sent to another process: {self.weights_note}, which only this "
                "process has. A twin with other weights is a thing of the moment. Send the network it was made from."
            )
        return self.send(self)

    def __copy__(self) -> Network:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def check_class(self, index: object) -> int:
        """The index of a class, given by it or by its name (see ``camcore.class_names.index_of``).

        Raises ModelError where the network has no such class, or several of that name.
        """
        if isinstance(index, str):
            return index_of(self.labels, index, self.name)
        try:
            value = int(index) if isinstance(index, SupportsInt) else -1
            whole = bool(value == index) and not isinstance(index, (bool, np.bool_))
        except (TypeError, ValueError, OverflowError):
            value, whole = -1, False
        if not whole or not 0 <= value < self.classes:
            raise ModelError(
                f"There is no class {shown(index)} in {self.name}: it has {self.classes} classes, 0 to "
                f"{self.classes - 1}. Choose one of these."
            )
        return value

    def framing_for(self, framing: str | None) -> str:
        """``framing``, or the network's own for None. Raises CamcoreError for an unknown one."""
        if framing is None:
            return self.framing
        check_framing(framing)
        return framing

    def prepare(self, pic: Picture, framing: str | None = None) -> tuple[Array, Frame]:
        """The picture as the network's input, a batch of one, and the frame that leads back to its pixels.

        ``framing``: None for the network's own.

        Raises PictureError for what is not a Picture, CamcoreError for an unknown framing.
        """
        check_picture(pic)
        framing = self.framing_for(framing)
        prepared = self._prepared
        if prepared is None or prepared.pixels() is not pic.rgb or prepared.frame.framing != framing:
            rgb, frame = frame_picture(pic, self.input_size, framing)
            x = self.preprocess(rgb[np.newaxis])
            x.setflags(write=False)
            prepared = self._prepared = _Prepared(weakref.ref(pic.rgb), x, frame)
        return prepared.x, prepared.frame

    def preprocess(self, rgb: NDArray[np.float32]) -> Array:
        """RGB float32 0..255 (n, h, w, 3) → network input; grey networks get the luma (ITU-R BT.601).

        Raises ModelError for what is not such pictures, and where the network's own preprocessing goes wrong.
        """
        check_not_forked()
        x = pictures_in(rgb)
        if self._preprocess is not None:
            x = preprocessed(self._preprocess, x, self.name)
        if x.shape[-1] == 3 and self.channels == 1:
            x = x @ np.array([[0.299], [0.587], [0.114]], x.dtype)
        return x.transpose(0, 3, 1, 2) if self.traced.channels_first and x.shape[-1] == self.channels else x

    def answer(self, x: ArrayLike) -> tuple[Array, NDArray[np.float64]]:
        """The scores and the model's own probabilities, both (n, classes), of a preprocessed batch."""
        if self.traced.scores.probabilities is None:
            logits = self.logits(x)
            return logits, self.probabilities(logits)
        logits, own = self._run(self.traced.forward_with_probabilities(), self.check_input(x))
        return np.array(logits), np.array(own, np.float64)

    @checked(logits=_logits)
    def top_class(self, logits: Array) -> int:
        """The class that the network says, of the scores (classes,) of one image; 0 for a regression."""
        return 0 if self.score_kind == "value" else int(np.argmax(logits))

    def predict(self, pic: Picture, top: int = 5, framing: str | None = None) -> tuple[Prediction, ...]:
        """The ``top`` most probable classes of a picture, most probable first."""
        x, _ = self.prepare(pic, framing)
        logits, own = self.answer(x)
        return self.predictions(logits[0], top, own[0])

    @checked(logits=_logits, known=optional(_logits))
    def predictions(
        self, logits: Array, top: int = 5, known: NDArray[np.float64] | None = None
    ) -> tuple[Prediction, ...]:
        """The ``top`` classes for the scores (classes,) of one image, highest first; of a regression its value.

        ``known``: their probabilities, where they are known; None: those of the scores.
        """
        for what, row in (("Logits", logits), ("Probabilities", known)):
            if row is not None and row.shape != (self.classes,):
                raise ModelError(
                    f"{what} of shape {row.shape} are not those of one image: {self.name} has {self.classes} classes. "
                    "Give one row of what Network.answer returns."
                )
        p = self.probabilities(logits) if known is None else known
        return top_predictions(logits, p, self.labels, top, self.score_kind)

    @checked(logits=_logits)
    def probabilities(self, logits: Array) -> NDArray[np.float64]:
        """Probabilities of scores (..., classes), by the network's own last activation.

        Of an output that is a map these are the probabilities at the region's mean score; ``answer`` gives the mean
        of the output's own.
        """
        return probabilities(logits, self.activation)

    def site(self, layer: str | None) -> Site:
        """The figures that the cost of a method depends on, at a layer (None: on the input's own grid)."""
        if layer is None:
            return Site(self.channels, self.input_size, self.input_size, 1.0)
        info = self.layer(layer)
        assert info.grid is not None
        return Site(info.channels or 0, info.grid, self.input_size, self.share_behind(layer))

    def with_weights(self, fresh: Mapping[int, Array], note: str) -> Network:
        """A network that computes the same with other weights; this one and its model stay as they are.

        ``fresh``: values by the ``id`` of a Weight of ``weight_layers``; the others are the model's own. ``note``:
        where the weights came from.
        """
        other = copy.copy(self)
        compiler = ReweightedCompiler(self.traced.compiler, *fed_values(self.weight_layers, fresh))
        other.traced = replace(self.traced, compiler=compiler)
        other._passes = self._passes.on(other.traced)
        other._alterations = self._alterations.on(other.traced)
        other.serial = next(_SERIAL)
        other.weights_note = note
        other.origin = other.load_arguments = other.send = None
        return other


def check_network(network: object) -> None:
    """Raise ModelError for what is not a Network."""
    if not isinstance(network, Network):
        shown = repr(network) if isinstance(network, str) else type(network).__name__
        raise ModelError(
            f"{shown} is not a Network. A network is a model made ready to be looked into, once. Make one with "
            "camcore.load(name), or camcore.wrap(model) from a Keras model."
        )


def check_picture(pic: object) -> None:
    """Raise PictureError for what is not a Picture."""
    if not isinstance(pic, Picture):
        raise PictureError(
            f"{type(pic).__name__} is not a Picture. Make one with camcore.open_picture(path or bytes), or "
            "camcore.Picture.from_array(rgb) from uint8 pixels."
        )
