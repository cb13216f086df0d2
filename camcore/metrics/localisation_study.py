"""Localisation of maps and controls on one picture, or of method after method over a folder with masks.

The figures themselves are in camcore.metrics.localisation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

from camcore.checks import checked, many, of_type, optional, whole
from camcore.errors import CamcoreError
from camcore.heatmaps.arguments import a_box, a_framing, a_network, a_picture
from camcore.heatmaps.arguments import maps as several_maps
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.request import check_request
from camcore.heatmaps.run import explain
from camcore.metrics.localisation import Located, PixelBox, locate
from camcore.metrics.object_masks import MaskedFolder, ObjectMask, open_pair
from camcore.network import Network
from camcore.pictures.picture import Picture
from camcore.training.folders import Skipped

CENTRE, RANDOM = CONTROLS = ("centre", "random")

# Fields of noise that stand for chance on one picture.
RANDOMS = 9


@dataclass(frozen=True, eq=False)
class LocalisationStep:
    """``located``: of the pictures so far, their maps and controls; ``done`` of ``total`` pictures."""

    located: tuple[Located, ...]
    skipped: tuple[Skipped, ...]
    done: int
    total: int
    seconds: float


@checked(
    network=a_network,
    pic=a_picture,
    maps=several_maps,
    mask=optional(of_type(ObjectMask, "Make one with camcore.metrics.object_masks.read_mask.")),
    boxes=optional(many(a_box)),
    randoms=whole(0, 10_000, example=RANDOMS),
)
def locate_maps(
    network: Network,
    pic: Picture,
    maps: Sequence[CamMap],
    mask: ObjectMask | None = None,
    boxes: Sequence[PixelBox] | None = None,
    randoms: int = RANDOMS,
) -> Iterator[Located]:
    """The localisation of maps of one picture, then of the centred blob and ``randoms`` fields of noise, one by one.

    ``mask`` or ``boxes``: the object, see ``localisation.locate``. Raises CamcoreError where there are no maps.
    """
    if not maps:
        raise CamcoreError("There is no map to look for. Give at least one.")
    m = maps[0]

    def localised() -> Iterator[Located]:
        for one in maps:
            yield _located(one, mask, boxes)
        for key, seed in ((CENTRE, None), *((RANDOM, seed) for seed in range(randoms))):
            yield _located(_control(network, pic, m, key, seed), mask, boxes)

    return localised()


@checked(
    network=a_network,
    folder=of_type(MaskedFolder, "Make one with camcore.metrics.object_masks.read_masked_folder."),
    framing=a_framing,
)
def locate_folder(
    network: Network,
    folder: MaskedFolder,
    methods: Sequence[str],
    framing: str | None = None,
    layer: str | None = None,
) -> Iterator[LocalisationStep]:
    """Methods and controls on every picture of a folder, for the network's class there; a LocalisationStep per picture.

    Each picture has a field of noise of its own. Closing the generator stops the work. Raises, at the call,
    MethodError, LayerError or CamcoreError for what cannot be asked.
    """
    framing = network.framing_for(framing)
    path = network.layer_with_grid(layer).path
    check_request(network, methods, path, None, None)

    def steps() -> Iterator[LocalisationStep]:
        start = perf_counter()
        located: list[Located] = []
        skipped = list(folder.skipped)
        for number, pair in enumerate(folder.pairs):
            opened = open_pair(pair)
            if isinstance(opened, Skipped):
                skipped.append(opened)
            else:
                pic, mask = opened
                maps = explain(network, pic, list(methods), path, None, framing)
                controls = [_control(network, pic, maps[0], key, number) for key in CONTROLS]
                located += [_located(m, mask, None) for m in (*maps, *controls)]
            yield LocalisationStep(tuple(located), tuple(skipped), number + 1, len(folder), perf_counter() - start)

    return steps()


def _located(m: CamMap, mask: ObjectMask | None, boxes: Sequence[PixelBox] | None) -> Located:
    if mask is None:
        return locate(m.method, m.on_picture(), boxes=boxes)
    return locate(m.method, m.on_picture(), mask.inside, boxes, mask.ignored)


def _control(network: Network, pic: Picture, m: CamMap, key: str, seed: int | None) -> CamMap:
    """A control on the grid of a map."""
    options = {RANDOM: {"seed": seed}} if key == RANDOM else None
    return explain(network, pic, key, m.layer, m.class_index, m.framing, options)[0]
