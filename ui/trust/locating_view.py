"""Does the map fall on the object? On this picture, given a box or a mask; and over a folder with masks."""

import hashlib
import html
from collections.abc import Sequence
from statistics import mean
from typing import Any

import streamlit as st

import camcore
from camcore.files import to_csv
from camcore.metrics.intervals import Interval
from camcore.metrics.localisation import BOX_SHARE, CAM_BOX_SHARE, TOLERANCE, LocalisationRow, Located
from camcore.metrics.localisation_study import CENTRE, RANDOM
from camcore.metrics.object_masks import IMAGES, MASKS, ObjectMask, read_mask
from ui import downloads, errors, folder_box, limits, methods, query_form, words
from ui.jobs import session
from ui.jobs.session import Status
from ui.map_request import MapStatus
from ui.model_picker import Model
from ui.networks import networks
from ui.picture_box import Chosen
from ui.picture_folders import root_of
from ui.query import Failure
from ui.trust import words as trust_words
from ui.trust.evidence import pace
from ui.trust.words import FigureRow
from ui.trust.work import FolderTable, folder_location_work, location_work

ONE, MANY = "where", "where_folder"
OBJECTS = ("the box above", "a mask")


def show(request: MapStatus, chosen: Chosen, model: Model) -> None:
    """The whole section."""
    st.subheader("Does the map lie on the object?", anchor="where")
    st.markdown(
        "Where a map lies is not whether it is right: a network may look at the surroundings, and a faithful map then "
        "lies beside the object."
    )
    tabs = st.tabs(["On this picture", "Over a folder with masks"], key="where_tab", on_change="rerun")
    if tabs[0].open:
        with tabs[0]:
            _one_picture(request, chosen)
    if tabs[1].open:
        with tabs[1]:
            _folder(request, model)


# ---- one picture


def _one_picture(request: MapStatus, chosen: Chosen) -> None:
    state = st.session_state
    kind = st.segmented_control(
        "The object", OBJECTS, default=OBJECTS[0], required=True, key="object", label_visibility="collapsed"
    )
    mask = None
    if kind == OBJECTS[1]:
        mask = _uploaded(chosen)
        if mask is None:
            return
    box = state.get("box")
    if mask is None and box is None:
        st.caption("Draw a box around the object on the picture above, or give a mask.")
    m = request.asked.whole_map
    work = None
    if m is not None and not request.busy and (mask is not None or box is not None):
        work = location_work(request.asked.query.network, chosen.picture, m, mask, box)
    session.section(ONE, work, lambda now: _located(now, chosen))


def _uploaded(chosen: Chosen) -> tuple[str, ObjectMask] | None:
    """The mask that was given, and what tells it from others; None, and why, where there is none to use."""
    st.file_uploader(
        "Mask",
        type=["png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff", "gif"],
        key="mask",
        max_upload_size=limits.picture_mb(),
        on_change=_take_mask,
        args=(chosen.picture.sha256,),
        help="As large as the picture. White is the object; or 1 is the object, 0 the rest and 2 a border that counts "
        "for neither.",
    )
    picture, data, name = st.session_state.get("mask_given") or ("", b"", "")
    if picture != chosen.picture.sha256:  # none yet, or another picture's
        st.caption(f"A picture of {chosen.picture.width} × {chosen.picture.height} px that says where the object is.")
        return None
    try:
        return hashlib.sha256(data).hexdigest(), read_mask(data, chosen.picture, name=name)
    except camcore.CamcoreError as error:
        errors.panel(Failure.of(error), "This mask cannot be used")
        return None


def _take_mask(picture: str) -> None:
    """Keep what was uploaded, for this picture: the uploader forgets it on a page change."""
    file = st.session_state["mask"]
    st.session_state["mask_given"] = None if file is None else (picture, file.getvalue(), file.name)


def _located(status: Status[tuple[Located, ...]], chosen: Chosen) -> None:
    with errors.guarded("The place of the map"):
        if status.failure is not None:
            errors.panel(status.failure, "The place of the map could not be measured")
        if status.busy or status.failure is not None:
            session.progress(ONE, status, stoppable=False)
        found: tuple[Located, ...] = status.value or ()
        if not found:
            return
        first = found[0]
        st.markdown(words.plain(sentence(first, [one for one in found if one.method == RANDOM])))
        st.html(trust_words.table(lines(found), camcore.METHODS[first.method].title))
        with st.expander("How this is computed"):
            st.markdown("".join(f"\n- **{line.name}.** {line.how}" for line in lines(found)))
        stem = words.file_stem(chosen.stem, first.method, "where")
        _csv(located_csv(found), f"{stem}.csv", "save_where_csv", status.busy)


def sentence(first: Located, randoms: Sequence[Located]) -> str:
    """The place of the map, in words for everybody."""
    if first.empty:
        return "The map is empty, so it lies nowhere: it hits nothing, and has no energy in the object."
    if not first.area:
        return "The network does not see the object at all: it lies outside of what is framed."
    text = (
        f"{words.percent(first.energy)} of the map lies on the object, which is {words.percent(first.area)} of what "
        f"the network sees; its maximum {'hits' if first.hit else 'misses'} it."
    )
    if randoms:
        text += f" Random maps have {words.percent(mean(one.energy for one in randoms))} there."
    return text


def lines(found: Sequence[Located]) -> list[FigureRow]:
    """The figures of a map and the controls for the table."""
    first = found[0]
    centre = next((one for one in found if one.method == CENTRE and one is not first), None)
    randoms = [one for one in found[1:] if one.method == RANDOM]
    share = CAM_BOX_SHARE if first.method == "cam" else BOX_SHARE

    def line(name: str, get: Any, how: str, yes: bool = False) -> FigureRow:
        shown = _yes if yes else words.percent
        chance = trust_words.NOTHING
        if randoms:
            values = [float(get(one)) for one in randoms]
            chance = f"{sum(map(int, values))} of {len(values)}" if yes else words.percent(mean(values))
            if not yes and min(values) != max(values):
                chance += f" ({words.percent(min(values))} to {words.percent(max(values))})"
        blob = trust_words.NOTHING if centre is None else shown(get(centre))
        return FigureRow(name, "high is good", shown(get(first)), blob, chance, how)

    return [
        line(
            "Pointing game", lambda one: one.hit,
            f"Whether the map’s maximum lies on the object or at most {TOLERANCE} px beside it (Zhang 2018).", True,
        ),
        line(
            "Energy inside", lambda one: one.energy,
            "The share of the map’s sum that lies on the object (Wang 2020). A map that knows nothing has the object’s "
            f"own share, {words.percent(first.area)}.",
        ),
        line(
            "Box IoU", lambda one: one.iou,
            f"How far the box around the map’s largest part above {words.percent(share)} of its maximum and the box "
            "around the object are the same: intersection over union (Zhou 2016).",
        ),
    ]  # fmt: skip


def _yes(hit: bool) -> str:
    return "hit" if hit else "miss"


def located_csv(found: Sequence[Located]) -> bytes:
    """A line for the map and for each control."""
    rows = [[one.method, int(one.hit), *map(repr, (one.energy, one.area, one.iou)), int(one.empty)] for one in found]
    return to_csv([["method", "hit", "energy", "area", "iou", "empty"], *rows])


# ---- a folder


def _folder(request: MapStatus, model: Model) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        path = folder_box.ask(
            "Folder",
            key="masks",
            placeholder=f"a folder on this machine with {IMAGES} and {MASKS} in it",
            help=f"Pictures in {IMAGES}, masks of the same names and sizes in {MASKS}. It is only read, on the machine "
            "that this app runs on.",
        )
        refused = query_form.refused(networks().peek(model.key))
        keys = [key for key in camcore.METHODS if camcore.METHODS[key].input.reads_network and key not in refused]
        st.session_state["located"] = [key for key in st.session_state["located"] if key not in refused]
        chosen = st.multiselect(
            "Methods", keys, key="located", format_func=methods.title, persist_state="session", max_selections=8
        )
        layer = request.asked.query.layer
        asked = (model.key, path, tuple(chosen), model.framing, layer)
        st.button(
            "Measure this folder",
            key="look_through",
            type="primary",
            disabled=not path or not chosen or model.fetch is not None,
            on_click=lambda: session.press(MANY, asked),
        )
    if session.pressed(MANY) != asked:
        session.section(MANY, None)
        st.caption(
            "Each method beside the controls, with 95 % intervals, for the class that the network says of each. "
            + (_price(request, model, chosen) or "")
        )
        return
    work = folder_location_work(model.key, root_of(path), chosen, model.framing, layer)
    session.section(MANY, work, lambda now: _rows(now, model.key.name))


def _price(request: MapStatus, model: Model, chosen: Sequence[str]) -> str | None:
    """The price of one picture, as far as it is known."""
    net, m = request.asked.network, request.asked.map
    if net is None or m is None or not chosen:
        return None
    try:
        passes = camcore.estimate(net, list(chosen)) + 2
    except camcore.CamcoreError:
        return None
    cost = pace(model.key, m).cost(passes)
    return f"{passes:,.0f} passes for each picture, {words.span(cost)}"


def _rows(status: Status[FolderTable], name: str) -> None:
    with errors.guarded("The table"):
        if status.failure is not None:
            errors.panel(status.failure, "This folder could not be used")
        if status.job is not None:
            session.progress(MANY, status)
        found: FolderTable | None = status.value
        if found is None:
            return
        st.html(_table(found))
        empty = [f"{title(row.method)}: {row.empty} empty maps, which hit nothing" for row in found.rows if row.empty]
        left_out = f"; {len(found.skipped):,} files could not be used" if found.skipped else ""
        said = f"{found.done - len(found.skipped):,} of {found.total:,} pictures{left_out}. "
        st.caption(words.plain(said + "Means with bootstrap 95 % intervals. " + ". ".join(empty)))
        if found.skipped:
            with st.expander("What could not be used"):
                for one in found.skipped[:30]:
                    st.caption(words.plain(f"{one.file.name}: {one.reason}"))
        _csv(rows_csv(found.rows), f"{words.file_stem(name, 'localisation')}.csv", "save_rows_csv", status.busy)


def _table(found: FolderTable) -> str:
    heads = ("", "pointing game", "energy inside", "box IoU", "the object’s share")
    body = ""
    for row in found.rows:
        control = ' class="cam-control"' if row.method in (CENTRE, RANDOM) else ""
        cells = "".join(f"<td>{_interval(one)}</td>" for one in (row.pointing, row.energy, row.iou, row.area))
        body += f'<tr{control}><th scope="row">{html.escape(title(row.method))}</th>{cells}</tr>'
    top = "".join(f'<th scope="col">{one}</th>' for one in heads)
    return f'<div class="cam-scroll"><table class="cam-trust-table"><thead><tr>{top}</tr></thead>{body}</table></div>'


def title(method: str) -> str:
    """A method or control by name."""
    return {CENTRE: "Centred blob (control)", RANDOM: "Random map (control)"}.get(method) or methods.title(method)


def _interval(one: Interval) -> str:
    if not one.n:
        return trust_words.NOTHING
    return f"{words.percent(one.mean)} <small>{100 * one.low:.0f} to {100 * one.high:.0f} %</small>"


def rows_csv(rows: Sequence[LocalisationRow]) -> bytes:
    """A line for each method, every mean with its interval."""
    heads = ["method", "pictures", "empty"]
    heads += [f"{name}{end}" for name in ("pointing", "energy", "iou", "area") for end in ("", "_low", "_high")]
    body = [
        [row.method, row.pointing.n, row.empty]
        + [
            repr(value)
            for one in (row.pointing, row.energy, row.iou, row.area)
            for value in (one.mean, one.low, one.high)
        ]
        for row in rows
    ]
    return to_csv([heads, *body])


def _csv(data: bytes, name: str, key: str, busy: bool) -> None:
    downloads.offer(name, data, key=key, ready=not busy)
