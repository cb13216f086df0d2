"""The terms of the field that the pages use, each in a sentence or two."""

from __future__ import annotations

import re

import streamlit as st

TERMS: dict[str, tuple[tuple[str, str], ...]] = {
    "What the network says": (
        ("Class", "One of the answers that the network can give, such as “tabby”."),
        ("Probability", "How sure the network says it is of a class, 0 to 100 %. It can be sure and wrong."),
        (
            "Logit, score",
            "The number for a class from which its probability is computed. Maps explain the score, because the "
            "probability hardly moves once it is near 0 or 100 %.",
        ),
        ("Backbone", "A network with its architecture and weights, such as MobileNetV2."),
        (
            "Framing",
            "How a photograph is brought to the network’s input size: its middle cropped, the whole stretched, or the "
            "whole with a border. What the network did not see is dimmed.",
        ),
        (
            "Preprocessing",
            "How pixel values are scaled before the network, for instance to −1..1. With another one than in training "
            "the answers are worth nothing.",
        ),
    ),
    "Where it looks": (
        (
            "Heatmap, map",
            "For one picture and one class: how much each place counts, as a method computes it. Methods differ, so "
            "do their maps.",
        ),
        (
            "CAM, class activation map",
            "The split of a class’s score over the places of a layer. It is exact where the network ends in a global "
            "average and one linear layer; Grad-CAM and its relatives extend it to other networks.",
        ),
        (
            "Layer, grid, cell",
            "A layer describes the picture on a coarse grid, such as 7×7. One cell of it stands for a square of the "
            "picture; the map cannot be finer than that.",
        ),
        (
            "Receptive field",
            "The part of the input that can influence one cell. In deep layers it is often the whole picture, so a "
            "cell may have seen more than the place where it lies.",
        ),
        ("Channel, feature", "One of the patterns that a layer looks for everywhere, such as fur, or an edge."),
        ("Evidence", "What speaks for a class, and against it: channels or places, weighed by what they add."),
        (
            "Opacity by value",
            "The map’s colour covers the photograph the more, the larger its value. With *uniform* it covers "
            "everything equally, and small values show, too.",
        ),
    ),
    "Whether to believe it": (
        (
            "Control",
            "A map that knows nothing of the network or the picture: a blob in the middle, or random noise. A map "
            "that does no better says nothing.",
        ),
        ("Beats chance", "Hiding what the map marks changes the score more than hiding what random maps mark."),
        (
            "Deletion, insertion",
            "The score as the most relevant pixels disappear, or appear first, one step after the other.",
        ),
        (
            "Random weights",
            "The same network with its weights replaced by random ones. A map that stays the same without what was "
            "learned shows the picture, not the network.",
        ),
        (
            "Rank correlation",
            "How alike two maps order the places: 1 is the same order, 0 none of it, −1 the opposite.",
        ),
        (
            "95 % interval",
            "The range in which the true figure lies, in 95 of 100 such samples. Few pictures make it wide.",
        ),
    ),
    "Many pictures": (
        ("Audit", "Answers, maps and evidence of a whole folder of pictures: how good the network is, and why."),
        ("Group", "Pictures of one predicted class whose answers rest on the same features."),
        (
            "Shortcut",
            "A feature that goes with a class in the training pictures and has nothing to do with it, such as a "
            "watermark. The network is right for a wrong reason, and fails where the feature is missing.",
        ),
        (
            "Review",
            "A person judges a random sample of maps: the right reason, or a wrong one. Sham maps among them show "
            "whether the person would have noticed.",
        ),
        ("Gate", "Rules that a new version of a network has to pass before it replaces the old one."),
        (
            "New pictures",
            "Pictures that the network neither learned from nor was chosen by. Only its accuracy on these says what to "
            "expect.",
        ),
        ("Concept", "A pattern that several pictures share, found in a layer’s activations."),
        ("Calibration", "Whether probabilities can be taken at their word: of the answers at 80 %, 80 % are right."),
    ),
}
"""The terms by what they are about: (name, meaning)."""


def show() -> None:
    """All terms; each part has an anchor of its own."""
    st.header("Glossary", anchor=False)
    for title, terms in TERMS.items():
        st.subheader(title, anchor=anchor(title))
        st.markdown("\n".join(f"- **{name}**: {meaning}" for name, meaning in terms))


def anchor(title: str) -> str:
    """The anchor of a part of the page."""
    return re.sub(r"\W+", "-", title.lower())
