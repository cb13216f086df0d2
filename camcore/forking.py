"""A process that was forked after TensorFlow had started: its threads are gone, and the first question would hang."""

from __future__ import annotations

import os
import sys

from camcore.errors import CamcoreError

_FORKED = False


def check_not_forked() -> None:
    """Raise CamcoreError in a process that was made by fork after TensorFlow had started in its parent."""
    if _FORKED:
        raise CamcoreError(
            "This process was forked after TensorFlow had started, and TensorFlow's threads do not live on in a copy: "
            "it would wait for them for ever. Start worker processes with multiprocessing.get_context('spawn') and "
            "make the network inside them, or fork before TensorFlow is first used."
        )


def _note() -> None:
    global _FORKED
    _FORKED = _FORKED or _tensorflow_has_started()


def _tensorflow_has_started() -> bool:
    """Whether TensorFlow has threads and devices, and not only been imported. Starts nothing."""
    current = getattr(sys.modules.get("tensorflow.python.eager.context"), "context_safe", lambda: None)()
    return current is not None and bool(getattr(current, "_initialized", True))


if hasattr(os, "register_at_fork"):  # where there is fork at all
    os.register_at_fork(after_in_child=_note)
