"""Every text that a page hands to Streamlit, told apart by how the browser reads it: as Markdown, HTML or as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

MARKDOWN_FIELDS = {"body", "label", "help", "caption", "captions", "content", "text", "title"}
"""Fields of Streamlit's messages that a browser reads as Markdown."""
AS_IT_IS = {
    "code",
    "text_input",
    "text_area",
    "bidi_component",
    "plotly_chart",
    "arrow_data_frame",
    "dataframe",
    "json",
}
"""Elements whose content is text, or drawn by a component of our own, but for their labels."""


def texts(at: AppTest) -> Iterator[tuple[str, str, str]]:
    """(element, "markdown" or "html", text) of everything on the page."""
    stack: list[Any] = [at._tree]
    while stack:
        node = stack.pop()
        stack.extend(getattr(node, "children", {}).values())
        proto = getattr(node, "proto", None)
        if isinstance(proto, Message):
            kind = str(node.type)
            yield from ((kind, how, text) for how, text in _texts(kind, proto) if text)


def _texts(kind: str, proto: Message) -> Iterator[tuple[str, str]]:
    for field, value in proto.ListFields():
        values = list(value) if field.is_repeated else [value]
        for one in values:
            if isinstance(one, Message):
                yield from _texts(kind, one)
            elif isinstance(one, str) and kind == "html":
                yield "html", one
            elif isinstance(one, str) and _is_markdown(kind, field.name):
                yield "markdown", one


def _is_markdown(kind: str, field: str) -> bool:
    if kind in AS_IT_IS:
        return field in ("label", "help")
    return field in MARKDOWN_FIELDS or (field == "options" and kind in ("radio", "button_group"))
