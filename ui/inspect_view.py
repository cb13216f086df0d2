"""The Inspect page's main area: claims its places first, then fills them with what is known."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import streamlit as st

import camcore
from camcore.render.colour import COLORMAPS, css_gradient
from camcore.report.files import map_csv
from ui import errors, methods, rasters, words
from ui.asking import Pursuit
from ui.compare_choices import METHODS
from ui.components import ScoreRow, Tile, compare, scores, tiles
from ui.jobs import Job
from ui.model_picker import Model
from ui.picture_box import Chosen
from ui.questions import Answer, Question
from ui.urls import Parameter, whole_number

VIEWS = ("compare", "side by side")
GRIDS = ("smooth", "native")
COLUMNS = (1.62, 1.0)
LADDER_STEPS = 4


def parameters(
    samples: tuple[str, ...], models: tuple[str, ...], model: str, framings: tuple[str, ...]
) -> list[Parameter]:
    """Every choice that the page's address carries; ``model``: the one to begin with."""
    return [
        Parameter("sample", "sample photograph", samples[0], samples),
        Parameter("model", "backbone", model, models),
        Parameter("random", "random weights", "false", ("true", "false"), bound=True),
        Parameter("framing", "framing", framings[0], framings, bound=True),
        Parameter("method", "method", "gradcam", tuple(camcore.METHODS)),
        Parameter("layer", "layer", None),
        Parameter("class", "class", None, parse=whole_number(-(10**9))),
        Parameter("opacity", "opacity", 50, parse=whole_number(0, 100), bound=True),
        Parameter("colormap", "colour map", COLORMAPS[0], COLORMAPS, bound=True),
        Parameter("grid", "grid view", GRIDS[0], GRIDS, bound=True),
        Parameter("view", "view", VIEWS[0], VIEWS, bound=True),
    ]


@dataclass(frozen=True)
class Places:
    """The page's parts, in reading order, each with its space kept.

    While a script waits for a worker, Streamlit leaves what the last run drew and this one did not. So a part
    that may be absent has a container of its own, which every run gives exactly one element, if only an empty
    one; and it gives it only once, or what stands there would blink.
    """

    fetch: Any
    notes: Any
    retry: Any
    head: Any
    chips: Any
    progress: Any
    button: Any
    picture: Any
    controls: Any
    ladder: Any
    trust: Any
    scores: Any
    choices: Any
    colours: Any
    export: Any
    compare: Any
    caption: Any
    warning: Any
    more: Any


class StatusPlaces(Protocol):
    """The parts of a page that say what is under way and what went wrong."""

    @property
    def notes(self) -> Any: ...
    @property
    def retry(self) -> Any: ...
    @property
    def progress(self) -> Any: ...
    @property
    def button(self) -> Any: ...


def claim() -> Places:
    """Lay out the page before anything slow happens."""
    notes = st.container(key="cam_notes", gap=None)
    head = st.container(key="cam_head")
    row = st.container(key="cam_row", horizontal=True, vertical_alignment="center", gap="small", wrap=False)
    chips = row.container(key="cam_chips", width="content")
    status = row.container(key="cam_status", horizontal=True, vertical_alignment="center", wrap=False)
    left, right = st.columns(COLUMNS, gap="medium")
    picture = left.container(key="cam_picture", gap="xsmall")
    controls = left.container(key="cam_controls")
    ladder = left.container(key="cam_ladder", gap="xsmall")
    foot = left.container(key="cam_caption", gap="xsmall")
    trust = left.container(key="cam_trust", gap="xsmall")
    return Places(
        fetch=notes.container(),
        notes=notes.container(),
        retry=notes.container(),
        head=head,
        chips=chips,
        progress=status.container(key="cam_progress"),
        button=status.container(key="cam_button", width="content"),
        picture=picture,
        controls=controls,
        ladder=ladder,
        trust=trust,
        scores=right.container(key="cam_scores", gap="xsmall"),
        choices=right.container(key="cam_choices", gap="small"),
        colours=right.container(key="cam_colours"),
        export=right.container(key="cam_export", horizontal=True, gap="small", wrap=False),
        compare=right.container(key="cam_to_compare"),
        caption=foot.container(),
        warning=foot.container(),
        more=right.container(key="cam_more"),
    )


def look(controls: Any, colours: Any) -> tuple[rasters.Look, str]:
    """The controls that change the view only, beside the picture; how to draw, and which view."""

    def segments(label: str, options: tuple[str, ...], key: str) -> str:
        chosen = st.segmented_control(
            label,
            options,
            default=options[0],
            required=True,
            key=key,
            bind="query-params",
            label_visibility="collapsed",
        )
        return chosen or options[0]

    with controls.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        view = segments("View", VIEWS, "view")
        grid = segments("Grid", GRIDS, "grid")
        opacity = st.slider(
            "Opacity of the map",
            0,
            100,
            50,
            5,
            key="opacity",
            bind="query-params",
            format="opacity %d %%",
            label_visibility="collapsed",
        )
    colormap = colours.selectbox("Colour map", COLORMAPS, key="colormap", bind="query-params")
    return rasters.Look(opacity, colormap, grid == GRIDS[0]), view


def head(place: Any, answer: Answer, name: str, missing: bool, failed: bool) -> None:
    """What the network says, in one sentence; ``missing``: it is waiting for its weights."""
    if answer.predictions:
        place.header(words.headline(answer.network, answer.predictions), anchor=False)
    else:
        state = "could not answer" if failed else "is about to look at this picture"
        state = "needs its weights first" if missing else state
        place.header(f"{name} {state}", anchor=False)


def chips(place: Any, answer: Answer, on_pick: Callable[[int | None], None]) -> None:
    """The first choices as chips; the filled one is explained."""
    texts = {p.index: f"{words.plain(words.label(p.label))} {words.percent(p.probability)}" for p in answer.predictions}
    chosen = _explained(answer)
    st.session_state["chips"] = chosen if chosen in texts else None
    place.pills(
        "Explain the class",
        list(texts),
        key="chips",
        format_func=texts.__getitem__,
        label_visibility="collapsed",
        wrap=False,
        on_change=lambda: _pick(answer, st.session_state["chips"], on_pick),
    )


def photograph(
    place: Any,
    chosen: Chosen,
    answer: Answer,
    look: rasters.Look,
    view: str,
    busy: bool,
    on_pick: Callable[[str], None] | None,
) -> None:
    """The photograph and its overlay; ``on_pick`` gets a place that was pressed, see ``components.compare``."""
    picture, found = chosen.picture, answer.map
    overlay = grid = None
    described, tag = "", "Where it looks"
    if found is not None:
        if camcore.METHODS[found.method].class_specific:
            tag = f"Where it looks for {words.label(found.label)}"
        if found.method != st.session_state["method"]:  # until a slow method has run
            tag += f" · still {_title(found)}"
        overlay = rasters.overlay_url(picture, found, _identity(answer, found), look)
        grid = rasters.hover(found)
        described = f"Heatmap of {_title(found)} for {words.label(found.label)} on {chosen.title}"
    with place:
        compare(
            key="compare",
            original=rasters.photo_url(picture),
            overlay=overlay,
            grid=grid,
            view=view,
            size=(picture.height, picture.width),
            alt=(f"Photograph: {chosen.title}", described),
            gradient=css_gradient(look.colormap),
            maximum="maximum",
            busy=busy,
            tag=tag,
            on_pick=on_pick,
        )


def bars(place: Any, answer: Answer, on_pick: Callable[[int | None], None]) -> None:
    """The first five scores; the class that is explained is the pressed one."""
    chosen = _explained(answer)
    rows: list[ScoreRow] = [
        {
            "id": p.index,
            "label": words.label(p.label),
            "share": p.probability,
            "text": words.percent(p.probability),
            "selected": p.index == chosen,
        }
        for p in answer.predictions
    ]
    with place:
        scores(rows, key="scores", on_pick=lambda index: _pick(answer, index, on_pick))


def choices(
    place: Any,
    network: Any,
    answer: Answer,
    question: Question,
    on_class: Callable[[int | None], None],
    on_layer: Callable[[str | None], None],
) -> None:
    """Class, method and layer by name."""
    state = st.session_state
    with place:
        labels = words.distinct(network.labels) if network is not None else ()
        state["class_box"] = _explained(answer) if question.class_index is None else question.class_index
        st.selectbox(
            "Another class",
            range(len(labels)),
            key="class_box",
            index=None,
            filter_mode="contains",
            format_func=labels.__getitem__,
            placeholder="Once the network is loaded",
            disabled=network is None,
            on_change=lambda: _pick(answer, state["class_box"], on_class),
        )
        method = st.selectbox(
            "Method",
            methods.keys(),
            key="method",
            persist_state="session",
            format_func=methods.title,
        )
        info = camcore.METHODS[method]
        with st.container(key="cam_method_about", gap=None):
            st.caption(f"{words.plain(info.summary)} [{words.plain(words.citation(info.paper))}]({info.url})")
        names = {i.path: _layer_name(i) for i in network.layers if i.usable} if network is not None else {}
        free = methods.layer_free(info)
        state["layer_box"] = None if free else _layer(network, question.layer)
        st.selectbox(
            "Layer",
            list(names),
            key="layer_box",
            index=None,
            filter_mode="contains",
            format_func=lambda path: names.get(path, path),
            placeholder="None: it looks at the input itself" if free else "Once the network is loaded",
            disabled=network is None or free,
            on_change=lambda: _pick_layer(network, state["layer_box"], on_layer),
        )


def ladder(
    place: Any, chosen: Chosen, answer: Answer, look: rasters.Look, on_pick: Callable[[str | None], None]
) -> None:
    """The same class at each depth."""
    picture = chosen.picture
    items: list[Tile] = [
        {
            "id": m.layer,
            "title": words.grid(m.raw.shape),
            "note": "★ recommended" if m.layer == answer.network.default_layer else "",
            "src": rasters.overlay_url(picture, m, _identity(answer, m), look, rasters.TILE_SIDE),
            "alt": f"Map at {m.layer}",
            "selected": answer.map is not None and m.layer == answer.map.layer,
        }
        for m in answer.ladder
    ]
    if not items:
        items = [{"id": str(n), "title": "\u00a0", "src": None} for n in range(LADDER_STEPS)]
    by = _title(answer.ladder[0]) if answer.ladder else "Grad-CAM"
    with place:
        st.caption(f"The same class at each depth, shallow to deep, by {by}")
        tiles(
            items,
            key="ladder",
            label="Layers by depth; press one to look at it",
            columns=LADDER_STEPS,
            ratio=min(max(picture.width / picture.height, 0.75), 1.8),
            on_pick=lambda path: _pick_layer(answer.network, path, on_pick),
        )


def caption(places: Places, answer: Answer) -> None:
    """What the map is, in one line, and what to beware of."""
    if answer.map is None:
        places.caption.empty()
        places.warning.empty()
        return
    places.caption.caption(words.plain(words.caption(answer, _title(answer.map))))
    with places.warning:
        errors.notices([answer.map.warning] if answer.map.warning else [])


def compare_link(place: Any, chosen: Chosen, model: Model) -> None:
    """The way to the Compare page, with this picture, network, class, layer and method."""
    state = st.session_state
    compared = state["method"], *(key for key in METHODS if key != state["method"])
    query = {
        "model": model.key.name,
        "random": "true" if model.key.weights == "random" else None,
        "framing": model.framing,
        "layer": state["layer"],
        "class": None if state["class"] is None else str(state["class"]),
        "methods": ",".join(compared[: len(METHODS)]),
        "sample": chosen.sample,
    }
    place.page_link(
        "pages/compare.py",
        label="Compare with other methods",
        icon=":material/view_module:",
        query_params={name: value for name, value in query.items() if value is not None},
    )


def downloads(place: Any, chosen: Chosen, answer: Answer, look: rasters.Look) -> None:
    """The overlay as PNG and the raw map as CSV, made when they are asked for."""
    picture, m = chosen.picture, answer.map
    lines: list[str] = []
    stem = "map"
    if m is not None:
        lines = [f"{answer.network.name}, {answer.network.weights_note}", words.caption(answer, _title(m))]
        stem = words.file_stem(
            chosen.title.rsplit(".", 1)[0], answer.network.name, m.method, m.layer or "input", m.label
        )
    with place:
        for kind, mime, make, about in (
            ("PNG", "image/png", lambda: rasters.full_size(picture, m, look, lines), "The overlay at full size"),
            ("CSV", "text/csv", lambda: map_csv(m, lines), "The raw map on the layer's own grid"),
        ):
            st.download_button(
                kind,
                make if m is not None else b"",
                f"{stem}.{kind.lower()}",
                mime,
                key=f"save_{kind}",
                on_click="ignore",
                disabled=m is None,
                width="stretch",
                icon=":material/download:",
                help=about,
            )


def more(place: Any, network: Any) -> None:
    """Which layer is recommended and why, and why others cannot be chosen."""
    if network is None:
        place.empty()
        return
    default = network.layer(network.default_layer)
    out = [info for info in network.layers if not info.usable]
    text = (
        f"{words.plain(network.name)}, {words.plain(network.weights_note)}, {network.parameters:,} parameters. "
        f"Recommended layer: **{words.plain(default.path)}**, {words.plain(default.reason)}."
    )
    if out:
        text += f"\n\n{len(out)} layers cannot be chosen:\n"
        text += "".join(f"\n- **{words.plain(info.path)}**: {words.plain(info.reason)}" for info in out)
    place.expander("About this network and its layers").markdown(text)


def status(
    places: StatusPlaces, pursuit: Pursuit, fetching: bool, on_run: Callable[[], None], on_stop: Callable[[], None]
) -> Any:
    """What is under way, what a slow method would take, or what was stopped; returns the progress bar."""
    asked = pursuit.asked
    title = camcore.METHODS[asked.question.method].title
    if pursuit.busy and pursuit.job is not None:
        if asked.question.expressly or fetching:
            places.button.button("Stop", key="act", on_click=on_stop)
        else:
            places.button.empty()
        return places.progress.progress(**_progress(pursuit.job))
    if pursuit.halted:
        places.progress.caption(f"{title} was stopped at {asked.done:.0%}.")
        places.button.button("Run again", key="act", on_click=on_run)
    elif asked.cost is not None:
        places.progress.caption(words.price(asked.cost))
        places.button.button(f"Run {title}", type="primary", key="act", on_click=on_run)
    else:
        places.progress.empty()
        places.button.empty()
    return None


def progress(bar: Any, job: Job) -> None:
    """Move the progress bar to where the job is now."""
    bar.progress(**_progress(job))


def _progress(job: Job) -> dict[str, Any]:
    share, remaining = job.stage.progress()
    left = f", {words.duration(remaining)} left" if remaining is not None and remaining >= 1 else ""
    return {"value": min(max(share, 0.0), 1.0), "text": f"{words.plain(job.stage.title)}{left}"}


def notes(places: StatusPlaces, pursuit: Pursuit, notices: Iterable[str], on_retry: Callable[[], None]) -> None:
    """What went wrong and which choices could not be followed."""
    if pursuit.failure is not None:
        places.retry.button("Try again", key="retry", on_click=on_retry)
    else:
        places.retry.empty()
    with places.notes:
        errors.notices(notices, pursuit.failure)


def _pick(answer: Answer, index: int | None, on_pick: Callable[[int | None], None]) -> None:
    """The network's own first choice is the default: it stays the first choice when the picture changes."""
    first = answer.predictions[0].index if answer.predictions else None
    on_pick(None if index == first else index)


def _pick_layer(network: Any, path: str | None, on_pick: Callable[[str | None], None]) -> None:
    on_pick(None if network is not None and path == network.default_layer else path)


def _explained(answer: Answer) -> int | None:
    return answer.map.class_index if answer.map is not None else None


def _layer(network: Any, name: str | None) -> str | None:
    """The chosen layer's path in this network; None where it has no such layer that could be chosen."""
    if network is None:
        return None
    try:
        info = network.layer(name or network.default_layer)
    except camcore.LayerError:
        return None
    return str(info.path) if info.usable else None


def _title(m: Any) -> str:
    return str(camcore.METHODS[m.method].title)


def _layer_name(info: Any) -> str:
    star = "★ " if info.recommended else ""
    return f"{star}{info.path} · {words.grid(info.grid)} · {info.channels} channels"


def _identity(answer: Answer, m: Any) -> tuple[Any, ...]:
    """Tells this map from all others, also from its own partial states."""
    done = answer.done if m is answer.map else 1.0
    return (
        answer.question.network,
        answer.question.picture,
        m.frame.framing,
        m.method,
        m.layer,
        m.class_index,
        done,
    )
