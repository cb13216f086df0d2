"""A visitor without a browser: speaks with the app as Streamlit's page does, and draws nothing.

What a page costs the server can so be counted without Chromium's share, and hundreds of visitors fit on one machine.
Running parts of a page are asked for anew by the clock, as the browser does it. Nothing here is a public interface of
Streamlit: the messages are those of its version 1.67.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

_TRIGGER = "$$STREAMLIT_INTERNAL_KEY_{}__events"


class Visitor:
    """An open page; ``elements``: what it shows, by place. ``received``: bytes so far. ``running``: it is drawn."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._query = self._script = ""
        self._drawn: set[tuple[int, ...]] = set()
        self._kept: dict[str, ForwardMsg] = {}
        self._widgets: dict[str, WidgetState] = {}
        self._ticking: dict[str, asyncio.Task[None]] = {}
        self._news = asyncio.Condition()
        self.elements: dict[tuple[int, ...], Element] = {}
        self.received = 0
        self.running = False

    # The visitor's side

    async def open(self, page: str, query: str) -> None:
        """Load a page (its name, "" for the first) with an address."""
        self._query = query
        self.running = True
        await self._run(page=page)

    async def press(self, label: str) -> None:
        """Press the button that says this."""
        button = next(one.button for one in self.elements.values() if _is(one, "button") and one.button.label == label)
        await self._run(WidgetState(id=button.id, trigger_value=True))

    async def pick(self, component: str, event: str, value: object) -> None:
        """Let one of the page's own components tell an event."""
        found = next(one for one in self.components(component))
        payload = json.dumps([{"event": event, "value": value}])
        await self._run(WidgetState(id=_TRIGGER.format(found.id), json_trigger_value=payload))

    def components(self, name: str) -> Iterator[Any]:
        """The page's own components of a name."""
        for one in self.elements.values():
            if _is(one, "bidi_component") and one.bidi_component.component_name.endswith(f"cam_{name}"):
                yield one.bidi_component

    def buttons(self) -> list[str]:
        """The labels of the page's buttons."""
        return [one.button.label for one in self.elements.values() if _is(one, "button")]

    def data(self, name: str) -> dict[str, Any]:
        """The data of one of the page's own components; empty where it is not there."""
        found = next(self.components(name), None)
        if found is None:
            return {}
        return json.loads(found.json or found.mixed.json)

    def text(self) -> str:
        """Everything that the page says in words."""
        said = []
        for one in self.elements.values():
            kind = one.WhichOneof("type")
            body = getattr(getattr(one, kind), "body", "") if kind else ""
            said.append(re.sub("<[^>]+>", " ", str(body)))
        return "\n".join(said)

    async def until(self, shown: Callable[["Visitor"], object], patience: float = 900.0) -> float:
        """Seconds until the page shows this."""
        began = time.perf_counter()
        async with asyncio.timeout(patience), self._news:
            await self._news.wait_for(lambda: shown(self))
        return time.perf_counter() - began

    async def rest(self, quiet: float = 1.5, patience: float = 900.0) -> None:
        """Wait until nothing runs by the clock and no message came for a while."""
        async with asyncio.timeout(patience):
            while True:
                before = self.received
                await asyncio.sleep(quiet)
                if before == self.received and not self._ticking:
                    return

    # The browser's side

    async def _run(self, *pressed: WidgetState, fragment: str = "", page: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash, state.page_name = self._query, self._script, page
        state.widget_states.widgets.extend([*self._widgets.values(), *pressed])
        state.fragment_id, state.is_auto_rerun = fragment, bool(fragment)
        state.cached_message_hashes.extend(self._kept)
        await self._connection.send(message.SerializeToString())

    async def _tick(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._run(fragment=fragment)

    def _still(self, fragments: list[str]) -> None:
        for fragment in fragments:
            task = self._ticking.pop(fragment, None)
            if task is not None:
                task.cancel()

    async def listen(self) -> None:
        """Take what the server sends, until the connection ends."""
        async for data in self._connection:
            assert isinstance(data, bytes)
            message = ForwardMsg.FromString(data)
            async with self._news:
                self.received += len(data)
                self._take(message)
                self._news.notify_all()

    def close(self) -> None:
        """Stop asking by the clock."""
        self._still(list(self._ticking))

    def _take(self, message: ForwardMsg) -> None:
        path = tuple(message.metadata.delta_path)
        if message.WhichOneof("type") == "ref_hash":
            message = self._kept[message.ref_hash]
        elif message.metadata.cacheable:
            self._kept[message.hash] = message
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._script = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:
                self._still(list(self._ticking))
                self._drawn = set()
                self.running = True
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self.elements[path] = message.delta.new_element
            self._drawn.add(path)
        elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            self.elements = {place: one for place, one in self.elements.items() if place in self._drawn}
            self.running = False
        elif kind == "navigation":
            self._script = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            again = message.auto_rerun
            self._still([again.fragment_id])
            self._ticking[again.fragment_id] = asyncio.create_task(self._tick(again.fragment_id, again.interval))
        elif kind == "stop_auto_rerun":
            self._still(list(message.stop_auto_rerun.fragment_ids))


def _is(element: Element, kind: str) -> bool:
    return element.WhichOneof("type") == kind


@asynccontextmanager
async def visitor(url: str) -> AsyncIterator[Visitor]:
    """A new visitor of the server at ``url``; closes the page at the end."""
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    protocols = [Subprotocol("streamlit")]
    async with connect(address, subprotocols=protocols, max_size=None, open_timeout=120, ping_interval=None) as open:
        one = Visitor(open)
        listening = asyncio.create_task(one.listen())
        try:
            yield one
        finally:
            one.close()
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
