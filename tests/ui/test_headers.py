"""No other site may frame the app, and a public server takes only so much of a session."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ui import headers
from ui.headers import SafeHeaders


def asked(app: SafeHeaders, path: str, method: str = "GET", size: int | None = None) -> tuple[int, dict[bytes, bytes]]:
    """The status and headers of an answer."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    length = [] if size is None else [(b"content-length", str(size).encode())]
    scope = {"type": "http", "path": path, "method": method, "headers": length}
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"])


async def page(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Frame-Options", b"ALLOWALL")]})
    await send({"type": "http.response.body", "body": b""})


def test_no_other_site_may_frame_it() -> None:
    status, found = asked(SafeHeaders(page), "/")
    assert status == 200
    assert found[b"x-frame-options"] == b"SAMEORIGIN"
    assert found[b"content-security-policy"] == b"frame-ancestors 'self'"
    assert b"X-Frame-Options" not in found


def test_a_public_server_does_not_tell_how_many_visitors_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    for public, status in (("1", 404), ("", 200)):
        monkeypatch.setenv("CAMCORE_PUBLIC", public)
        assert asked(SafeHeaders(page), "/below/_stcore/metrics")[0] == status


def test_uploads_of_a_session_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "MOST_UPLOADED", 1000)
    path = "/_stcore/upload_file/{}/1"
    monkeypatch.setenv("CAMCORE_PUBLIC", "1")
    app = SafeHeaders(page)
    got = [asked(app, path.format(session), "PUT", size)[0] for session, size in (("a", 600), ("b", 600), ("a", 600))]
    assert got == [200, 200, 413]
    assert asked(app, path.format("c"), "PUT")[0] == 200, "unknown: as large as may be"
    assert asked(app, path.format("c"), "PUT", 1)[0] == 413
    monkeypatch.setenv("CAMCORE_PUBLIC", "")
    assert asked(app, path.format("a"), "PUT", 5000)[0] == 200


def test_uploads_that_are_refused_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do they push the counts of others out: anybody may make up names of sessions."""
    monkeypatch.setattr(headers, "MOST_UPLOADED", 1000)
    monkeypatch.setattr(headers, "_MOST_SESSIONS", 2)
    monkeypatch.setenv("CAMCORE_PUBLIC", "1")

    async def known(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204 if "mine" in scope["path"] else 400, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = SafeHeaders(known)
    path = "/_stcore/upload_file/{}/1"
    assert asked(app, path.format("mine"), "PUT", 600)[0] == 204
    assert {asked(app, path.format(f"made-up-{number}"), "PUT", 600)[0] for number in range(4)} == {400}
    assert asked(app, path.format("made-up-1"), "PUT", 600)[0] == 400
    assert asked(app, path.format("mine"), "PUT", 600)[0] == 413
    assert asked(app, path.format("mine"), "PUT", 300)[0] == 204, "what was refused takes no room"
