"""Folders that a visitor names."""

import os
from pathlib import Path

import pytest

from ui.picture_folders import named


def test_the_number_changes_with_the_folder(tmp_path: Path) -> None:
    root, version = named(str(tmp_path))
    assert root == tmp_path
    assert version > 0
    os.utime(tmp_path, ns=(version + 5, version + 5))
    assert named(str(tmp_path)) == (tmp_path, version + 5)


@pytest.mark.parametrize("path", ["/nowhere/at/all", "~nobody-of-this-name/x", "a\0b", "x" * 5000])
def test_what_is_no_folder_has_no_number(path: str) -> None:
    assert named(path)[1] == 0
