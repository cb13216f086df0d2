"""Work that ended without its result is told in a sentence: a refusal in its own words, a full disk as such."""

import errno
import os

import pytest

import camcore
from ui.query import Failure


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_what_could_not_be_written_is_told(number: int) -> None:
    said = Failure.of(OSError(number, os.strerror(number), "/a/file"))
    assert f"could not be written on the machine that this app runs on: {os.strerror(number)}." in said.message
    assert "Free space or allow writing" in said.message


@pytest.mark.parametrize(("error", "begins"), [
    (camcore.CamcoreError("There are no pictures."), "There are no pictures."),
    (MemoryError(), "The machine ran out of memory."),
    (OSError(errno.EPIPE, "Broken pipe"), "Something unexpected went wrong"),
    (KeyError("a bug"), "Something unexpected went wrong"),
])  # fmt: skip
def test_anything_else_is_told_as_what_it_is(error: Exception, begins: str) -> None:
    assert Failure.of(error).message.startswith(begins)
