"""Removing weights and networks: only what this program put on this machine, or what lies in its own folders."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from camcore.errors import ModelError
from camcore.models.catalogue import backbone, find_weights
from camcore.models.description import SavedNetwork
from camcore.models.saved import is_own, networks_folder
from camcore.models.weights_files import forget, is_ours, keras_cache, search_folders


def why_kept(name: str) -> str:
    """The reason why the ImageNet weights of a backbone cannot be removed; "" where they can."""
    path = find_weights(name)
    if path is None:
        return f"The weights of {name} are not on this machine."
    if path.parent == keras_cache():
        if not is_ours(path):
            return (
                f"'{path}' lies in Keras's cache, and was put there by another program, which may need it. It is "
                "never removed from here."
            )
    elif path.parent not in search_folders():
        return f"'{path}' lies outside the folders of weights. It is never removed from here."
    if not os.access(path.parent, os.W_OK):
        return f"'{path}' cannot be removed: its folder cannot be written to."
    return ""


def remove_weights(name: str) -> Path:
    """Delete the ImageNet weights file of a backbone, and return the path that it had.

    Only a file in a folder named by ``CAMCORE_WEIGHTS``, or one in Keras's cache that this program downloaded. Raises
    ModelError for any other, and where it cannot be deleted.
    """
    backbone(name)
    path, reason = find_weights(name), why_kept(name)
    if path is None or reason:
        raise ModelError(f"{reason} Delete the file by hand if you are sure.")
    try:
        path.unlink()
    except OSError as error:
        raise ModelError(f"'{path}' cannot be removed: {error.strerror or error}. Allow writing there.") from error
    forget(path)
    return path


def remove_network(saved: SavedNetwork) -> None:
    """Delete the folder of a network of one's own, with its weights, checkpoints and record.

    Raises ModelError for a bundled network, for one that lies elsewhere, and where it cannot be deleted.
    """
    if not is_own(saved):
        raise ModelError(
            f"The network {saved.name!r} in '{saved.folder}' is never removed from here: "
            + ("it comes with the project. " if saved.bundled else f"it does not lie in '{networks_folder()}'. ")
            + "Delete the folder by hand if you are sure."
        )
    if saved.folder.is_symlink():  # only the link: what it leads to lies elsewhere
        saved.folder.unlink()
        return
    try:
        shutil.rmtree(saved.folder)
    except OSError as error:
        raise ModelError(
            f"The network {saved.name!r} cannot be removed from '{saved.folder}': {error.strerror or error}. Allow "
            "writing there."
        ) from error
