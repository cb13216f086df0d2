"""Uploaded pictures are kept as long as a session has them, and no longer."""

import gc
from types import SimpleNamespace

import pytest

from ui import pictures
from ui.pictures import Upload


def test_an_upload_is_found_by_its_token_until_nobody_has_it() -> None:
    one, other = Upload(b"1", "a.png"), Upload(b"1", "a.png")
    token = one.token
    assert pictures.find(token) is one
    assert other.token != token
    assert len(token) >= 22  # 128 bits and more
    assert pictures.find(token[:-1]) is None
    del one
    gc.collect()
    assert pictures.find(token) is None
    assert pictures.find(other.token) is other


def test_what_a_frozen_session_had_goes_when_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    session: dict[str, object] = {"upload": Upload(b"1", "a.png")}
    session["session"] = session  # a cycle, as Streamlit's sessions are
    token = session["upload"].token  # type: ignore[attr-defined]
    monkeypatch.setattr(pictures, "time", SimpleNamespace(monotonic=lambda: 1e9))
    assert pictures.find(token) is not None
    gc.freeze()  # as after the import of TensorFlow
    del session
    gc.collect()
    assert pictures.find(token) is not None, "not more often than it is worth"
    monkeypatch.setattr(pictures, "time", SimpleNamespace(monotonic=lambda: 1e9 + pictures.FREE_EVERY))
    assert pictures.find(token) is None
    gc.unfreeze()
