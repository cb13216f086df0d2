"""Pages of the app under Streamlit's own test runner: opened by their address, read, and run again."""

from __future__ import annotations

import functools
import html as markup
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from ui.jobs.job import Job

# A new session looks for components in every installed package: longer than most pages take, and the same each time.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)

APP = str(Path(__file__).resolve().parents[1] / "app.py")
TIMEOUT = 180  # the first run imports TensorFlow
LOOK = 0.3
"""Seconds after which a page with work under way is run again."""

_opened: list[AppTest] = []


def visit(script: str = "app.py", at: AppTest | None = None, **query: Any) -> AppTest:
    """Open a page, in a new session or in that of ``at``, with what its address names."""
    if at is None:
        at = AppTest.from_file(APP, default_timeout=TIMEOUT)
        _opened.append(at)
    at.switch_page(script)
    for name, value in query.items():
        at.query_params[name] = str(value)
    return run(at)


def run(at: AppTest) -> AppTest:
    """Run the script again, as a browser does after a choice."""
    at.run()
    assert not at.exception
    return at


def until(at: AppTest, there: Callable[[AppTest], Any], patience: float = TIMEOUT) -> AppTest:
    """Run the script again, as its parts do by themselves in a browser, until what is waited for is there."""
    end = time.monotonic() + patience
    while not there(at):
        assert time.monotonic() < end, text(at)[-2000:]
        under_way = [job for job in _jobs(at) if not job.finished]
        if under_way:
            under_way[0].wait_for_end(LOOK)
        else:
            time.sleep(0.05)
        run(at)
    return at


def close() -> None:
    """Close all pages, as the tabs of a browser: work that nobody else waits for ends."""
    while _opened:
        at = _opened.pop()
        for job in _jobs(at):
            job.leave(at.session_state["visitor"])


def _jobs(at: AppTest) -> list[Job[Any]]:
    """The work that a page has asked for."""
    works = [slot for name, slot in at.session_state.items() if name.startswith("work_")]
    return [slot.job for slot in works if slot is not None]


def labelled(widgets: Any, label: str) -> Any:
    """The widget of this label among those of a kind."""
    return next(one for one in widgets if one.label == label)


def html(at: AppTest) -> str:
    """All that is drawn as HTML, but for style."""
    bodies = (str(element.proto.body) for element in at.get("html"))
    return " ".join(body for body in bodies if "<style>" not in body)


def captions(at: AppTest) -> str:
    """All quiet text."""
    return shown(" ".join(one.value for one in at.caption))


def markdown(at: AppTest) -> str:
    """All text in paragraphs."""
    return " ".join(one.value for one in at.markdown)


def text(at: AppTest) -> str:
    """All that can be read, entities and escapes resolved."""
    code = " ".join(one.value for one in at.code)
    return markup.unescape(" ".join((shown(markdown(at)), captions(at), code, html(at))))


def headline(at: AppTest) -> str:
    """The sentence on top of the page."""
    return shown(at.header[0].value)


def shown(body: str) -> str:
    """Markdown of text alone as a reader sees it."""
    return body.replace("\\", "").replace("\N{WORD JOINER}", "")


def components(at: AppTest) -> list[dict[str, Any]]:
    """The data that each component of the page's own was given."""
    return [json.loads(one.proto.json) for one in at.get("bidi_component") if one.proto.json]


def maps(at: AppTest, pins: bool = True) -> dict[str, Any]:
    """The data of the Compare page's maps; ``pins`` False: of the maps of their agreement."""
    return next(data for data in components(at) if data.get("group") == "compare" and bool(data["pins"]) == pins)


def cells(at: AppTest) -> list[dict[str, Any]]:
    """The maps of the Compare page, line by line."""
    return [cell for line in maps(at)["lines"] for cell in line["cells"]]
