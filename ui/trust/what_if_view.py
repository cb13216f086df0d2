"""The question what if a part of the picture were not there: a box is drawn, and the network asked again."""

from __future__ import annotations

import html
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

import camcore
from camcore.text import decimal
from camcore.verdict.what_if import FILLS, WhatIf, clipped
from ui import controls, downloads, errors, rasters, urls, words
from ui.components.regions import region
from ui.jobs import session
from ui.jobs.session import Status
from ui.map_request import MapStatus
from ui.picture_box import Chosen
from ui.query import map_identity
from ui.trust import words as trust_words
from ui.trust.work import Box, what_if_work

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap

WAYS = ("hide the box", "keep only the box")
SECTION = "what_if"
_LABELS = {"grey": "grey", "blur": "blur", "inpaint": "paint over"}


def read_box(text: str) -> Box:
    """A box out of an address: four whole numbers with commas between them; its ValueError is a sentence."""
    try:
        top, left, bottom, right = (int(part) for part in text.split(","))
    except ValueError:
        raise ValueError("It has to be four whole numbers: top, left, bottom and right edge in pixels.") from None
    if not (0 <= top < bottom and 0 <= left < right):
        raise ValueError("Its top has to lie above its bottom and its left edge before its right one.")
    return top, left, bottom, right


def write_box(box: Box) -> str:
    """A box as it stands in the address."""
    return ",".join(map(str, box))


def settle(chosen: Chosen) -> None:
    """A box belongs to its picture: another picture starts without one, and one beside the picture is told."""
    state = st.session_state
    picture = chosen.picture
    if state.get("box_of") not in (None, picture.sha256):
        state["box"] = None
    state["box_of"] = picture.sha256
    if state.get("box") is not None:
        try:
            state["box"] = clipped(state["box"], picture)
        except camcore.CamcoreError as error:
            urls.object_to("box", str(error))


def show(request: MapStatus, chosen: Chosen) -> None:
    """The whole section."""
    st.subheader("What if a part of it were not there?", anchor="what-if")
    state = st.session_state
    with st.container(key="cam_what_if_look", horizontal=True, vertical_alignment="center", gap="small"):
        way = controls.segments("Question", WAYS, "way")
        fill = controls.segments("Hide by", FILLS, "fill", format_func=_LABELS.__getitem__)
        lit = st.toggle("Show the map", value=True, key="what_if_map")
    left, right = st.columns(2, gap="medium")
    m = request.asked.whole_map
    box = state.get("box")
    with left:
        _draw_on(chosen, request, m if lit else None, box)
    with right.container(key="cam_what_if_result", gap="xsmall"):
        network = request.asked.query.network
        work = None
        if m is not None and box is not None and not request.busy:
            work = what_if_work(network, chosen.picture, m, box, fill, way == WAYS[1])
        session.section(SECTION, work, lambda now: _section(now, chosen, lit, box is not None))


def _draw_on(chosen: Chosen, request: MapStatus, m: CamMap | None, box: Box | None) -> None:
    picture = chosen.picture
    overlay = None
    if m is not None:
        identity = map_identity(request.asked.query.network, picture.sha256, m)
        overlay = rasters.overlay_url(picture, m, identity, rasters.MapLook())
    frame = request.answer.map.frame if request.answer.map is not None else None

    def drawn(found: Box | None) -> None:
        st.session_state["box"] = found

    region(
        key="region",
        photo=rasters.photo_url(picture),
        overlay=overlay,
        size=(picture.height, picture.width),
        box=box,
        seen=None if frame is None or overlay is not None else frame.seen,
        alt=f"Photograph: {chosen.title}",
        label="Draw a box. Keys: Enter makes one, arrows move it, Shift and arrows stretch it, Delete takes it away.",
        hint="Drag a box on the picture, or press Enter for one and move it with the arrow keys",
        on_draw=drawn,
    )


def _section(status: Status[WhatIf], chosen: Chosen, lit: bool, drawn: bool) -> None:
    with errors.guarded("The answer"):
        found: WhatIf | None = status.value
        picture = chosen.picture
        src, alt = None, ""
        if found is not None:
            src = rasters.photo_url(found.picture)
            alt = "The changed picture"
            if lit and found.again is not None:
                key = ("what if", found.picture.sha256, found.map.network, found.map.method, found.map.layer,
                       found.map.class_index, status.busy)  # fmt: skip
                src = rasters.overlay_url(found.picture, found.again, key, rasters.MapLook())
                alt = f"The changed picture, under the map for {words.label(found.map.label)} made again"
        image = f'<img src="{src}" alt="{html.escape(alt)}">' if src else ""
        nothing = "" if drawn else "<span>Draw a box on the picture</span>"
        ratio = picture.width / picture.height
        st.html(f'<div class="cam-again" style="--ratio:{ratio:.4f}">{image}{nothing}</div>')
        session.progress(SECTION, status)
        if status.failure is not None:
            errors.panel(status.failure, "The network could not answer again")
        if found is not None:
            st.html(
                f'<p class="cam-said-again" role="status">{trust_words.escaped(sentence(found))}</p>{_table(found)}'
            )
            if found.again is not None and found.again.warning:
                errors.notices([found.again.warning])
            _how(found, chosen)


def sentence(found: WhatIf) -> str:
    """The result in words for everybody."""
    change = found.changes[0]
    before, after = change.before, change.after
    what = "Without all around the box" if found.keep else "Without what is in the box"
    name = words.label(before.label)
    if before.score_kind == "value":
        values = (words.strength(one) for one in (before, after))
        return f"{what} {words.answer_name(before)} goes from {' to '.join(values)}."
    if before.probability != before.probability:
        return f"{what} the score of “{name}” goes from {decimal(before.logit, 3)} to {decimal(after.logit, 3)}."
    text = f"{what} “{name}” "
    if abs(after.probability - before.probability) < 0.005:
        text += f"stays at {words.percent(after.probability)}"
    else:
        falls = after.probability < before.probability
        text += (
            f"{'falls' if falls else 'rises'} from {words.percent(before.probability)} to "
            f"{words.percent(after.probability)}"
        )
    first = max(found.changes, key=lambda one: one.after.probability).after
    return f"{text}; the network says “{words.label(first.label)}”, {words.percent(first.probability)}."


def _table(found: WhatIf) -> str:
    rows = ""
    for one in found.changes:
        before, after = one.before.probability, one.after.probability
        known = before == before
        cells = "".join(
            f'<td><span class="cam-share" style="--share:{share if known else 0:.4f}">'
            f"{words.percent(share) if known else f'{prediction.logit:.3f}'}</span></td>"
            for share, prediction in ((before, one.before), (after, one.after))
        )
        rows += f'<tr><th scope="row">{html.escape(words.label(one.before.label))}</th>{cells}</tr>'
    return (
        '<table class="cam-what-if"><thead><tr><th></th><th scope="col">as it is</th><th scope="col">changed</th></tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _how(found: WhatIf, chosen: Chosen) -> None:
    with st.expander("How this is computed"):
        st.markdown(
            "The picture itself is changed, and the network asked as before. **Grey** is ImageNet’s mean colour, "
            "which most networks’ preprocessing turns into nothing; **blur** leaves colours but no shapes; **paint "
            "over** fills the part from its surroundings (Telea 2004). Each leaves traces of its own, and a network "
            "may take a grey patch for a thing: what holds for one way of hiding only is about that way."
        )
        logits = "".join(
            f"\n| {words.plain(words.label(one.before.label))} | {one.before.logit:.3f} | {one.after.logit:.3f} |"
            for one in found.changes
        )
        kind = words.score_name(found.map.score_kind)
        st.markdown(f"Scores ({kind}):\n\n| class | as it is | changed |\n| --- | --- | --- |{logits}")
    stem = words.file_stem(chosen.stem, found.map.network, "what-if", write_box(found.box))
    with st.container(horizontal=True, gap="small"):
        downloads.offer(
            f"{stem}.png",
            b"" if found.again is None else partial(picture_png, found, found.again),
            "The changed picture under the map, at full size",
            key="save_what_if_png",
            ready=found.again is not None,
        )
        downloads.offer(
            f"{stem}.csv",
            lambda: changes_csv(found),
            "Every class above with probabilities and scores",
            key="save_what_if_csv",
        )


def picture_png(found: WhatIf, again: CamMap) -> bytes:
    """The changed picture under its map with a caption."""
    lines = [f"{found.map.network}, {_LABELS[found.fill]}, {WAYS[found.keep]} {write_box(found.box)}", sentence(found)]
    return rasters.full_size(found.picture, again, rasters.MapLook(), lines)


def changes_csv(found: WhatIf) -> bytes:
    """index, label, and both probabilities and logits of every class shown."""
    lines = ["index,label,probability_before,probability_after,logit_before,logit_after"]
    for one in found.changes:
        label = one.before.label.replace('"', '""')
        figures = (one.before.probability, one.after.probability, one.before.logit, one.after.logit)
        lines.append(f'{one.before.index},"{label}",' + ",".join(map(repr, figures)))
    return ("\n".join(lines) + "\n").encode("utf-8")
