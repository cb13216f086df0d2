"""The record of a mending as a table: the head before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui import words

if TYPE_CHECKING:
    from camcore.metrics.intervals import Rate
    from camcore.shortcuts.mended import Mending


def table(one: Mending) -> str:
    """The figures before and after, as HTML."""
    rows = "".join(
        f"<tr><th>{name}</th><td>{_rate(before)}</td><td>{_rate(after)}</td></tr>" for name, before, after in one.rows
    )
    return f'<table class="cam-mended"><thead><tr><th></th><th>before</th><th>after</th></tr></thead>{rows}</table>'


def _rate(one: Rate | None) -> str:
    if one is None or not one.n:
        return "–"
    return f"<b>{words.percent(one.value)}</b> <small>{one.count:,} of {one.n:,}</small>"
