"""The sentences on the page: what a network says, and the line beneath a map."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from camcore.methods import METHODS
from camcore.report import captions as report_words
from camcore.report.captions import answer_name, explained, geometry, map_title, peak_position, quantity
from camcore.text import duration as milliseconds
from camcore.text import one_line, percent, score_name, score_text, strength
from camcore.text import readable as label
from ui.jobs.job import Stage
from ui.query import Answer, Cost

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap
    from camcore.network import Network
    from camcore.predictions import Prediction

__all__ = [
    "answer_name",
    "caption",
    "citation",
    "completeness",
    "distinct",
    "duration",
    "explained",
    "file_stem",
    "grid",
    "headline",
    "label",
    "map_title",
    "megabytes",
    "peak_position",
    "percent",
    "plain",
    "price",
    "quantity",
    "score_clause",
    "score_name",
    "score_text",
    "span",
    "strength",
    "together",
    "unanswered",
    "under_way",
]

_MARKDOWN = re.compile(
    r"([\\`*{}\[\]()<>#+!|~$:&=^]|(?<![^\W_])[_-]|[_-](?![^\W_]))"
)  # within a word _ and - are plain
_ORDERED = re.compile(r"^(\s*\d+)\.(?=\s|$)")
_LINKS = re.compile(r"(?<=:)(?=//|[\w+/\\-]+:)|(?<=www)(?=\.)|(?<=@)(?=[\w-])", re.IGNORECASE)
_UNBROKEN = "\N{WORD JOINER}"


def plain(text: str) -> str:
    """Text that Streamlit's Markdown shows as it stands, whoever wrote it.

    Addresses, e-mail addresses and :names: of icons are found in what is left after the marks: there an invisible
    character keeps them from becoming links and pictures.
    """
    line = re.sub(r"^ {2,}", " ", one_line(text))
    line = _ORDERED.sub(r"\1\\.", _MARKDOWN.sub(r"\\\1", line))
    return _LINKS.sub(_UNBROKEN, line)


def together(text: str) -> str:
    """Text whose percentages do not break between number and sign."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


@functools.lru_cache(maxsize=16)
def distinct(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The names for a list to choose from: those that occur twice (ImageNet has two cranes) carry their index."""
    often = Counter(labels)
    return tuple(label(text) + (f" ({i})" if often[text] > 1 else "") for i, text in enumerate(labels))


def headline(network: Network, predictions: Sequence[Prediction]) -> str:
    """One sentence: what the network says, as surely as it says it."""
    return report_words.headline(network.name, network.weights_note, predictions[0])


def unanswered(name: str, missing: bool, failed: bool) -> str:
    """The headline before there is an answer; ``missing``: the network ``name`` has no weights here yet."""
    state = "could not answer" if failed else "is looking at this picture …"
    return f"{name} {'needs its weights first' if missing else state}"


def duration(seconds: float) -> str:
    """A rough duration for an estimate: under a second, about 9 s, about 3 min, about 2.5 hours."""
    if seconds < 1:
        return "under a second"
    if seconds < 100:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} hours"


def under_way(stage: Stage) -> tuple[float, str]:
    """For a progress bar: the share done in 0..1, and what is being done, with the time left where it can be told."""
    share, left = stage.progress()
    rest = f", {duration(left)} left" if left is not None and left >= 1 else ""
    return min(max(share, 0.0), 1.0), f"{plain(stage.title)}{rest}"


def price(cost: Cost) -> str:
    """The price of a method, before it is run."""
    return f"{cost.passes:,.0f} passes, {span(cost)}"


def span(cost: Cost) -> str:
    """A rough duration; a range where the pace of such work was not measured here yet: about 10 to 40 s."""
    shortest, longest = cost.seconds / cost.spread, cost.seconds * cost.spread
    low, high = duration(shortest), duration(longest)
    if low == high:
        return high
    if shortest < 1:
        return f"up to {high}"
    (amount, unit), last = low.removeprefix("about ").split(" "), high.removeprefix("about ")
    return f"about {amount} to {last}" if last.endswith(f" {unit}") else f"about {amount} {unit} to {last}"


def megabytes(size: float) -> str:
    """A download's size."""
    return f"{size:,.0f} MB"


def grid(size: Sequence[int]) -> str:
    """A layer's grid, height × width."""
    return f"{size[0]}×{size[1]}"


def caption(answer: Answer, title: str) -> str:
    """The line beneath a map: method, layer, class, time."""
    m, net = answer.map, answer.network
    if m is None or net is None:
        return ""
    own = METHODS[m.method].own_grid.replace("'", "’")
    place = f"on {own}, {grid(m.raw.shape)}" if m.layer is None else f"{m.layer} {geometry(net.layer(m.layer))}"
    text = f"{title} · {place} · {explained(m)} · {milliseconds(m.seconds)}"
    return " · ".join(filter(None, (text, completeness(m))))


def score_clause(kind: str, scored_over: str = "") -> str:
    """Which score maps explain, for readers; both as Network has them."""
    clause = _explained_score(kind)
    return f"{clause} The output is a map: scores are means over {scored_over}." if scored_over else clause


def _explained_score(kind: str) -> str:
    if kind == "value":
        return "The network’s output is one number: maps show what raises it, or with the other class what lowers it."
    if kind == "logit":
        return "Maps explain the logit of a class, the score from which its probability is computed."
    return f"Probabilities are the network’s own output; maps explain the {kind} of a class."


def completeness(m: CamMap, short: bool = False) -> str:
    """The gap between the score and a map whose evidence is known to add up; empty for all other maps."""
    if m.residual is None:
        return ""
    name = score_name(m.score_kind)
    share = abs(m.residual) / max(abs(m.logit), 1e-30)
    if share > 1e-3:
        return f"misses the {name if short else score_text(m)} by {percent(share)}"
    if short:
        return f"sum = {name} ± {abs(m.residual):.0e}"
    return f"adds up to the {score_text(m)} but for {abs(m.residual):.0e}"


def citation(paper: str) -> str:
    """Authors and venue of a reference, "Zhou et al., CVPR 2016", with spaces that do not break."""
    parts = paper.split(", ")
    short = f"{parts[0]}, {parts[-1]}" if len(parts) > 2 else paper
    return short.replace(" ", "\N{NO-BREAK SPACE}")


def file_stem(*parts: str) -> str:
    """A file name made of these words that every system takes."""
    words = (re.sub(r"[^A-Za-z0-9.+]+", "-", part).strip("-.") for part in parts)
    return "_".join(word[:40] for word in words if word) or "map"
