"""Messages between a browser and a public server: what Streamlit's own tools ask for and tell is left out.

Besides what its pages send, Streamlit's server takes requests that are meant for whoever develops an app: to clear the
caches of all visitors, to tell which files of the program's repository were changed, to write files beside the program.
It also tells each browser where the program lies. Plain ASGI.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from ui._compat import sent_by_pages
from ui.policy import policy

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_SCRIPT = Path(__file__).parents[1] / "app.py"
PLACES = {os.fsencode(path(_SCRIPT)) for path in (os.path.abspath, os.path.realpath)}
"""The path of the program as messages have it."""


class PagesOnly:
    """Passes on what pages send and receive. The program's path is overwritten, as long as before."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or not policy().public:
            await self._app(scope, receive, send)
            return

        async def hear() -> Message:
            while True:
                message = await receive()
                data = message.get("bytes")
                if not isinstance(data, bytes) or sent_by_pages(data):
                    return message

        async def tell(message: Message) -> None:
            data = message.get("bytes")
            if isinstance(data, bytes):
                for place in PLACES:
                    data = data.replace(place, b"." * len(place))
                message = {**message, "bytes": data}
            await send(message)

        await self._app(scope, hear, tell)
