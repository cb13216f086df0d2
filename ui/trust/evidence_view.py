"""The whole evidence on a map: curves, published figures, the cascade of random weights; in full when asked for."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import streamlit as st
from numpy.typing import NDArray

import camcore
from camcore.render import bands
from camcore.report.trust import trust_csv, trust_record
from camcore.text import with_sign
from ui import downloads, errors, figures, rasters, words
from ui.figures import CHART, Figure
from ui.jobs import session
from ui.jobs.runner import runner
from ui.jobs.session import Status
from ui.map_request import MapStatus
from ui.picture_box import Chosen
from ui.query import map_identity
from ui.trust import evidence
from ui.trust import words as trust_words

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from camcore.heatmaps.cam_map import CamMap
    from camcore.metrics.faithfulness.measure import Faithfulness
    from camcore.metrics.faithfulness.sufficiency import Sufficiency
    from camcore.metrics.sanity import Randomised
    from camcore.pictures.picture import Picture
    from camcore.verdict.gather import Trust

SECTION = "trust_full"

Values: TypeAlias = Sequence[float] | NDArray[np.float64]


def show(request: MapStatus, chosen: Chosen, quick: Trust | None) -> None:
    """The whole section; ``quick``: the short form, None until it is whole."""
    st.subheader("How does the score change as its pixels are hidden and shown?", anchor="evidence")
    network, net = request.asked.query.network, request.asked.network
    if quick is None or net is None:
        st.caption("Available once the verdict is there.")
        session.section(SECTION, None)
        return
    identity = map_identity(network, chosen.picture.sha256, quick.map)
    work = evidence.work(network, chosen.picture, quick.map, "full")
    wanted = session.pressed(SECTION) == identity or runner().known(work) is not None
    if not wanted:
        with st.container(key="cam_full", horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                "Gather all the evidence",
                key="full",
                type="primary",
                on_click=session.press,
                args=(SECTION, identity),
            )
            price = words.price(evidence.price(network, net, quick.map, "full"))
            st.caption(
                f"{price}: finer curves, the figures that papers give, and the map as the network forgets what it "
                "learned, layer after layer."
            )
    session.section(SECTION, work if wanted else None, lambda now: _section(now, quick, chosen, identity), patience=0.0)


def _section(status: Status[Trust], quick: Trust, chosen: Chosen, identity: Hashable) -> None:
    with errors.guarded("The evidence"):
        if status.failure is not None:
            errors.panel(status.failure, "The evidence could not be gathered")
        if status.job is not None or status.busy:
            session.progress(SECTION, status)
        full = status.value
        found = full if full is not None and len(full.chance) == len(quick.chance) else quick
        _degrees(found)
        if full is not None and full.more:
            _published(full)
        if full is not None and full.stages:
            _cascade(full, chosen, identity)
        _take_away(status.result if status.complete else quick, chosen)


def _degrees(found: Trust) -> None:
    """The map's top hidden, and shown alone, at several sizes."""
    first, *controls = found.chance
    row = st.columns(2, gap="medium")
    for place, key, title in (
        (row[0], "hidden", "Its top hidden: a good map falls early"),
        (row[1], "shown", "Only its top shown: a good map rises early"),
    ):
        shares, scores = _with_end(first, key)
        _against_chance(
            place, found, f"chart_{key}", title, shares, scores, [_with_end(one, key)[1] for one in controls]
        )
    with st.expander("How this is computed"):
        st.markdown(
            "Pixels are taken in the order of the map, the most relevant first. On the left the given share of them "
            "takes the picture’s mean colour; on the right all the others do. The score is that of the class that the "
            "map is about. The grey band spans the random maps, the dashes are the blob in the middle. Both curves "
            "together decide: an empty picture leans to some class by itself, so each alone can flatter a map."
        )


def _with_end(one: Sufficiency, key: str) -> tuple[list[float], list[float]]:
    """Shares and scores with the end that is the picture itself."""
    values = [float(value) for value in getattr(one, key)]
    if key == "hidden":
        return [0.0, *one.shares], [one.score, *values]
    return [*one.shares, 1.0], [*values, one.score]


def _published(found: Trust) -> None:
    """Deletion and insertion as published, and the other figures, each beside the controls'."""
    st.subheader("Figures as published", anchor="published")
    first, *controls = found.more
    title = camcore.METHODS[found.map.method].title
    row = st.columns(2, gap="medium")
    for place, key, name in ((row[0], "deletion", "Deletion"), (row[1], "insertion", "Insertion")):
        if getattr(first, key) is not None:
            shares, scores = _curve(first, key)
            good = "low" if key == "deletion" else "high"
            chart = f"{name}: area {getattr(first, key).auc:.3f}, {good} is good"
            _against_chance(
                place, found, f"chart_{key}", chart, shares, scores, [_curve(one, key)[1] for one in controls]
            )
    row = st.columns(2, gap="medium")
    for place, key, name in ((row[0], "morf", "most relevant"), (row[1], "lerf", "least relevant")):
        if first.road is not None:
            shares, scores = _road(first, key)
            chart = f"ROAD, {name} first: {'low' if key == 'morf' else 'high'} is good"
            _against_chance(
                place, found, f"chart_{key}", chart, shares, scores, [_road(one, key)[1] for one in controls]
            )
    rows = trust_words.published_rows(found)
    st.html(trust_words.table(rows, title))
    with st.expander("How this is computed"):
        steps = first.deletion.steps if first.deletion is not None else 0
        st.markdown(
            "".join(f"\n- **{row.name}.** {row.how}" for row in rows)
            + f"\n\nThe curves have {steps} steps; the published ones 224. The random maps are {len(controls) - 1} "
            "fields of noise. Figures of one picture; papers give their means over many."
        )


def _curve(one: Faithfulness, key: str) -> tuple[Values, Values]:
    """Shares and scores of a published curve."""
    curve = getattr(one, key)
    return curve.shares, curve.scores


def _road(one: Faithfulness, key: str) -> tuple[list[float], list[float]]:
    """Shares and scores of ROAD, from the picture itself on."""
    assert one.road is not None
    return [0.0, *one.road.levels], [one.score, *map(float, getattr(one.road, key))]


def _against_chance(
    place: DeltaGenerator,
    found: Trust,
    key: str,
    title: str,
    shares: Values,
    scores: Values,
    controls: Sequence[Values],
) -> None:
    """A chart of the map's scores; ``controls``: the blob's, then the random maps', as far as they are there."""
    figure = bands.against_chance(
        shares,
        scores,
        controls[0] if controls else None,
        controls[1:],
        title=title,
        axes=("share of what the network sees", _score(found)),
        name=camcore.METHODS[found.map.method].title,
        probabilities=_has_probabilities(found),
    )
    steps = max(1, len(shares) // 8)
    points = list(zip(shares, scores, strict=True))[::steps]
    alt = f"{title}. Score at each share: {', '.join(f'{share:.0%}: {score:.3g}' for share, score in points)}"
    place.plotly_chart(figure, key=key, height=bands.HEIGHT, config=CHART, alt=alt)


def _cascade(found: Trust, chosen: Chosen, identity: Hashable) -> None:
    """The map again and again, with more and more of the network's layers drawn at random."""
    st.subheader("Does it depend on what the network has learned?", anchor="cascade")
    st.markdown(
        "From the output downwards, more and more layers get random weights. A map that stays as it is explains the "
        "picture, not the network."
    )
    picture = chosen.picture
    look = rasters.MapLook()
    shown = [Figure("As learned", "rank correlation 1", _overlay(picture, found.map, None, identity, look), "The map")]
    for one in found.stages:
        likeness = f"Spearman {with_sign(one.spearman)}"
        likeness += "" if one.ssim is None else f", SSIM {with_sign(one.ssim)}"
        title = f"{one.layers} of {one.total} random"
        shown.append(
            Figure(title, likeness, _overlay(picture, found.map, one, identity, look), f"Map with {title}: {likeness}")
        )
    figures.row(shown, ratio=picture.width / picture.height, columns=5, tallest=24)
    with st.expander("How this is computed"):
        st.markdown(
            "Kernels are drawn uniformly with variance 1/fan-in, biases are 0, scales 1 (cascading randomisation, "
            "Adebayo 2018, section 4); the network itself keeps its weights. Spearman’s rank correlation and SSIM "
            "compare the two maps on the network’s input. The last layers counted, going down: "
            + words.plain(", ".join(one.layer for one in found.stages))
            + "."
        )


def _overlay(picture: Picture, m: CamMap, stage: Randomised | None, identity: Hashable, look: rasters.MapLook) -> str:
    drawn = m if stage is None else replace(m, values=stage.values)
    key = (identity, "cascade", None if stage is None else stage.layers)
    return rasters.overlay_url(picture, drawn, key, look, rasters.TILE_SIDE * 2)


def _take_away(found: Trust, chosen: Chosen) -> None:
    m = found.map
    stem = words.file_stem(chosen.stem, m.network, m.method, m.label, "trust", found.form)
    with st.container(horizontal=True, gap="small"):
        downloads.offer(
            f"{stem}.csv",
            lambda: trust_csv(found),
            "Every figure in a row of its own, with the controls’",
            key="save_trust_csv",
        )
        downloads.offer(
            f"{stem}.json",
            lambda: json.dumps(trust_record(found), indent=2, ensure_ascii=False).encode("utf-8"),
            "The verdict, its reasons and every figure",
            key="save_trust_json",
        )


def _has_probabilities(found: Trust) -> bool:
    return bool(found.map.probability == found.map.probability)


def _score(found: Trust) -> str:
    return f"probability of {words.label(found.map.label)}" if _has_probabilities(found) else "score"
