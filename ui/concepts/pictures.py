"""Concepts as pictures and files: mixed in their colours, each alone, and everything to take away. No Streamlit."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from camcore.files import to_csv, to_npz
from camcore.framing import Frame
from camcore.render.contact import ContactPrint, contact_sheet
from camcore.render.encode import to_png
from camcore.render.overlay import mix, spotlight
from ui import data_urls, words
from ui.concepts.work import SIDE, FoundConcepts

PRINT_SIDE = 320
DARK = 0.2
"""The brightness that is left where a concept is not."""
ALONE = 0.9
"""The share of a concept's energy in one picture from which on it is said to be in no other one."""


def mixed_url(found: FoundConcepts, picture: int, smooth: bool, key: Hashable) -> str:
    """All concepts over one picture, as a data URL; ``key``, with the rest, tells it from all others."""
    return data_urls.jpeg(("mixed", key, picture, smooth), lambda: mixed(found, picture, smooth))


def alone_url(found: FoundConcepts, picture: int, concept: int, smooth: bool, key: Hashable) -> str:
    """One picture lit by one concept, as a data URL."""
    return data_urls.jpeg(("alone", key, picture, concept, smooth), lambda: alone(found, picture, concept, smooth))


def mixed(found: FoundConcepts, picture: int, smooth: bool) -> NDArray[np.uint8]:
    """All concepts over the part of a picture that the network saw."""
    c = found.concepts
    maps = np.stack([c.on_picture(picture, k, smooth, SIDE) for k in range(len(c))], axis=2)
    return _seen(mix(found.pictures[picture], maps), maps[..., 0])


def alone(found: FoundConcepts, picture: int, concept: int, smooth: bool) -> NDArray[np.uint8]:
    """The part of a picture that the network saw, lit by one concept."""
    values = found.concepts.on_picture(picture, concept, smooth, SIDE)
    return _seen(spotlight(found.pictures[picture], values, DARK), values)


def ratio(found: FoundConcepts) -> float:
    """Width / height of the part that the network saw, where all pictures share it; else 1."""
    shapes = {_seen_shape(frame) for frame in found.concepts.frames}
    return shapes.pop() if len(shapes) == 1 else 1.0


def _seen_shape(frame: Frame) -> float:
    top, left, bottom, right = frame.seen
    return round((right - left) / (bottom - top), 2)


def _seen(rgb: NDArray[np.uint8], values: NDArray[np.float32]) -> NDArray[np.uint8]:
    known = np.isfinite(values)
    rows, columns = (np.flatnonzero(known.any(axis=axis)) for axis in (1, 0))
    return np.ascontiguousarray(rgb[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def strongest_pictures(found: FoundConcepts, concept: int, count: int) -> list[int]:
    """The pictures in which a concept is strongest, by its mean over the places; each at least a fifth of it."""
    strength = found.concepts.maps[..., concept].mean(axis=(1, 2))
    return [int(i) for i in np.argsort(-strength, kind="stable")[:count] if strength[i] > 0.2 * strength.max()]


def homes_told(found: FoundConcepts) -> str:
    """A sentence on concepts that no second picture has; empty where there are none."""
    numbers = [str(k + 1) for k, share in enumerate(found.concepts.homes) if share >= ALONE]
    if len(found.pictures) < 2 or not numbers:
        return ""
    if 2 * len(numbers) <= len(found.concepts):
        each = "is found in one picture only" if len(numbers) == 1 else "are each found in one picture only"
        return f"Concept{'s' * (len(numbers) > 1)} {_and(numbers)} {each}."
    which = "All" if len(numbers) == len(found.concepts) else f"{len(numbers)} of the"
    return (
        f"{which} {len(found.concepts)} concepts are each found in one picture only, so they say what tells the "
        "pictures apart, not what they share. Choose a layer further left, where patterns are smaller, or a folder "
        "with several pictures of one kind."
    )


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


# ---- to take away


def sheet_png(found: FoundConcepts, smooth: bool, lines: list[str]) -> bytes:
    """All pictures in all colours, then each concept alone on them, with its words, on one sheet."""
    everyone, concepts = range(len(found.pictures)), range(len(found.concepts))
    if len(found.pictures) == 1:  # side by side, or the sheet would be one tall column
        prints = [_print(mixed(found, 0, smooth), "All concepts")]
        prints += [_print(alone(found, 0, k, smooth), f"Concept {k + 1}", adds(found, k)) for k in concepts]
        return to_png(contact_sheet([(found.titles[0], prints)], lines=lines))
    rows = [("All concepts", [_print(mixed(found, n, smooth), found.titles[n]) for n in everyone])]
    rows += [(title(found, k), [_print(alone(found, n, k, smooth)) for n in everyone]) for k in concepts]
    return to_png(contact_sheet(rows, lines=lines))


def _print(rgb: NDArray[np.uint8], title: str = "", note: str = "") -> ContactPrint:
    """A picture in the middle of a white square."""
    height, width = rgb.shape[:2]
    scale = PRINT_SIDE / max(height, width)
    tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
    top, left = (PRINT_SIDE - tall) // 2, (PRINT_SIDE - wide) // 2
    canvas = np.full((PRINT_SIDE, PRINT_SIDE, 3), 255, np.uint8)
    canvas[top : top + tall, left : left + wide] = cv2.resize(rgb, (wide, tall), interpolation=cv2.INTER_NEAREST)
    return ContactPrint(canvas, title, note)


def title(found: FoundConcepts, concept: int) -> str:
    """A concept in a line: its number, and what it adds where it is strongest."""
    return f"Concept {concept + 1}: {adds(found, concept)}"


def adds(found: FoundConcepts, concept: int, count: int = 3) -> str:
    """The classes that a concept speaks for and what it adds to each, in the picture in which it is strongest."""
    pictures = strongest_pictures(found, concept, 1)
    if not pictures:
        return "nowhere in these pictures"
    if found.concepts.effects is None:
        return "being measured"
    classes = found.concepts.classes(concept, count, pictures[0])
    return (
        ", ".join(f"{words.label(found.labels[c])} {value:+.2f}" for c, value in classes if value > 0)
        or "nothing to any class"
    )


def concepts_csv(found: FoundConcepts) -> bytes:
    """Each concept's channels, then what it adds to the classes it adds most to in each picture."""
    c = found.concepts
    rows: list[list[object]] = [["concept", "channel", "weight"]]
    for k in range(len(c)):
        rows += [[k + 1, channel, f"{weight:.9g}"] for channel, weight in c.channels(k, 50)]
    rows += [[], ["concept", "picture", "class", "adds to the logit"]]
    for k in range(len(c)):
        for n, name in enumerate(found.titles):
            rows += [[k + 1, name, found.labels[i], f"{value:.9g}"] for i, value in c.classes(k, 10, n)]
    return to_csv(rows)


def concepts_npz(found: FoundConcepts) -> bytes:
    """Maps, channels and effects as NumPy arrays."""
    c = found.concepts
    arrays = {"maps": c.maps, "parts": c.parts, "logits": c.logits, "titles": np.array(found.titles)}
    if c.effects is not None:
        arrays |= {"effects": c.effects.concepts, "beside": c.effects.beside, "nothing": c.effects.nothing}
    return to_npz(**arrays)
