"""Which preprocessing was chosen on the Models page for a declared network, kept in a small file."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from camcore.errors import ModelError
from camcore.models.preprocessing import TITLES
from camcore.models.saved import home


def write_choice(name: str, identity: str, preprocessing: str) -> None:
    """Keep the choice for the network of that name; ``identity``: of the function or file that makes it.

    Raises ModelError where it cannot be written.
    """
    path = _note(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps({"target": identity, "preprocessing": preprocessing}), "utf-8")
        os.replace(part, path)
    except OSError as error:
        raise ModelError(
            f"The preprocessing of {name!r} cannot be kept in '{path}': {error.strerror or error}. Allow "
            "writing there, or have the factory return it."
        ) from error


def read_choice(name: str, identity: str) -> str:
    """The preprocessing kept for that name, "" where there is none, or something else makes the network now."""
    with suppress(OSError, ValueError, AttributeError):
        told = json.loads(_note(name).read_text("utf-8"))
        if told.get("target") == identity and told.get("preprocessing") in TITLES:
            return str(told["preprocessing"])
    return ""


def _note(name: str) -> Path:
    """Where the choice for a network of that name lies."""
    return home() / "factories" / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.json"
