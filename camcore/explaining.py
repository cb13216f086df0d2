"""Methods × layers × classes of one picture, planned so that all share what they can.

All gradient methods, layers and classes come out of one forward pass and one backward pass per class. The
Score-CAM family shares its masked passes over classes and methods: channels go in the order of their variance,
so that Faster Score-CAM is done when its prefix is. Results arrive as they are ready, cheapest first.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError, LayerError, MethodError
from camcore.framing import Frame, check_framing
from camcore.maps import CamMap, as_float32, normalised, warning_for
from camcore.methods import MethodInfo, find_method
from camcore.methods.score import channel_order
from camcore.network import TOP_CLASS, Network, Pass, check_picture
from camcore.pictures import Picture

Array = NDArray[Any]
Options = Mapping[str, Mapping[str, Any]]
Keys = str | Sequence[str] | None
Layers = Any  # a path, a Keras layer, a sequence of them, or None for the default layer
Classes = int | Sequence[int] | None

# Masked passes of 224×224 pixels per chunk: as fast as larger chunks on a CPU, and small in memory.
_CHUNK_PIXELS = 16 * 224 * 224


@dataclass(frozen=True, eq=False)
class Step:
    """What one step of the work brought.

    ``maps``: newly finished. ``partial``: the best so far of those still in work. ``done`` of ``total``: in
    forward passes. ``seconds``: since the start. ``change``: how far the partial maps moved since the last step,
    mean |Δvalues| in 0..1; None where there is nothing to compare.
    """

    maps: tuple[CamMap, ...]
    partial: tuple[CamMap, ...]
    done: float
    total: float
    seconds: float
    change: float | None = None


@dataclass(frozen=True, eq=False)
class _Request:
    methods: tuple[tuple[MethodInfo, dict[str, Any]], ...]
    classes: tuple[int, ...]
    pairs: tuple[tuple[str, str], ...]  # (method, layer path), in the order asked

    def layers_of(self, family: str) -> tuple[str, ...]:
        keys = {info.key for info, _ in self.methods if info.family == family}
        return tuple(dict.fromkeys(path for key, path in self.pairs if key in keys))

    def methods_at(self, family: str, path: str) -> list[tuple[MethodInfo, dict[str, Any]]]:
        return [
            (info, given) for info, given in self.methods if info.family == family and (info.key, path) in self.pairs
        ]

    def masked_passes(self, network: Network, path: str) -> float:
        """Masked forward passes at one layer; the methods there share them."""
        channels = network.layer(path).channels or 0
        return max(info.passes(channels, given) for info, given in self.methods_at("perturbation", path))


def explain(
    network: Network,
    pic: Picture,
    methods: Keys = "gradcam",
    layers: Layers = None,
    classes: Classes = None,
    framing: str = "crop",
    options: Options | None = None,
) -> tuple[CamMap, ...]:
    """Maps of every method at every layer for every class, in that order.

    ``methods``: keys of ``camcore.METHODS``. ``layers``: paths or Keras layers, None for the default layer.
    ``classes``: indices, None for the class the network says. ``framing``: ``crop``, ``stretch`` or
    ``letterbox``. ``options``: by method, such as ``{"gradcam++": {"variant": "authors"}}``.

    A method that is defined at one layer only (``cam``) is left out at the others with a Python warning, and
    refused where none of the layers asked for is its own.

    Raises MethodError, LayerError, ModelError (a class the network lacks) or CamcoreError (an unknown framing).
    """
    request = _request(network, methods, layers, classes, options)
    found = {
        (m.method, m.layer, m.class_index): m for step in _steps(network, pic, request, framing) for m in step.maps
    }
    asked = request.classes
    if asked == (TOP_CLASS,):
        asked = (next(iter(found))[2],)
    return tuple(found[key, path, index] for key, path in request.pairs for index in asked)


def stream(
    network: Network,
    pic: Picture,
    methods: Keys = "gradcam",
    layers: Layers = None,
    classes: Classes = None,
    framing: str = "crop",
    options: Options | None = None,
) -> Iterator[Step]:
    """As ``explain``, a Step at a time: finished maps as they are ready, partial ones of long work.

    The request is checked at the call, before the first step. Closing the generator stops the work; no more
    than the chunk in hand is computed.
    """
    request = _request(network, methods, layers, classes, options)
    check_picture(pic)
    check_framing(framing)
    return _steps(network, pic, request, framing)


def estimate(
    network: Network,
    methods: Keys = "gradcam",
    layers: Layers = None,
    classes: Classes = None,
    options: Options | None = None,
) -> float:
    """The cost of a request in forward passes of one image; an upper bound for the Score-CAM family."""
    return _total(network, _request(network, methods, layers, classes, options))


def _request(network: Network, methods: Keys, layers: Layers, classes: Classes, options: Options | None) -> _Request:
    given = dict(options or {})
    keys = [methods] if isinstance(methods, str) else list(["gradcam"] if methods is None else methods)
    if not keys:
        raise MethodError("No method was asked for. Name at least one, such as 'gradcam'.")
    infos: list[MethodInfo] = []
    for key in keys:
        info = find_method(key)
        if info not in infos:
            infos.append(info)
    for key in given:
        if find_method(key) not in infos:
            raise MethodError(f"Options were given for {key!r}, which is not among the methods asked for.")
    chosen = tuple((info, info.checked(given.get(info.key, {}))) for info in infos)

    many = isinstance(layers, (list, tuple))
    if many and not layers:
        raise LayerError(f"No layer was asked for. Name at least one, such as {network.default_layer!r}.")
    asked = list(layers) if many else [layers]
    paths = tuple(dict.fromkeys(network.layer_with_grid(layer).path for layer in asked))
    pairs: list[tuple[str, str]] = []
    for info in infos:
        pairs += [(info.key, path) for path in _layers_for(network, info, paths)]

    if classes is None:
        indices: tuple[int, ...] = (TOP_CLASS,)
    elif isinstance(classes, (list, tuple, np.ndarray, range)):
        indices = tuple(dict.fromkeys(network.check_class(index) for index in classes))
        if not indices:
            raise CamcoreError("No class was asked for. Name at least one, or None for the network's own answer.")
    else:
        indices = (network.check_class(classes),)
    return _Request(chosen, indices, tuple(pairs))


def _layers_for(network: Network, info: MethodInfo, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Those of ``paths`` at which a method is defined; refused where there are none."""
    if not info.at_own_layer:
        return paths
    fits, refusal = [], None
    for path in paths:
        try:
            network.check_linear_head(path)
            fits.append(path)
        except MethodError as error:
            refusal = error
    if refusal is not None:
        if not fits:
            raise refusal
        left_out = ", ".join(repr(path) for path in paths if path not in fits)
        warnings.warn(f"{info.title} is defined only at {fits[0]!r}; left out at {left_out}.", stacklevel=4)
    return tuple(fits)


def _total(network: Network, request: _Request) -> float:
    backward = len(request.classes) if request.layers_of("gradient") else 0
    masked = sum(request.masked_passes(network, path) for path in request.layers_of("perturbation"))
    return 1 + backward + masked


def _steps(network: Network, pic: Picture, request: _Request, framing: str) -> Iterator[Step]:
    start = perf_counter()
    x, frame = network.prepare(pic, framing)
    x = network.check_input(x)
    total = _total(network, request)
    gradient_layers = request.layers_of("gradient")
    score_layers = request.layers_of("perturbation")

    asked = request.classes if gradient_layers else ()
    paths = tuple(dict.fromkeys((*gradient_layers, *score_layers)))
    shared = network.tap(x, paths, asked) if gradient_layers else network.tap(x, paths)
    classes = tuple(int(used[0]) for used in shared.classes) if asked else request.classes
    if classes == (TOP_CLASS,):
        classes = (int(np.argmax(shared.logits[0])),)
    facts = _Facts(network, frame, shared.logits[0])
    maps = [
        facts.map(info, given, path, index, A, G, shared.seconds)
        for path in gradient_layers
        for A in [shared.activations[path][0]]
        for index, gradients in zip(classes, shared.gradients, strict=True)
        for G in [gradients[path][0]]
        for info, given in request.methods_at("gradient", path)
    ]
    done = 1.0 + len(asked)
    if maps or not score_layers:
        yield Step(tuple(maps), (), done, total, perf_counter() - start)
    for path in score_layers:
        for step in _score_steps(facts, x, shared, path, classes, request.methods_at("perturbation", path)):
            yield Step(step.maps, step.partial, done + step.done, total, perf_counter() - start, step.change)
        done += request.masked_passes(network, path)


@dataclass(frozen=True, eq=False)
class _Facts:
    """What every map of one picture carries."""

    network: Network
    frame: Frame
    logits: Array
    offsets: dict[str, Array] = field(default_factory=dict)  # layer path → bias of its linear head, once asked

    @cached_property
    def probabilities(self) -> Array:
        return self.network.probabilities(self.logits)

    @cached_property
    def overflow(self) -> str | None:
        if np.isfinite(self.logits).all():
            return None
        return "The network's scores are not finite numbers: it overflows on this picture."

    def offset(self, path: str, index: int) -> float:
        if path not in self.offsets:
            self.offsets[path] = self.network.linear_head_offset(path)
        return float(self.offsets[path][index])

    def map(
        self,
        info: MethodInfo,
        options: Mapping[str, Any],
        path: str,
        index: int,
        A: Array,
        G: Array,
        pass_seconds: float,
    ) -> CamMap:
        """A map of the gradient family."""
        start = perf_counter()
        raw, broken = raw_map(info, A, G, options)
        warning = warning_for(info, raw, broken, A, G)
        if info.caution is not None:
            warning = " ".join(filter(None, (warning, info.caution(A, G, **options)))) or None
        offset = self.offset(path, index) if info.at_own_layer else None
        seconds = pass_seconds + perf_counter() - start
        return self.finished(info, options, path, index, raw, warning, seconds, offset)

    def finished(
        self,
        info: MethodInfo,
        options: Mapping[str, Any],
        path: str,
        index: int,
        raw: Array,
        warning: str | None,
        seconds: float,
        offset: float | None = None,
    ) -> CamMap:
        return CamMap(
            method=info.key,
            layer=path,
            class_index=index,
            label=self.network.labels[index],
            probability=float(self.probabilities[index]),
            logit=float(self.logits[index]),
            raw=raw,
            values=normalised(raw),
            warning=" ".join(filter(None, (self.overflow, warning))) or None,
            seconds=seconds,
            offset=offset,
            network=self.network.name,
            frame=self.frame,
            cells=self.network.layer(path).cells(self.network.input_size),
            options=dict(options),
        )


def raw_map(info: MethodInfo, A: Array, G: Array, options: Mapping[str, Any]) -> tuple[NDArray[np.float32], int]:
    """The raw map (h, w) of a gradient method, and how many cells of it were not finite."""
    with np.errstate(all="ignore"):  # what overflows is counted and reported
        return as_float32(info.compute(A, G, **options))


def score_chunks(network: Network, x: Array, A: Array, channels: NDArray[np.intp]) -> Iterator[Array]:
    """Logits (m, classes) of the input (1, H, W, C) masked by the channels of ``A``, a chunk at a time."""
    size = max(1, _CHUNK_PIXELS // (network.input_size[0] * network.input_size[1]))
    for start in range(0, len(channels), size):
        part = channels[start : start + size]
        maps = np.ascontiguousarray(np.moveaxis(A[:, :, part], 2, 0), np.float32)
        yield network.masked_logits(x, maps)


def channels_for(info: MethodInfo, options: Mapping[str, Any], order: NDArray[np.intp]) -> NDArray[np.intp]:
    """The channels a Score-CAM method scores: all in ``order``, or its prefix."""
    return order[: options["n"]] if "n" in options else order


def score_weights(network: Network, logits: Array, index: int, options: Mapping[str, Any]) -> Array:
    """s_k per channel for one class: its logit, or its probability in the authors' variant."""
    return network.probabilities(logits)[:, index] if options["variant"] == "authors" else logits[:, index]


def raw_score_map(
    info: MethodInfo, options: Mapping[str, Any], A: Array, channels: NDArray[np.intp], scores: Array
) -> tuple[NDArray[np.float32], int]:
    """The raw map (h, w) of the channels scored so far, and how many cells of it were not finite."""
    given = {name: value for name, value in options.items() if name != "n"}
    with np.errstate(all="ignore"):
        return as_float32(info.compute(A[:, :, channels], scores, **given))


def _score_steps(
    facts: _Facts,
    x: Array,
    shared: Pass,
    path: str,
    classes: tuple[int, ...],
    methods: list[tuple[MethodInfo, dict[str, Any]]],
) -> Iterator[Step]:
    network = facts.network
    A = shared.activations[path][0]
    order = channel_order(A)
    wanted = {info.key: channels_for(info, given, order) for info, given in methods}
    longest = max(wanted.values(), key=len)
    start = perf_counter()
    logits = np.empty((0, network.classes), shared.logits.dtype)
    open_methods = list(methods)
    before: list[Array] = []

    def at(info: MethodInfo, given: dict[str, Any], count: int) -> list[CamMap]:
        made = []
        for index in classes:
            scores = score_weights(network, logits[:count], index, given)
            raw, broken = raw_score_map(info, given, A, order[:count], scores)
            warning = warning_for(info, raw, broken, A, None)
            made.append(facts.finished(info, given, path, index, raw, warning, perf_counter() - start))
        return made

    if not len(longest):
        maps = [m for info, given in methods for m in at(info, given, 0)]
        yield Step(tuple(maps), (), 0, 0, perf_counter() - start)
        return
    for chunk in score_chunks(network, x, A, longest):
        logits = np.concatenate([logits, chunk])
        count = len(logits)
        ready = [pair for pair in open_methods if len(wanted[pair[0].key]) <= count]
        open_methods = [pair for pair in open_methods if pair not in ready]
        maps = [m for info, given in ready for m in at(info, given, len(wanted[info.key]))]
        partial = [m for info, given in open_methods for m in at(info, given, count)]
        now = [m.values for m in partial]
        change = _mean_change(before, now) if len(before) == len(now) and now else None
        before = now
        yield Step(tuple(maps), tuple(partial), count, len(longest), perf_counter() - start, change)


def _mean_change(before: list[Array], now: list[Array]) -> float:
    return float(np.mean([np.abs(a - b).mean() for a, b in zip(before, now, strict=True)]))
