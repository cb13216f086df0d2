"""Where the development data lies: real weights, photographs and masks that are not part of the project.

The folder is looked for in ``CAMCORE_SHARED``, else as ``shared`` beside the checkout. Where it is absent a
test that needs it is skipped with the reason, but fails where ``CI`` is set: there its absence is a fault.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("CAMCORE_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def shared(*parts: str) -> Path:
    """The path of a shared file or folder below ``data``; skips (fails on CI) where it is absent."""
    path = ROOT.joinpath("data", *parts)
    if not path.exists():
        reason = f"needs {path.name!r} of the development data, which is not at {ROOT} (set CAMCORE_SHARED)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path
