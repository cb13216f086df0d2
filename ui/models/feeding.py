"""Comparison of preprocessings: a verdict, the figures with a network's answers to each, and the choice."""

from collections.abc import Sequence

import streamlit as st

from camcore.models.preprocessing import PREPROCESSINGS, TITLES
from camcore.models.preprocessing_check import Fit, leading, ranked, suggested, verdict
from ui import samples, words


def preprocessing_table(fits: Sequence[Fit]) -> None:
    """The comparison, in words and as a table with what the network says about each sample photograph."""
    st.markdown(f"**Which preprocessing does it need?** {words.plain(verdict(fits))}")
    st.dataframe(
        [_row(fit) for fit in ranked(fits)],
        hide_index=True,
        column_config={
            "Fed": st.column_config.TextColumn("Fed", help="The range that pixel values are scaled to", pinned=True),
            "Tells": st.column_config.NumberColumn(
                "Tells",
                format="%.2f bits",
                help="How far the answers differ from picture to picture",
            ),
            "Sure": st.column_config.NumberColumn("Sure", format="%.0f %%", help="The first answer’s mean probability"),
            "Entropy": st.column_config.NumberColumn("Entropy", format="%.1f bits", help="Low: sure"),
        },
        alt="For each preprocessing: how sure the network is, and what it says about each sample photograph",
    )


def preprocessing_choice(key: str, fits: Sequence[Fit], usual: str | None, why: str) -> str:
    """The choice of one of them; at first one that fits, the ``usual`` one where it does.

    ``why``: the word for it in the list.
    """
    best = suggested(fits, usual)
    names = list(PREPROCESSINGS)
    return str(
        st.selectbox(
            "Feed it",
            names,
            index=names.index(best),
            key=f"{key}_{best}",
            format_func=lambda name: f"{TITLES[name]}: {PREPROCESSINGS[name]}" + _remark(name, fits, usual, why),
        )
    )


def _remark(name: str, fits: Sequence[Fit], usual: str | None, why: str) -> str:
    good = [fit.name for fit in leading(fits)]
    notes = [note for note, holds in (("fits", name in good), (why, name == usual)) if holds]
    return f" ({', '.join(notes)})" if notes else ""


def _row(fit: Fit) -> dict[str, object]:
    figures = {"Fed": TITLES[fit.name], "Tells": fit.information, "Sure": 100 * fit.confidence, "Entropy": fit.entropy}
    titles = [sample.title for sample in samples.samples().values()]
    answers = [f"{words.label(one.label)} {words.strength(one)}" for one in fit.predictions]
    return {**figures, **dict(zip(titles, answers, strict=True))}
