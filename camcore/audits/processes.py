"""The choice of worker processes for an audit: none, or how many."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from camcore.audits.rows import Chunk
from camcore.errors import CamcoreError
from camcore.lazy import tf

_PAYS = 1500
"""Pictures from which on workers are faster, which first import TensorFlow and make the network anew."""

_GUARD = re.compile(r"^if\s+__name__\s*==", re.MULTILINE)


def check_workers(workers: int | None) -> None:
    """Raise CamcoreError where workers are asked for by a script that would run again in each of them."""
    if workers is not None and workers > 1 and not _main_can_be_imported():
        raise CamcoreError(
            f"workers={workers} cannot be used by '{_main_file()}': Python runs a script anew in each process that it "
            'starts, from its first line to its last. Put what the script does under `if __name__ == "__main__":`, or '
            "take workers=0."
        )


def worker_count(chunks: Sequence[Chunk], workers: int | None) -> int:
    """The number of worker processes for the chunks that are left; 1 or less for none.

    Where it was not said (None): none on a GPU, which processes cannot share, and none for a few pictures.
    """
    if workers is None:
        few = sum(len(chunk.paths) for chunk in chunks) < _PAYS
        if few or not _main_can_be_imported() or tf.config.list_physical_devices("GPU"):
            return 0
        from dask.system import CPU_COUNT

        workers = int(CPU_COUNT)
    return min(workers, len(chunks))


def _main_can_be_imported() -> bool:
    """Tell whether a new process may import the program, as it does, without all of it running again."""
    file = _main_file()
    if file is None or getattr(sys.modules["__main__"], "__spec__", None) is not None:
        return True
    try:
        return _GUARD.search(Path(file).read_text(encoding="utf-8")) is not None
    except (OSError, UnicodeDecodeError):
        return False


def _main_file() -> str | None:
    return getattr(sys.modules["__main__"], "__file__", None)
