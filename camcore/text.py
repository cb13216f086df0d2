"""Labels, shares and times as people read them, the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

MINUS = "\N{MINUS SIGN}"


def readable(label: str) -> str:
    """A label as people write it: ``Egyptian_cat`` → ``Egyptian cat``."""
    return one_line(label).replace("_", " ")


_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
"""Characters that are no text: controls, line ends, marks that turn its direction or show nothing, halves of others."""


def one_line(text: str) -> str:
    """Text of others in a line: nothing in it ends the line, hides a part of it or turns its order."""
    return _HIDDEN.sub(" ", text)


def percent(probability: float) -> str:
    """A probability or share for reading: ``71 %``, ``0.4 %``, ``< 0.1 %``, ``> 99.9 %``; a dash where there is none.

    Below 0 it is the mirror image: ``−71 %``, and ``> −0.1 %`` for next to nothing.
    """
    if probability != probability:
        return "–"
    if probability < 0:
        size = percent(-probability)
        turned = {"<": "> ", ">": "< "}.get(size[0], "")
        return f"{turned}{MINUS}{size.lstrip('<> ')}"
    share = abs(100 * probability)  # -0.0 is 0
    if 0 < share < 0.1:
        return "< 0.1 %"
    if 99.9 < share < 100:
        return "> 99.9 %"
    return f"{share:.1f} %" if 0 < share < 9.95 or 99 < share < 100 else f"{share:.0f} %"


def sides(size: Iterable[int]) -> str:
    """A size in words: ``40×60``."""
    return "×".join(map(str, size))


def duration(seconds: float) -> str:
    """A time for reading: ``31 ms``, ``5.6 s``; what took next to nothing is ``< 1 ms``, not none."""
    if 0 <= seconds < 0.0005:
        return "< 1 ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


class Scored(Protocol):
    """A class with its probability and score: a Prediction or a map."""

    @property
    def label(self) -> str: ...
    @property
    def probability(self) -> float: ...
    @property
    def logit(self) -> float: ...
    @property
    def score_kind(self) -> str: ...
    @property
    def lowers(self) -> bool: ...


def score_name(kind: str) -> str:
    """The name of the score that methods differentiate, such as ``logit`` or, for a regression, ``output value``."""
    return "output value" if kind == "value" else kind


def score_text(one: Scored, digits: int = 2) -> str:
    """The score of a class with its name: ``logit 8.25``, ``log-probability −0.35``, ``output value 37.20``."""
    return f"{score_name(one.score_kind)} {decimal(-one.logit if one.lowers else one.logit, digits)}"


def strength(one: Scored) -> str:
    """The strength of a prediction: its probability or, for a regression, its value, as ``71 %`` or ``37.2``."""
    if one.probability == one.probability or one.score_kind != "value":
        return percent(one.probability)
    return minus(f"{-one.logit if one.lowers else one.logit:.4g}")


def minus(text: str) -> str:
    """A formatted number with a real minus sign: ``-0.48`` → ``−0.48``."""
    return text.replace("-", MINUS)


def decimal(value: float, digits: int = 2) -> str:
    """A figure with so many digits after the point: ``0.48``, ``−0.48``; a dash where there is none."""
    return with_sign(value, digits).removeprefix("+")


def with_sign(value: float, digits: int = 2) -> str:
    """A figure with its sign: ``+4.62``, ``−0.48``; what rounds to 0 has none. A dash where there is no figure."""
    if value != value:
        return "–"
    text = f"{value:+.{digits}f}"
    return minus(text) if float(text) else text[1:]


def counted(number: int, what: str, several: str = "") -> str:
    """A number of things: ``1 picture``, ``2,000 pictures``, ``3 classes``; ``several``: an irregular plural."""
    plural = several or (f"{what}es" if what.endswith("s") else f"{what}s")
    return f"{number:,} {what if number == 1 else plural}"
