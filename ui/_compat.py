"""Names of Streamlit outside its public interface; no other module of ``ui`` uses any."""

from google.protobuf.message import DecodeError
from streamlit import runtime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx


def is_history_navigation() -> bool:
    """True where the browser's Back or Forward started this run.

    An address alone does not tell: a busy browser still sends the one from before the last choice.
    """
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def in_session() -> bool:
    """True in a thread that runs a visitor's script, False in those that work in the background."""
    return get_script_run_ctx(suppress_warning=True) is not None


def session_id() -> str | None:
    """The name of this run's session, which outlives a lost connection; None outside a server, as in tests."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context is not None and runtime.exists() else None


def is_connected(session: str) -> bool:
    """True while a browser holds the session of this name open; outside a server always. Safe in any thread."""
    return not runtime.exists() or runtime.get_instance().is_active_session(session)


def sent_by_pages(data: bytes) -> bool:
    """True for a browser's message that a page sends, False for a request of Streamlit's tools for developers."""
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return False
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload") in ("deferred_file", "dataframe_chunk")
    return kind in ("rerun_script", "stop_script", "app_heartbeat", "file_urls_request")
