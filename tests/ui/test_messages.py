"""On a public server a browser can send what pages send, and is not told where the program lies."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from ui.messages import PagesOnly


def asked(**fields: Any) -> bytes:
    return bytes(BackMsg(**fields).SerializeToString())


OF_PAGES = [
    asked(rerun_script={"query_string": "model=VGG16"}),
    asked(stop_script=True),
    asked(app_heartbeat=True),
    asked(file_urls_request={"request_id": "1", "file_names": ["a.png"]}),
    asked(backend_operation_request={"request_id": "1", "deferred_file": {"file_id": "2"}}),
    asked(backend_operation_request={"request_id": "1", "dataframe_chunk": {"source_id": "2"}}),
]
OF_TOOLS = [
    asked(clear_cache=True),
    asked(load_git_info=True),
    asked(set_run_on_save=True),
    asked(debug_shutdown_runtime=True),
    asked(debug_disconnect_websocket=True),
    asked(backend_operation_request={"request_id": "1", "install_skills": {}}),
    asked(backend_operation_request={"request_id": "1", "dismiss_skills_nudge": {}}),
    asked(backend_operation_request={"request_id": "1"}),
    asked(),
    b"\xff\xff nonsense",
]
END = {"type": "websocket.disconnect", "code": 1000}


def talk(sent: list[bytes], told: bytes) -> tuple[list[bytes], bytes]:
    """The messages that reach Streamlit, and the browser."""
    browser = iter([*({"type": "websocket.receive", "bytes": one} for one in sent), END])
    heard: list[bytes] = []
    received: list[bytes] = []

    async def streamlit(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive()) != END:
            heard.append(message["bytes"])
        await send({"type": "websocket.send", "bytes": told})

    async def receive() -> Any:
        return next(browser)

    async def send(message: Any) -> None:
        received.append(message["bytes"])

    asyncio.run(PagesOnly(streamlit)({"type": "websocket"}, receive, send))
    return heard, received[0]


@pytest.mark.parametrize("public", [True, False])
def test_only_what_pages_send_and_need(public: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_PUBLIC", "1" if public else "")
    script = str(Path(__file__).resolve().parents[2] / "app.py")
    told = ForwardMsg(new_session={"name": "app", "main_script_path": script})
    heard, received = talk([*OF_TOOLS, *OF_PAGES], told.SerializeToString())
    assert heard == (OF_PAGES if public else [*OF_TOOLS, *OF_PAGES])
    session = ForwardMsg.FromString(received).new_session
    assert session.name == "app"
    assert session.main_script_path == ("." * len(script) if public else script)
