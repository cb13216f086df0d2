"""Refusal in a process forked after TensorFlow had started: its threads are gone, and the first run would hang."""

from __future__ import annotations

import os

from camcore._compat import tensorflow_has_started
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
    _FORKED = _FORKED or tensorflow_has_started()


if hasattr(os, "register_at_fork"):  # where there is fork at all
    os.register_at_fork(after_in_child=_note)
