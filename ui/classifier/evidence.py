"""The network's view of one picture: its answer, the evidence for and against, and the sum that is its score."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import partial

import streamlit as st

from camcore.files import to_csv
from camcore.heatmaps.evidence import Evidence, common_scale
from camcore.models.saved import SavedNetwork
from camcore.text import minus, with_sign
from ui import controls, downloads, errors, figures, model_picker, rasters, sidebar, signed, words
from ui.classifier.work import PictureEvidence
from ui.components import schematic
from ui.figures import NO_NOTE, Figure
from ui.jobs import session
from ui.jobs.session import Status
from ui.picture_box import Chosen

SURE = {True: 0.65, False: 0.3}
"""The probability from which an answer is called sure, by whether there are just two classes."""


@dataclass(frozen=True)
class Equation:
    """Hundredths of a logit, whole numbers: supporting + opposing = mean, mean + bias = score, exactly."""

    supporting: int
    opposing: int
    mean: int
    bias: int
    score: int


def equation(one: Evidence) -> Equation:
    """The sum of one class. Rounding is taken up by the largest figures: the mean, and its supporting part."""
    score, bias, opposing = (round(100 * value) for value in (one.sum, one.bias, one.opposing))
    mean = score - bias
    return Equation(mean - opposing, opposing, mean, bias, score)


def hundredths(value: int) -> str:
    """Hundredths of a logit with their sign: +4.62, −0.48, 0.00."""
    return with_sign(value / 100)


def show(saved: SavedNetwork, chosen: Chosen, status: Status) -> None:
    """The whole section."""
    seen: PictureEvidence | None = status.value
    st.subheader(words.plain(words.together(_headline(saved, seen, status))), anchor="one-picture")
    if status.failure is not None:
        errors.panel(status.failure, "The network could not look at this picture")
    if seen is not None and seen.why_not:
        errors.notices([seen.why_not])
    with st.container(key="cam_seen", gap="xsmall"):
        opacity, smooth = _controls(status)
        _pictures(saved, chosen, seen, opacity, smooth)
        _sum(seen)
        st.markdown(_explanation(saved, seen))
        _take_away(saved, chosen, seen, opacity)


def _headline(saved: SavedNetwork, seen: PictureEvidence | None, status: Status) -> str:
    if seen is None:
        return words.unanswered(saved.name, missing=False, failed=status.failure is not None)
    top = seen.predictions[0]
    answer = f"“{words.label(top.label)}”, {words.percent(top.probability)}"
    sure = top.probability >= SURE[len(saved.labels) == 2]
    return f"{saved.name} says {answer}" if sure else f"{saved.name} is not sure: {answer}"


def _controls(status: Status) -> tuple[int, bool]:
    with st.container(key="cam_seen_look", horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        smooth = controls.smooth()
        opacity = controls.opacity("the map", width=260)
        session.progress("seen", status, stoppable=False)
    return opacity, smooth


def _pictures(saved: SavedNetwork, chosen: Chosen, seen: PictureEvidence | None, opacity: int, smooth: bool) -> None:
    """The photograph, and the evidence for two classes on one scale."""
    picture = chosen.picture
    evidence = seen.evidence if seen is not None else ()
    scale = common_scale(evidence)
    shown = [Figure("The photograph", chosen.title, rasters.photo_url(picture), f"Photograph: {chosen.title}")]
    for one in evidence[:2]:
        label = words.label(one.label)
        src = signed.overlay_url(picture.rgb, picture.sha256, one, (saved.sha256, "seen"), scale, opacity, smooth)
        share = f"total {hundredths(equation(one).score)}, {words.percent(one.probability)}"
        alt = f"Evidence for {label} on {chosen.title}: red speaks for it, blue against; {share}"
        lead = seen is not None and one.class_index == seen.predictions[0].index
        shown.append(Figure(f"Evidence for {label}", share, src, alt, lead))
    for index in range(len(shown) - 1, 2):
        label = words.label(saved.labels[index]) if len(saved.labels) == 2 else "…"
        shown.append(Figure(f"Evidence for {label}", NO_NOTE, None))
    figures.row(shown, ratio=picture.width / picture.height, columns=3)
    figures.evidence_bar(f"{scale:.2f}" if evidence else "…")


def _sum(seen: PictureEvidence | None) -> None:
    """The equation, in figures."""
    if seen is None or not seen.evidence:
        st.html('<div class="cam-sum" aria-hidden="true"></div>')
        return
    one = seen.said
    sums = equation(one)
    name = html.escape(words.label(one.label))
    binary = seen.activation == "sigmoid"
    start = "a handicap for" if sums.bias < 0 else "a head start for" if sums.bias else "neither for nor against"
    both = f"{hundredths(sums.supporting)} for, {hundredths(sums.opposing)} against"
    meaning = f"above 0 speaks for {name}" if binary else f"how much there is for {name}"
    last = "the S-curve makes it a probability" if binary else "its share among all classes’ scores"
    terms = [
        ("", hundredths(sums.mean), "average of the map", both),
        ("+", hundredths(sums.bias), "bias", f"{start} {name}, the same for every picture"),
        ("=", hundredths(sums.score), "score (logit)", meaning),
        ("→", words.percent(one.probability), f"probability of {name}", last),
    ]
    parts = []
    for sign, figure, title, note in terms:
        if sign:
            parts.append(f'<span class="cam-sum-sign">{sign}</span>')
        parts.append(f'<span class="cam-sum-part"><b>{figure}</b><span>{title}</span><small>{note}</small></span>')
    st.html(f'<div class="cam-sum" role="group" aria-label="How the score of {name} adds up">{"".join(parts)}</div>')


def _explanation(saved: SavedNetwork, seen: PictureEvidence | None) -> str:
    if len(saved.labels) > 2:
        return (
            "Each class has a map of its own, and each score is the average of its map plus its bias. The two most "
            "probable classes stand side by side, on one scale."
        )
    a, b = (words.plain(words.label(label)) for label in saved.labels)
    if seen is None or seen.activation == "sigmoid":
        text = (
            f"This network has one score for its two answers: what speaks for {a} speaks against {b}. So the second "
            "map is the first one with its signs turned, red for blue."
        )
    else:
        text = f"This network has a score for {a} and one for {b}; what counts is by how much one exceeds the other."
    return f"{text} There is no third answer: whatever a picture shows, it says {a} or {b}."


def _take_away(saved: SavedNetwork, chosen: Chosen, seen: PictureEvidence | None, opacity: int) -> None:
    """The exact figures, and everything as files."""
    evidence = seen.evidence if seen is not None else ()
    stem = words.file_stem(chosen.stem, saved.name, "evidence")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        lines = [_line(saved, one) for one in evidence]
        rgb = chosen.picture.rgb
        png = partial(signed.full_size, rgb, evidence, common_scale(evidence), opacity, lines)
        files = (
            ("png", png, "The three pictures side by side, at full size"),
            ("csv", partial(sums_csv, evidence), "The exact sum, and the maps place by place"),
        )
        downloads.offer_all(stem, files, key="save_seen", ready=bool(evidence))
        st.page_link(
            "app.py",
            label="Ask other methods about this picture",
            icon=":material/center_focus_strong:",
            query_params=sidebar.query(
                model_picker.chosen(saved.name, model_picker.AUTO).key, saved.framing, chosen.sample
            ),
        )
    with st.container(key="cam_seen_exact"), st.expander("The exact figures"):
        if seen is None or not evidence:
            return
        st.table([_exact(one) for one in evidence])
        if seen.grid is not None:
            st.caption(
                words.plain(
                    f"Layer {evidence[0].layer}, {words.grid(seen.grid)} places with {seen.channels} features each. "
                    "The logit is what the network computes in its own last layer; the difference is rounding."
                )
            )


def _exact(one: Evidence) -> dict[str, str]:
    values = {
        "mean of the map": one.sum - one.bias,
        "supporting part": one.supporting,
        "opposing part": one.opposing,
        "bias": one.bias,
        "sum": one.sum,
        "the network's own logit": one.logit,
    }
    return {
        "class": words.plain(words.label(one.label)),
        **{name: with_sign(value, 6) for name, value in values.items()},
        "difference": minus(f"{one.residual:+.1e}"),
        "probability": f"{one.probability:.6f}",
    }


def _line(saved: SavedNetwork, one: Evidence) -> str:
    sums = equation(one)
    return (
        f"{saved.name}: {words.label(one.label)} {words.percent(one.probability)}; mean of the map "
        f"{hundredths(sums.mean)} + bias {hundredths(sums.bias)} = score {hundredths(sums.score)}"
    )


def sums_csv(evidence: tuple[Evidence, ...]) -> bytes:
    """The sum of each class, then its map row by row."""
    rows: list[list[object]] = [
        ["class", "mean", "supporting", "opposing", "bias", "sum", "logit", "probability", "layer"]
    ]
    for one in evidence:
        terms = (one.sum - one.bias, one.supporting, one.opposing, one.bias, one.sum, one.logit, one.probability)
        rows.append([one.label, *(repr(float(term)) for term in terms), one.layer])
    for one in evidence:
        rows += [[], [f"map of {one.label}, in logits: a row for each row of places"]]
        rows += [[f"{value:.9g}" for value in row] for row in one.map.tolist()]
    return to_csv(rows)


_ATTENTION = " By attention each place then takes in what the others found, so what it shows may stem from elsewhere."


def lesson(saved: SavedNetwork, seen: PictureEvidence | None) -> None:
    """An explanation of the map, and the way to such a head for any network."""
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
    softmax = seen.activation != "sigmoid" if seen is not None else len(saved.labels) > 2
    texts["curve"] = "softmax" if softmax else "S-curve"
    attends = saved.architecture.get("kind") == "transformer"
    texts |= {"first": "convolutions,", "layers": "attention"} if attends else {"first": "", "layers": "convolutions"}
    made = f"{texts['first']} {texts['layers']}".strip()
    if seen is not None and seen.evidence:
        texts |= {"score": hundredths(equation(seen.said).score), "probability": words.percent(seen.said.probability)}
    alt = (
        f"From left to right: the picture, {texts['side']}, goes through {made} to {places} with {features}; one "
        f"weight for each feature makes one map of the {texts['evidence']}; its average plus a constant is the score; "
        f"{'the softmax over all scores' if softmax else 'an S-curve'} makes that a probability."
    )
    schematic(texts, key="schematic", alt=alt)
    left, right = st.columns(2, gap="large")
    inexact = seen is not None and bool(seen.why_not)
    left.markdown(
        "Convolutions look for patterns, from edges to fur and ears, and note on a coarse grid how strongly each "
        f"occurs at each place.{_ATTENTION if attends else ''} "
        f"{'Some networks end' if inexact else 'This network ends'} in the simplest way there is: each pattern’s "
        "strength is **averaged** over the grid (*global average pooling*), and **one layer** weighs the averages. "
        "Averaging and weighing can be swapped: weigh first, place by place, and a map appears whose average is the "
        "score. That map, the [class activation map](https://arxiv.org/abs/1512.04150), is then no approximation: it "
        f"is the score, spread out.{' This network does not end so.' if inexact else ''}"
    )
    with right:
        st.markdown(
            "Many networks end in fully connected layers, where places are mixed and no such sum exists. "
            "**Architecture surgery** mends that: cut those layers off, put global average pooling and one layer in "
            "their place, and train only this new head. The rest keeps what it knows, and the map is exact."
        )
        st.page_link("pages/train.py", label="Do it with pictures of your own", icon=":material/model_training:")
