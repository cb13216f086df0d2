"""Charts as one HTML page that stands on its own."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

_STYLE = "body{font-family:system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}figure{margin:1rem 0}"


def chart_page(title: str, line: str, charts: Sequence[tuple[go.Figure, str]]) -> bytes:
    """A page that needs no network: its title, a line beneath, and each chart with its content in words."""
    from plotly.io import to_html

    parts = []
    for place, (figure, alt) in enumerate(charts):
        drawn = to_html(figure, include_plotlyjs=place == 0, full_html=False)
        parts.append(f'<figure aria-label="{html.escape(alt)}">{drawn}</figure>')
    heading = html.escape(title)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{heading}</title>'
        f"<style>{_STYLE}</style></head>"
        f"<body><h1>{heading}</h1><p>{html.escape(line)}</p>{''.join(parts)}</body></html>"
    )
    return page.encode("utf-8")
