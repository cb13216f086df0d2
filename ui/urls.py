"""The page's address: the choices it carries, and notices where it names something that does not exist.

A widget whose options are its own words in the address is bound by Streamlit (``bind="query-params"``). The
choices here are those with longer labels, and those that several things on the page set together (a bar, a
chip, a thumbnail and a list all choose the class). They live in the session under their parameter's name, or under a
key of their own where two pages mean different choices by one name.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from camcore.errors import nearest
from ui._compat import is_history_navigation

_NO_TEXT = re.compile("[\ud800-\udfff]")
"""What an address can carry and neither a file nor a message to the browser takes: halves of characters."""

_MOST_LISTED = 200
"""Choices that are read of a list in an address; no page has as many."""
_MOST_TOLD = 3


@dataclass(frozen=True)
class Parameter:
    """One choice: its name in the address, the default, and what it may be.

    ``bound``: a widget carries it, and this module only checks it. ``options`` empty: ``parse`` decides. ``own_key``:
    its name in the session, where that is another one. ``former``: names that older links have for it.
    """

    name: str
    what: str
    default: Any
    options: Sequence[str] = ()
    parse: Callable[[str], Any] = str
    bound: bool = False
    own_key: str = ""
    former: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its name in the session."""
        return self.own_key or self.name

    def read(self, text: str) -> tuple[Any, str | None]:
        """The value, or the default and what is wrong with the text."""
        if self.options and text not in self.options:
            near = nearest(text, self.options, 0.5)
            hint = f"Did you mean “{near}”? " if near else ""
            return self.default, self._sorry(f"names the {self.what} “{text[:60]}”, which does not exist. {hint}")
        try:
            return self.parse(text), None
        except ValueError as error:
            return self.default, self._sorry(f"gives “{text[:60]}” as {self.what}. {error} ")

    def write(self, value: Any) -> str | None:
        """The value as it stands in the address; None where it has no name there."""
        return str(value)

    def _sorry(self, problem: str) -> str:
        instead = f"Showing “{self.default}” instead." if self.default is not None else "Showing the usual one instead."
        return f"The link {problem}{instead}"


@dataclass(frozen=True)
class ListParameter(Parameter):
    """Several choices, with commas between them; what cannot be followed is left out, the rest stands."""

    def read(self, text: str) -> tuple[Any, str | None]:
        values: list[Any] = []
        problems = []
        for part in dict.fromkeys(one.strip() for one in text.split(",", _MOST_LISTED)[:_MOST_LISTED]):
            value, problem = self.one.read(part)
            if problem is not None:
                problems.append(problem.removesuffix("Showing the usual one instead.") + "It is left out.")
            elif value not in values:
                values.append(value)
        if len(problems) > _MOST_TOLD:
            more = len(problems) - _MOST_TOLD
            problems[_MOST_TOLD:] = [f"{more} more of them cannot be followed and are left out."]
        if not values:
            problems.append("Showing the usual ones instead.")
        return values or list(self.default), " ".join(problems) or None

    def write(self, value: Any) -> str:
        return ",".join(map(str, value))

    @property
    def one(self) -> Parameter:
        """The rule for a single one of them."""
        return Parameter(self.name, self.what, None, self.options, self.parse)


def whole_number(low: int, high: int | None = None) -> Callable[[str], int]:
    """A parser for whole numbers in a range; its ValueError is a sentence for the page."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError("It has to be a whole number.") from None
        if value < low or (high is not None and value > high):
            raise ValueError(f"It has to lie between {low} and {high}." if high is not None else "It is too small.")
        return value

    return parse


def adopt(parameters: Sequence[Parameter]) -> frozenset[str]:
    """Take over what the address names: on arrival at a page, and after the browser's Back. The names that were taken.

    A link describes a whole view: what it leaves away is the default. The bare address of a page that has been
    visited before leaves the choices as they were.
    """
    state = st.session_state
    state["url_bound"] = state.get("url_bound", frozenset()) | {p.name for p in parameters if p.bound}
    incoming = {name: _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", value) for name, value in st.query_params.items()}
    incoming = _renamed(parameters, incoming)
    page = tuple(p.name for p in parameters)
    if state.get("url_page") != page:
        state["url_page"], state["url_notices"], state["url_written"] = page, {}, {}
        named = any(incoming.get(p.name) for p in parameters)
        unknown = [p for p in parameters if not p.bound and p.key not in state]
        taken = _take(parameters if named else unknown, incoming)
        for parameter in parameters:
            if not parameter.bound:  # a widget of this page begins with its first option unless its value is set anew
                state[parameter.key] = state[parameter.key]
        return taken
    if is_history_navigation() and _own(parameters, incoming) != state["url_written"]:
        return _take([p for p in parameters if not p.bound], incoming)
    return frozenset()


def notices() -> Mapping[str, str]:
    """Notices of choices that could not be followed, by parameter; one goes when its choice is made anew."""
    state = st.session_state
    current = {name: text for name, (text, value) in state["url_notices"].items() if state.get(name) == value}
    state["url_notices"] = {name: entry for name, entry in state["url_notices"].items() if name in current}
    return current


def object_to(name: str, message: str, instead: Any = None) -> None:
    """Put a choice back to ``instead`` and say why, until it is made anew."""
    st.session_state[name] = instead
    st.session_state["url_notices"][name] = (message, instead)


def publish(parameters: Sequence[Parameter], left_out: Collection[str] = ()) -> None:
    """Write the choices into the address; defaults and ``left_out`` leave it."""
    state = st.session_state
    wanted = {}
    for parameter in parameters:
        if parameter.bound or parameter.name in left_out:
            continue
        value = state.get(parameter.key, parameter.default)
        if value is not None and value != parameter.default and (text := parameter.write(value)) is not None:
            wanted[parameter.name] = text
    present = _own(parameters, dict(st.query_params))
    changed: dict[str, str | list[str]] = {n: v for n, v in wanted.items() if present.get(n) != v}
    # An empty list takes a name out. One write, as every write is a step of the browser's history.
    former = {name for parameter in parameters for name in parameter.former if name in st.query_params}
    changed.update({name: [] for name in (present.keys() | former) - wanted.keys()})
    if changed:
        st.query_params.update(changed)
    state["url_written"] = wanted


def clear_others(parameters: Sequence[Parameter]) -> None:
    """Take out of the address what widgets of other pages have written there, and this page does not know."""
    others = st.session_state.get("url_bound", frozenset()) - {p.name for p in parameters}
    left: dict[str, str | list[str]] = {name: [] for name in others if name in st.query_params}
    if left:
        st.query_params.update(left)


def _take(parameters: Sequence[Parameter], incoming: Mapping[str, str]) -> frozenset[str]:
    """Set the choices as the address has them; the names that it could be followed in."""
    taken = set()
    for parameter in parameters:
        value, problem = parameter.default, None
        if incoming.get(parameter.name):
            value, problem = parameter.read(incoming[parameter.name])
            if problem is None:
                taken.add(parameter.name)
            else:
                st.session_state["url_notices"][parameter.key] = (problem, value)
        if not parameter.bound:
            st.session_state[parameter.key] = value
    return frozenset(taken)


def _renamed(parameters: Sequence[Parameter], incoming: Mapping[str, str]) -> dict[str, str]:
    """The address with the present names in place of those of older links."""
    present = {old: p.name for p in parameters for old in p.former if old in incoming and p.name not in incoming}
    return {present.get(name, name): value for name, value in incoming.items()}


def _own(parameters: Sequence[Parameter], incoming: Mapping[str, str]) -> dict[str, str]:
    return {p.name: incoming[p.name] for p in parameters if not p.bound and incoming.get(p.name)}
