"""The picture that others are to be like, drawn large, and a box of it whose evidence alone is compared."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from camcore.audits.manifest import Manifest
from camcore.audits.nearest import evidence_in_box, most_alike
from camcore.audits.sources import open_row
from camcore.errors import CamcoreError
from camcore.framing import frame_for
from ui import errors, model_picker, rasters, words
from ui.audit.network import check, name_of, random_weights
from ui.audit.opened import OpenAudit
from ui.components.regions import region
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Update, Updates, Work
from ui.query import NetworkKey

if TYPE_CHECKING:
    from camcore.network import Network
    from camcore.pictures.picture import Picture

Box = tuple[int, int, int, int]
"""The edges top, left, bottom and right, in pixels of the picture."""
Paths = tuple[str, ...]

COUNT = 40
"""Pictures that are shown: of more, the last ones would hardly be like it."""
_NAME = "audit_part"


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture of an audit with its map (h, w); None where it has none."""

    picture: Picture
    values: NDArray[np.float32] | None
    manifest: Manifest

    def on_picture(self, *, smooth: bool, max_side: int | None) -> NDArray[np.float32]:
        """The map for the pixels of the picture."""
        assert self.values is not None
        size = (self.picture.height, self.picture.width)
        frame = frame_for(size, self.manifest.network.input_size, self.manifest.framing)
        return frame.to_picture(self.values, self.manifest.cells, smooth=smooth, max_side=max_side)


def network_for(opened: OpenAudit, purpose: str = "search by a box") -> tuple[NetworkKey | None, str]:
    """The network of an audit, for a ``purpose``; None where it is not to be had, and why."""
    manifest = opened.manifest
    if random_weights(manifest):
        return None, f"The random weights of this network have not been kept: one cannot {purpose}."
    name = name_of(manifest)
    if name is None:
        return None, f"To {purpose}, start the app with this network: camcore app FILE."
    model = model_picker.chosen(name, model_picker.AUTO)
    if model.fetch is not None:
        return None, (
            f"To {purpose}, download the weights of {words.plain(name)} on the Inspect page: they are not on "
            "this machine."
        )
    return model.key, ""


def show(opened: OpenAudit, path: str) -> None:
    """The picture on which a box can be drawn, beside what it is for."""
    network, why_not = network_for(opened)

    def progress(now: Status[Shown]) -> None:
        if not now.complete:
            session.progress(_NAME, now, stoppable=False)
        if now.failure is not None:
            errors.notices([now.failure.message])

    status = session.section(_NAME, shown(opened, path), progress)
    if not status.complete:
        return
    found, box = status.result, st.session_state["part"]
    pic = found.picture
    drawn, explained = st.columns([1, 3], gap="medium")
    with drawn:
        photo = rasters.photo_url(pic)
        over = None if found.values is None else rasters.overlay_url(pic, found, (opened.key, path), rasters.MapLook())
        if network is None or found.values is None:
            st.html(f'<img class="cam-part" src="{over or photo}" alt="{html.escape(path)}">')
        else:
            region(
                key="audit_part_box",
                photo=photo,
                overlay=over,
                size=(pic.height, pic.width),
                box=box if box is not None and _within(box, pic) else None,
                seen=None,
                alt=f"{path}, under its map",
                label="Draw a box. Keys: Enter makes one, arrows move it, Shift and arrows stretch it, Delete takes it "
                "away.",
                hint="Drag a box on the picture, or press Enter for one",
                on_draw=_drawn,
            )
    with explained:
        if box is not None and network is not None:
            st.markdown("The pictures below have evidence like **that in the box**.")
            st.caption("A cell of the map counts as far as the box covers it. Clear the box to use the whole picture.")
        else:
            st.markdown("The pictures below have evidence like **this one**: their answers rest on the same features.")
            st.caption(why_not or "Draw a box on it to search by the evidence in the box alone.")


def shown(opened: OpenAudit, path: str) -> Work[Shown]:
    """Opens a picture, and reads its map."""

    def steps(_: object, __: object) -> Updates[Shown]:
        (values,) = opened.audit.maps([path])
        pic = open_row(opened.manifest, path)
        yield Update(1.0, Shown(pic, None if np.isnan(values).any() else values, opened.manifest))

    return Work(None, ("part", opened.key, path), "Opening the picture", steps, lambda one: one.picture.rgb.nbytes)


def alike(opened: OpenAudit, network: NetworkKey, path: str, box: Box) -> Work[Paths]:
    """Compares the evidence of all pictures with that in a box of one."""

    def steps(net: Network, _: object) -> Updates[Paths]:
        manifest = opened.manifest
        check(net, manifest)
        (values,) = opened.audit.maps([path])
        pic = open_row(manifest, path)
        if not _within(box, pic):
            raise CamcoreError(
                f"The box {','.join(map(str, box))} does not lie on the picture, which is {pic.width} × {pic.height} "
                "pixels. The link was made for another one. Draw a new box."
            )
        wanted = evidence_in_box(net, manifest, pic, values, box)
        yield Update(1.0, tuple(one.path for one in most_alike(opened.audit.folder, wanted, COUNT)))

    def size(paths: Paths) -> int:
        return sum(64 + len(one) for one in paths)

    return Work(network, ("part alike", opened.key, path, box), "Comparing the evidence in the box", steps, size, 3.0)


def _within(box: Box, pic: Picture) -> bool:
    return box[2] <= pic.height and box[3] <= pic.width


def _drawn(box: Box | None) -> None:
    st.session_state.update(part=box, page=1, chosen=())
