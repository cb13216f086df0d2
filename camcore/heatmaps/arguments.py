"""Argument checks for functions on networks, pictures and maps, for use with ``camcore.checks.checked``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import numpy as np

from camcore.checks import Check, many, number, of_type, optional, refused
from camcore.framing import check_framing
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.memory import Memory
from camcore.network import Network, check_network, check_picture
from camcore.pictures.picture import Picture


def a_network(name: str, value: object) -> Network:
    """A Network. Raises ModelError for anything else."""
    check_network(value)
    return cast(Network, value)


def a_picture(name: str, value: object) -> Picture:
    """A Picture. Raises PictureError for anything else."""
    check_picture(value)
    return cast(Picture, value)


def a_framing(name: str, value: object) -> str | None:
    """The name of a framing, or None for the network's own. Raises CamcoreError for anything else."""
    framing = cast("str | None", value)
    if framing is not None:
        check_framing(framing)
    return framing


a_memory: Check = optional(of_type(Memory, "Make one with camcore.Memory(), or leave it out."))

a_map: Check = of_type(CamMap, "Give one of those that camcore.explain returns.")


def a_path(name: str, value: object) -> Path:
    """The path of a file or folder. Raises CamcoreError for anything else."""
    if not isinstance(value, (str, os.PathLike)) or not str(value).strip():
        raise refused(name, value, "a path", "Give it as a string or a pathlib.Path.")
    return Path(os.fsdecode(value))


def a_box(name: str, value: object) -> tuple[float, float, float, float]:
    """The edges (top, left, bottom, right) of a box. Raises CamcoreError for anything else."""
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 4:
        raise refused(name, value, "a box (top, left, bottom, right)", "Give four numbers, in pixels of the picture.")
    top, left, bottom, right = (number()(name, edge) for edge in value)
    return top, left, bottom, right


paths: Check = many(a_path, what_to_do="Give a list of files, such as picture_files(folder) finds.")

layers_given: Check = many(lambda name, value: value, what_to_do="Give a list of layers, such as network.ladder.")

pictures: Check = many(a_picture, what_to_do="Give a list of pictures, each from camcore.open_picture.")

maps: Check = many(a_map, what_to_do="Give a list of maps, such as camcore.explain returns.")
