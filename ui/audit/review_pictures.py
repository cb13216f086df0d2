"""The pictures of a review as the page shows them, drawn before their turn comes."""

from __future__ import annotations

from dataclasses import dataclass

from camcore.cache import ByteLRU
from camcore.errors import CamcoreError
from camcore.framing import frame_for
from camcore.render.encode import to_data_url, to_jpeg
from camcore.render.overlay import blend
from camcore.reviews.review import Review
from ui.jobs.work import Update, Updates, Work
from ui.rasters import shrink

SIDE = 720
"""Long side of a picture, in pixels."""
AHEAD = 4
"""Pictures that are drawn before they are asked for."""
_OPACITY = 0.5
_QUALITY = 88


@dataclass(frozen=True)
class Pair:
    """A photograph and the same under its map, as data URLs; ``said``: the class. ``problem``: why there is none."""

    photo: str = ""
    marked: str = ""
    said: str = ""
    problem: str = ""


_pairs: ByteLRU[Pair] = ByteLRU(64 << 20, lambda one: 256 + len(one.photo) + len(one.marked))


def pair(review: Review, number: int) -> Pair:
    """The pictures of a review's map with this number."""
    key = (review.file, review.record.header.seed, number)
    return _pairs.get(key) or _pairs.put(key, _drawn(review, number))


def ahead(review: Review, number: int) -> Work[int]:
    """Draws the pictures from this number on; the number it has come to."""
    last = min(number + AHEAD, len(review.items))

    def steps(_: object, __: object) -> Updates[int]:
        for place in range(number, last):
            pair(review, place)
            yield Update((place + 1 - number) / (last - number), place)

    return Work(None, ("review_ahead", review.file, number), "Drawing the next pictures", steps)


def _drawn(review: Review, number: int) -> Pair:
    try:
        shown = review.shown(number)
    except CamcoreError as error:
        return Pair(problem=str(error))
    manifest, picture = review.audit.manifest, shown.picture
    frame = frame_for((picture.height, picture.width), manifest.network.input_size, manifest.framing)
    rgb = shrink(picture.rgb, SIDE)
    marked = blend(rgb, frame.to_picture(shown.values, manifest.cells, max_side=SIDE), _OPACITY)
    photo, under = (to_data_url(to_jpeg(one, _QUALITY), "image/jpeg") for one in (rgb, marked))
    return Pair(photo, under, shown.said)
