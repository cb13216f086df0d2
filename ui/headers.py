"""Headers of every answer of the server, and how much a visitor may send to a public one; plain ASGI, no Streamlit."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ui.policy import MOST_UPLOADED, policy

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

HEADERS = (
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"content-security-policy", b"frame-ancestors 'self'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)
_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/")
_METRICS = "/_stcore/metrics"  # tell how many visitors there are
_MOST_SESSIONS = 10_000


class SafeHeaders:
    """Adds HEADERS to every answer; on a public server it counts what each session uploads, and refuses too much."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._uploaded: OrderedDict[str, int] = OrderedDict()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {name for name, _ in HEADERS}
                kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in own]
                message = {**message, "headers": [*kept, *HEADERS]}
            await send(message)

        if policy().public and scope["path"].endswith(_METRICS):
            await answer({"type": "http.response.start", "status": 404, "headers": []})
            await answer({"type": "http.response.body", "body": b""})
            return
        session = _UPLOAD.search(scope["path"]) if scope["method"] == "PUT" and policy().public else None
        if session is None:
            await self._app(scope, receive, answer)
        elif not self._count(session[1], size := _size(scope)):
            await answer({"type": "http.response.start", "status": 413, "headers": [(b"content-type", b"text/plain")]})
            await answer({"type": "http.response.body", "body": b"More than this server takes of a visitor."})
        else:
            try:
                await self._app(scope, receive, answer)
            finally:
                if not 200 <= status < 300:  # of no session, perhaps: those must not push others out
                    self._count(session[1], -size)

    def _count(self, session: str, size: int) -> bool:
        """Count an upload, where there is room for it."""
        used = self._uploaded.pop(session, 0) + size
        counted = used <= MOST_UPLOADED
        if now := used if counted else used - size:
            self._uploaded[session] = now
        while len(self._uploaded) > _MOST_SESSIONS:
            self._uploaded.popitem(last=False)
        return counted


def _size(scope: Message) -> int:
    """The size of an upload by what it says; one that does not say is taken for the largest."""
    said = dict(scope["headers"]).get(b"content-length", b"")
    return int(said[:20]) if said.isdigit() else MOST_UPLOADED
