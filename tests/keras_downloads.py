"""The weights files that Keras' constructors ask for, in place of any download or loading."""

from __future__ import annotations

import pytest

from camcore.models.weights_files import WeightsFile


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[WeightsFile]:
    """A list that fills as constructors ask; the networks keep their random weights."""
    from keras.src.models import Functional
    from keras.src.utils import file_utils

    asked: list[WeightsFile] = []

    def get_file(fname: str, origin: str, cache_subdir: str, file_hash: str | None = None) -> str:
        assert cache_subdir == "models"
        asked.append(WeightsFile(fname, origin, file_hash or ""))
        return "nothing.h5"

    monkeypatch.setattr(file_utils, "get_file", get_file)
    monkeypatch.setattr(Functional, "load_weights", lambda self, path: None)
    return asked
