"""The evidence in figures, each beside the controls': rows for a table, with what each says and how it is computed."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from camcore.text import MINUS, decimal, percent, with_sign

if TYPE_CHECKING:
    from camcore.verdict.gather import Trust
    from camcore.verdict.rules import ReasonKind, Verdict

NOTHING = "–"

LEVELS = {"trust": "for", "caution": "beware", "distrust": "against"}
"""The tone of each verdict."""
_SIGNS = {"for": "+", "against": MINUS, "beware": "!", "note": "·"}
_SAID = {"for": "speaks for it", "against": "speaks against it", "beware": "a caution", "note": "to know"}

_BRIEFLY = {
    "flat": "the same everywhere",
    "undecided": "the network decides nothing",
    "unsure": "the network is as unsure as an untrained one",
    "overflow": "the scores are no finite numbers",
    "indifferent": "the score hardly depends on the picture",
    "chance": "no better than chance",
    "survives": "the same without what was learned",
    "resembles": "alike without what was learned",
    "unchecked": "not checked with random weights",
    "centre": "no better than the centred blob",
    "unstable": "a little noise changes it",
    "not first": "not what the network says",
    "improbable": "an improbable class",
    "warning": "carries a warning",
}
"""The doubts that decide against full trust, by the rule's key, in a few words."""


@dataclass(frozen=True)
class FigureRow:
    """One figure: of the map, the centred blob and the random maps; which way is good, and how it is computed."""

    name: str
    good: str
    map: str
    centre: str
    random: str
    how: str


_DECIDES: dict[str, ReasonKind] = {"trust": "for", "caution": "beware", "distrust": "against"}
"""The kind of reason that each verdict rests on."""
_OTHER_MAP = "Before you use it, see whether another method or layer does better."
_OTHER_PICTURE = "Try another picture, or another network."
CONTROLS = (
    "The centred blob and the random maps know nothing of the picture or the network: a map that does no better than "
    "these says nothing."
)


def verdict(given: Verdict) -> str:
    """The verdict with its reasons as HTML."""
    return (
        f'<div class="cam-verdict cam-verdict-{LEVELS[given.level]}" role="status"><b>{html.escape(given.headline)}</b>'
        f"{_reasons(given)}</div>"
    )


def brief(given: Verdict, figures: str) -> str:
    """The verdict with the reason that decides as HTML; all reasons and the table of ``figures`` behind a click.

    Where it is against the map, it says what to do.
    """
    first = next((one for one in given.reasons if one.kind == _DECIDES[given.level]), None)
    said = "" if first is None else escaped(first.text)
    if first is not None and given.level == "distrust":
        said += f" {_OTHER_PICTURE if first.key in ('undecided', 'unsure') else _OTHER_MAP}"
    return (
        f'<div class="cam-verdict cam-verdict-{LEVELS[given.level]}"><span role="status">'
        f"<b>{html.escape(given.headline)}</b> {said}</span>"
        f"<details><summary>All reasons and figures</summary>{_reasons(given)}{figures}"
        f"<p>{CONTROLS}</p></details></div>"
    )


def _reasons(given: Verdict) -> str:
    items = "".join(
        f'<li class="cam-reason-{one.kind}"><span title="{_SAID[one.kind]}" aria-label="{_SAID[one.kind]}">'
        f"{_SIGNS[one.kind]}</span> {escaped(one.text)}</li>"
        for one in given.reasons
    )
    return f"<ul>{items}</ul>"


def escaped(text: str) -> str:
    """A sentence as HTML, in which no line breaks within a share: before a percent sign, or behind “<”."""
    return html.escape(text).replace(" %", "&nbsp;%").replace("&lt; ", "&lt;&nbsp;")


def briefly(given: Verdict) -> str:
    """The doubts about a map in a few words; empty where nothing speaks against it."""
    doubts = [one for one in given.reasons if one.kind in ("against", "beware")]
    return "; ".join(_BRIEFLY.get(one.key, one.text.rstrip(".")) for one in doubts)


def waiting(text: str) -> str:
    """A place kept for the verdict."""
    return f'<div class="cam-verdict" role="status"><span>{html.escape(text)}</span></div>'


def table(rows: Sequence[FigureRow], name: str) -> str:
    """Rows as an HTML table; ``name``: of the map's column."""
    heads = "".join(
        f'<th scope="col">{html.escape(one)}</th>' for one in ("figure", name, "centred blob", "random maps")
    )
    body = ""
    for row in rows:
        cells = "".join(f"<td>{_cell(one)}</td>" for one in (row.map, row.centre, row.random))
        title = f"{html.escape(row.name)}<small>{html.escape(row.good)}</small>"
        body += f'<tr><th scope="row" title="{html.escape(row.how)}">{title}</th>{cells}</tr>'
    return (
        f'<div class="cam-scroll"><table class="cam-trust-table"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(text: str) -> str:
    """A figure, and its range, if any, in small type beneath."""
    figure, _, spread = text.partition(" (")
    return html.escape(figure) + (f"<small>{html.escape(spread.rstrip(')'))}</small>" if spread else "")


def quick_rows(found: Trust) -> list[FigureRow]:
    """The figures that the verdict rests on, as far as they are there."""
    from camcore.verdict.rules import HIDDEN  # once there is a verdict

    rows: list[FigureRow] = []
    if found.chance:
        first, centre, randoms = _apart(found.chance)

        def removed(one: Any) -> float:
            return float(one.removed(HIDDEN))

        rows += [
            _row(
                f"Score lost when its top {percent(HIDDEN)} is hidden", "high is good", first, centre, randoms,
                removed, percent, "The most relevant pixels take the picture’s mean colour; the share of the class’s "
                "score that this takes away.",
            ),
            _row(
                "Shown against hidden", "high is good", first, centre, randoms, lambda one: one.lead, with_sign,
                "Log-odds of the class with only the map’s top shown, less those with the top hidden; the mean over "
                "several sizes of the top. What an empty picture says by itself cancels.",
            ),
        ]  # fmt: skip
    if found.copies:
        ranks = [one.spearman for one in found.copies]
        likeness = with_sign(median(ranks))
        if len(ranks) > 1:
            likeness += f" ({with_sign(min(ranks))} to {with_sign(max(ranks))})"
        how = (
            f"Rank correlation with the same map of {len(ranks)} networks with random weights (Adebayo 2018); the "
            "median. The controls never look at the network, so theirs is 1."
        )
        rows.append(FigureRow("Likeness with random weights", "low is good", likeness, "1", "1", how))
    if found.sensitivity is not None:
        how = (
            "The largest change of the map under uniform noise of at most 2 % of the input’s range, relative to the "
            "map (max-sensitivity, Yeh 2019). The controls never look at the picture, so theirs is 0."
        )
        rows.append(FigureRow("Change under a little noise", "low is good", percent(found.sensitivity), "0", "0", how))
    return rows


def published_rows(found: Trust) -> list[FigureRow]:
    """Figures as published, as far as they are there."""
    if not found.more:
        return []
    first, centre, randoms = _apart(found.more)
    wanted: list[tuple[str, str, Callable[[Any], Any], Callable[[float], str], str]] = [
        (
            "Deletion AUC", "low is good", lambda one: one.deletion and one.deletion.auc, _three,
            "The mean score while pixels go to black in the map’s order (Petsiuk 2018).",
        ),
        (
            "Insertion AUC", "high is good", lambda one: one.insertion and one.insertion.auc, _three,
            "The mean score while pixels come back, in the map’s order, into the blurred picture (Petsiuk 2018).",
        ),
        (
            "ROAD", "high is good", lambda one: one.road and one.road.combined, with_sign,
            "Half the difference of the score without the least and without the most relevant 20, 40, 60 and 80 % of "
            "the pixels, each filled from its neighbours (Rong 2022).",
        ),
        (
            "Average drop", "low is good", lambda one: one.drop, percent,
            "The share of the score that is lost when the picture is seen through its own map (Chattopadhay 2018). "
            "Maps that light everything are good at it.",
        ),
        (
            "Increase in confidence", "over many pictures", lambda one: one.increase,
            lambda value: percent(value) if 0 < value < 1 else ("yes" if value else "no"),
            "Whether the score rises when the picture is seen through its own map; of one picture it says little.",
        ),
        (
            "Average gain", "high is good", lambda one: one.gain, percent,
            "The share of the missing score that is won so (Zhang 2023).",
        ),
        (
            "Coherency", "high is good", lambda one: one.coherency, _three,
            "How alike the map is to that of the picture seen through it, 0 to 1 (Poppi 2021).",
        ),
        (
            "Complexity", "low is good", lambda one: one.complexity, _three,
            "The mean of the map: how much of the picture it takes, 0 to 1 (Poppi 2021).",
        ),
        (
            "ADCC", "high is good", lambda one: one.adcc, _three,
            "The harmonic mean of coherency, 1 − complexity and 1 − average drop (Poppi 2021).",
        ),
    ]  # fmt: skip
    return [
        _row(name, good, first, centre, randoms, get, shown, how)
        for name, good, get, shown, how in wanted
        if first is not None and get(first) is not None
    ]


def _apart(figures: Sequence[Any]) -> tuple[Any, Any, list[Any]]:
    """(the map's, the blob's, the random maps'), as far as they are there."""
    return figures[0], figures[1] if len(figures) > 1 else None, list(figures[2:])


def _row(
    name: str,
    good: str,
    first: Any,
    centre: Any,
    randoms: Sequence[Any],
    get: Callable[[Any], Any],
    shown: Callable[[float], str],
    how: str,
) -> FigureRow:
    values = [float(value) for value in map(get, randoms) if value is not None]
    chance = NOTHING
    if values:
        chance = shown(mean(values))
        if min(values) != max(values):
            chance += f" ({shown(min(values))} to {shown(max(values))})"
    blob = NOTHING if centre is None or get(centre) is None else shown(float(get(centre)))
    return FigureRow(name, good, shown(float(get(first))), blob, chance, how)


def _three(value: float) -> str:
    return decimal(value, 3)
