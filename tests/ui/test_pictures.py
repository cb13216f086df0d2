"""Uploaded pictures are kept as long as a session has them, and no longer."""

import gc

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
