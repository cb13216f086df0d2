"""The choices of the attention maps: which token looks, and in which block and head; and their place in the address.

Rows, columns, blocks and heads are counted from 1, as they are written on the page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import urls
from ui.urls import Parameter

if TYPE_CHECKING:
    from camcore.features.attention import AttentionLayout, AttentionRows, Token

Head = tuple[int, int | None]
"""A block and one of its heads, from 0; None: the mean over the heads."""

_PLACE = re.compile(r"(\d{1,6})-(\d{1,6})")
_HEAD = re.compile(r"(\d{1,6})(?:\.(\d{1,6}))?")


def _token(text: str) -> Token:
    """A patch such as 4-7, row and column, or a token's name."""
    place = _PLACE.fullmatch(text)
    if place is None:
        return text.replace("-", " ")
    row, column = (int(number) - 1 for number in place.groups())
    if min(row, column) < 0:
        raise ValueError("Rows and columns are counted from 1.")
    return row, column


def head_of(text: str) -> Head:
    """A block such as 3, or one of its heads such as 3.5; raises ValueError for something else."""
    found = _HEAD.fullmatch(text)
    if found is None:
        raise ValueError("It has to be a block such as 3, or one of its heads such as 3.5.")
    block, head = int(found[1]) - 1, int(found[2]) - 1 if found[2] else None
    if block < 0 or (head is not None and head < 0):
        raise ValueError("Blocks and heads are counted from 1.")
    return block, head


def head_name(head: Head) -> str:
    """A block and head as the address has them."""
    block, number = head
    return f"{block + 1}" if number is None else f"{block + 1}.{number + 1}"


class _Token(Parameter):
    def write(self, value: Any) -> str:
        return f"{value[0] + 1}-{value[1] + 1}" if isinstance(value, tuple) else value.replace(" ", "-")


class _Head(Parameter):
    def write(self, value: Any) -> str:
        return head_name(value)


TOKEN = _Token("token", "token", None, parse=_token)
HEAD = _Head("head", "attention head", None, parse=head_of)


def token(layout: AttentionLayout) -> Token:
    """The token that looks; None for what the scores are made from. One that the network has not is put back."""
    chosen: Token = st.session_state[TOKEN.name]
    if isinstance(chosen, tuple):
        h, w = layout.grid
        wrong = not (chosen[0] < h and chosen[1] < w)
        what = f"no place in row {chosen[0] + 1}, column {chosen[1] + 1}: its tokens lie on {h}×{w} places"
    else:
        wrong = chosen is not None and chosen not in layout.names
        what = f"no token “{chosen}”"
    if wrong:
        urls.object_to(TOKEN.name, f"This network has {what}. Showing the {layout.read} instead.")
        return None
    return None if chosen == layout.read else chosen


def pick_token(chosen: Token) -> None:
    """Look from another token."""
    st.session_state.update({TOKEN.name: chosen, "attention_picked": True})


def head(rows: AttentionRows) -> Head:
    """The block and head that are looked at: the chosen ones, else the mean of the last block."""
    chosen: Head | None = st.session_state[HEAD.name]
    last = len(rows.rows) - 1
    if chosen is None:
        return last, None
    block, number = chosen
    if block > last or (number is not None and number >= len(rows.rows[block])):
        heads = len(rows.rows[min(block, last)])
        urls.object_to(
            HEAD.name,
            f"This network has no attention head {head_name(chosen)}: it has blocks 1 to {last + 1}, of {heads} heads. "
            "Showing the mean of the last block instead.",
        )
        return last, None
    return chosen


def pick_head(chosen: str) -> None:
    """Look at another block or head."""
    st.session_state.update({HEAD.name: head_of(chosen), "attention_picked": True})
