"""What the network sees in one picture: what it says, the evidence for and against, the sum that is its score."""

import html
from typing import Any

import streamlit as st
from camcore.files import to_csv

from camcore.heatmaps.evidence import Evidence, common_scale
from camcore.models.saved import SavedNetwork
from ui import controls, downloads, errors, figures, rasters, signed, words
from ui.classifier.equation import equation, number
from ui.classifier.equation import signed as hundredths
from ui.classifier.work import PictureEvidence
from ui.components import schematic
from ui.figures import Figure
from ui.jobs import session
from ui.jobs.session import Status
from ui.picture_box import Chosen


def show(saved: SavedNetwork, chosen: Chosen, standing: Status) -> None:
    """The whole section."""
    seen: PictureEvidence | None = standing.value
    with st.container(key="cam_head"):
        st.header(_headline(saved, seen, standing), anchor=False)
    if standing.failure is not None:
        errors.panel(standing.failure, "The network could not look at this picture")
    if seen is not None and seen.why_not:
        errors.notices([seen.why_not])
    with st.container(key="cam_seen", gap="xsmall"):
        opacity, smooth = _look(standing)
        _pictures(saved, chosen, seen, opacity, smooth)
        _sum(saved, seen)
        _words(saved, seen)
        _take_away(saved, chosen, seen, opacity)


def _headline(saved: SavedNetwork, seen: PictureEvidence | None, standing: Status) -> str:
    if seen is None:
        return words.unanswered(saved.name, missing=False, failed=standing.failure is not None)
    first = seen.predictions[0]
    said = f"“{words.label(first.label)}”, {words.percent(first.probability)}"
    sure = first.probability >= (0.65 if len(saved.labels) == 2 else 0.3)
    return f"{saved.name} says {said}" if sure else f"{saved.name} is not sure: {said}"


def _look(standing: Status) -> tuple[int, bool]:
    with st.container(key="cam_seen_look", horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        smooth = controls.smooth()
        opacity = controls.opacity("the map", width=260)
        session.progress("seen", standing, stoppable=False)
    return opacity, smooth


def _pictures(saved: SavedNetwork, chosen: Chosen, seen: PictureEvidence | None, opacity: int, smooth: bool) -> None:
    """The photograph, and the evidence for two classes on one scale."""
    picture = chosen.picture
    photo = Figure("The photograph", chosen.title, rasters.photo_url(picture), f"Photograph: {chosen.title}")
    found = seen.evidence if seen is not None else ()
    scale = common_scale(found)
    maps = []
    for place in range(2):
        if place >= len(found):
            label = words.label(saved.labels[place]) if len(saved.labels) == 2 else "…"
            maps.append(Figure(f"Evidence for {label}", "\N{NO-BREAK SPACE}", None))
            continue
        one = found[place]
        said = seen is not None and one.class_index == seen.predictions[0].index
        src = signed.overlay_url(picture.rgb, picture.sha256, one, (saved.sha256, "seen"), scale, opacity, smooth)
        share = f"in all {hundredths(equation(one).score)}, {words.percent(one.probability)}"
        alt = f"Evidence for {words.label(one.label)} on {chosen.title}: red speaks for it, blue against; {share}"
        maps.append(Figure(f"Evidence for {words.label(one.label)}", share, src, alt, said))
    figures.row([photo, *maps], ratio=picture.width / picture.height, columns=3)
    end = f"{scale:.2f}" if found else "…"
    figures.colour_bar(f"\N{MINUS SIGN}{end} against", f"+{end} for")


def _sum(saved: SavedNetwork, seen: PictureEvidence | None) -> None:
    """The equation, in figures."""
    if seen is None or not seen.evidence:
        st.html('<div class="cam-sum" aria-hidden="true"></div>')
        return
    one = seen.said
    sums = equation(one)
    name = html.escape(words.label(one.label))
    last = (
        "the S-curve makes it a probability" if seen.activation == "sigmoid" else "its share among all classes’ scores"
    )
    start = "a handicap for" if sums.bias < 0 else "a head start for"
    steps = [
        (
            "",
            hundredths(sums.mean),
            "average of the map",
            f"{hundredths(sums.supporting)} for, {hundredths(sums.opposing)} against",
        ),
        ("+", hundredths(sums.bias), "bias", f"{start} {name}, the same for every picture"),
        (
            "=",
            hundredths(sums.score),
            "score (logit)",
            f"above 0 speaks for {name}" if seen.activation == "sigmoid" else f"how much there is for {name}",
        ),
        ("→", words.percent(one.probability), f"probability of {name}", last),
    ]
    parts = []
    for sign, figure, title, note in steps:
        if sign:
            parts.append(f'<span class="cam-sum-sign">{sign}</span>')
        parts.append(f'<span class="cam-sum-part"><b>{figure}</b><span>{title}</span><small>{note}</small></span>')
    st.html(f'<div class="cam-sum" role="group" aria-label="How the score of {name} adds up">{"".join(parts)}</div>')


def _words(saved: SavedNetwork, seen: PictureEvidence | None) -> None:
    a, b = (words.plain(words.label(label)) for label in saved.labels[:2])
    if len(saved.labels) > 2:
        text = (
            "Each class has a map of its own, and each score is the average of its map plus its bias. The two most "
            "probable classes stand side by side, on one scale."
        )
    elif seen is None or seen.activation == "sigmoid":
        text = (
            f"This network has one score for its two answers: what speaks for {a} speaks against {b}. So the second "
            "map is the first one with its signs turned, red for blue."
        )
    else:
        text = f"This network has a score for {a} and one for {b}; what counts is by how much one exceeds the other."
    text += (
        f" It knows no third answer: whatever a picture shows, it says {a} or {b}." if len(saved.labels) == 2 else ""
    )
    st.markdown(text)


def _take_away(saved: SavedNetwork, chosen: Chosen, seen: PictureEvidence | None, opacity: int) -> None:
    """The exact figures, and everything as files."""
    found = seen.evidence if seen is not None else ()
    stem = words.file_stem(chosen.stem, saved.name, "evidence")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        lines = [_line(saved, one) for one in found]
        rgb = chosen.picture.rgb
        downloads.offer(
            f"{stem}.png",
            lambda: signed.full_size(rgb, found, common_scale(found), opacity, lines),
            "The three pictures side by side, at full size",
            key="save_seen_png",
            ready=bool(found),
        )
        downloads.offer(
            f"{stem}.csv",
            lambda: sums_csv(found),
            "The exact sum, and the maps place by place",
            key="save_seen_csv",
            ready=bool(found),
        )
        st.page_link(
            "app.py",
            label="Ask other methods about this picture",
            icon=":material/center_focus_strong:",
            query_params={"model": saved.name},
        )
    with st.container(key="cam_seen_exact"), st.expander("The exact figures"):
        if found:
            st.table(
                {
                    "class": [words.label(one.label) for one in found],
                    "mean of the map": [number(one.sum - one.bias) for one in found],
                    "of it for": [number(one.supporting) for one in found],
                    "of it against": [number(one.opposing) for one in found],
                    "bias": [number(one.bias) for one in found],
                    "sum": [number(one.sum) for one in found],
                    "the network's own logit": [number(one.logit) for one in found],
                    "difference": [f"{one.residual:+.1e}" for one in found],
                    "probability": [f"{one.probability:.6f}" for one in found],
                }
            )
        if seen is not None and seen.grid is not None and found:
            st.caption(
                words.plain(
                    f"Layer {found[0].layer}, {words.grid(seen.grid)} places with {seen.channels} features each. "
                    "The logit is what the network computes in its own last layer; the difference is rounding."
                )
            )


def _line(saved: SavedNetwork, one: Evidence) -> str:
    sums = equation(one)
    return (
        f"{saved.name}: {words.label(one.label)} {words.percent(one.probability)}; mean of the map "
        f"{hundredths(sums.mean)} + bias {hundredths(sums.bias)} = score {hundredths(sums.score)}"
    )


def sums_csv(found: tuple[Evidence, ...]) -> bytes:
    """The sum of each class, then its map row by row."""
    rows: list[list[object]] = [
        ["class", "mean", "supporting", "opposing", "bias", "sum", "logit", "probability", "layer"]
    ]
    for one in found:
        figures_of: list[Any] = [one.sum - one.bias, one.supporting, one.opposing, one.bias, one.sum, one.logit]
        rows.append([one.label, *(repr(float(v)) for v in figures_of), repr(float(one.probability)), one.layer])
    for one in found:
        rows += [[], [f"map of {one.label}, in logits: a row for each row of places"]]
        rows += [[f"{v:.9g}" for v in row] for row in one.map.tolist()]
    return to_csv(rows)


def lesson(saved: SavedNetwork, seen: PictureEvidence | None) -> None:
    """How the map comes about, and how any network gets such a head."""
    st.subheader("How the map comes about", anchor="how")
    name = words.label(saved.labels[seen.predictions[0].index if seen is not None else 0])
    places = f"{words.grid(seen.grid)} places" if seen is not None and seen.grid else "a grid of places"
    features = f"{seen.channels} features each" if seen is not None and seen.channels else "many features each"
    texts = {
        "side": f"{saved.input_size[1]}×{saved.input_size[0]} pixels",
        "grid": places,
        "features": features,
        "evidence": f"evidence for {name}",
    }
    if seen is not None and seen.evidence:
        texts |= {"score": hundredths(equation(seen.said).score), "probability": words.percent(seen.said.probability)}
    alt = (
        f"From left to right: the picture, {texts['side']}, goes through convolutions to {places} with {features}; one "
        f"weight for each feature makes one map of the {texts['evidence']}; its average plus a constant is the score; "
        "an S-curve makes that a probability."
    )
    schematic(texts, key="schematic", alt=alt)
    left, right = st.columns(2, gap="large")
    left.markdown(
        "Convolutions look for patterns, from edges to fur and ears, and note on a coarse grid how strongly each "
        "occurs at each place. This network ends in the simplest way there is: each pattern’s strength is **averaged** "
        "over the grid (*global average pooling*), and **one layer** weighs the averages. Averaging and weighing can "
        "be swapped: weigh first, place by place, and a map appears whose average is the score. That map is the "
        "[class activation map](https://arxiv.org/abs/1512.04150). Here it is no approximation: it is the score, "
        "spread out."
    )
    with right:
        st.markdown(
            "Many networks end in fully connected layers, where places are mixed and no such sum exists. "
            "**Architecture surgery** mends that: cut those layers off, put global average pooling and one layer in "
            "their place, and train only this new head. The rest keeps what it knows, and the map is exact."
        )
        st.page_link("pages/train.py", label="Do it with pictures of your own", icon=":material/model_training:")
