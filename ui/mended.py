"""The record of a mending as a table: the head before and after."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from ui import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from camcore.metrics.intervals import Rate
    from camcore.shortcuts.mended import Mending


def table(one: Mending) -> str:
    """The figures before and after, as HTML."""
    return rows(one.rows)


def rows(figures: Sequence[tuple[str, Rate | None, Rate | None]], name: str = "") -> str:
    """Figures before and after, each with its name, as HTML. ``name``: the head's."""
    lines = "".join(
        f"<tr><th>{html.escape(text, quote=False)}</th><td>{share(before)}</td><td>{share(after)}</td></tr>"
        for text, before, after in figures
    )
    head = f"<tr><th>{html.escape(name, quote=False)}</th><th>before</th><th>after</th></tr>"
    return f'<table class="cam-mended"><thead>{head}</thead>{lines}</table>'


def share(one: Rate | None) -> str:
    """A share and its counts, as HTML."""
    if one is None or not one.n:
        return "–"
    return f"<b>{words.percent(one.value)}</b> <small>{one.count:,} of {one.n:,}</small>"
