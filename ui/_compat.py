"""Names of Streamlit outside its public interface; no other module of ``ui`` uses any."""

from streamlit import runtime
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
