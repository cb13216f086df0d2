"""Which preprocessing was chosen on the Models page for a declared network, kept in a small file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from camcore.errors import CamcoreError, ModelError
from camcore.files import read_json_object, write_whole
from camcore.models.preprocessing import TITLES
from camcore.models.saved import home


def write_choice(name: str, identity: str, preprocessing: str) -> None:
    """Keep the choice for the network of that name; ``identity``: of the function or file that makes it.

    Raises ModelError where it cannot be written.
    """
    path = _note(name)
    try:
        write_whole(path, json.dumps({"target": identity, "preprocessing": preprocessing}).encode())
    except CamcoreError as error:
        raise ModelError(
            f"The preprocessing of {name!r} cannot be kept: {error} Or have the factory return it."
        ) from error


def read_choice(name: str, identity: str) -> str:
    """The preprocessing kept for that name, "" where there is none, or something else makes the network now."""
    choice = read_json_object(_note(name)) or {}
    usable = choice.get("target") == identity and choice.get("preprocessing") in TITLES
    return str(choice["preprocessing"]) if usable else ""


def _note(name: str) -> Path:
    """Where the choice for a network of that name lies."""
    return home() / "factories" / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.json"
