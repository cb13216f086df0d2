"""Files are written whole or not at all, JSON that cannot be read is refused, and rows come back from CSV."""

import csv
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

from camcore.errors import CamcoreError
from camcore.files import (
    content_checked,
    from_cell,
    json_ready,
    parse_json,
    read_json,
    read_json_object,
    read_plain,
    replaced_whole,
    to_cell,
    to_csv,
    write_arrays,
    write_whole,
)


def test_a_file_is_written_with_its_folder_and_replaces_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "notes.txt"
    for content in (b"first", b"second"):
        assert write_whole(path, content) == path
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_an_interrupted_writer_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "notes.txt", b"first")

    def killed() -> None:
        with replaced_whole(path) as part:
            part.write_bytes(b"half of the sec")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for write in (lambda path: write_whole(path, b""), lambda path: write_arrays(path, np.zeros(1))):
        with pytest.raises(CamcoreError, match=r"'.*/file/inside' cannot be written: (File exists|Not a directory)"):
            write(tmp_path / "file" / "inside")


def test_arrays_come_back(tmp_path: Path) -> None:
    one = np.arange(6, dtype=np.float16).reshape(2, 3)
    np.testing.assert_array_equal(np.load(write_arrays(tmp_path / "one.npy", one)), one)
    with np.load(write_arrays(tmp_path / "more.npz", {"one": one, "text": np.array(["a"])})) as arrays:
        np.testing.assert_array_equal(arrays["one"], one)
        assert arrays["text"].tolist() == ["a"]


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_a_value_error(text: bytes, tmp_path: Path) -> None:
    path = write_whole(tmp_path / "a.json", text)
    with pytest.raises(ValueError):  # noqa: PT011 - of many kinds
        read_json(path)
    assert read_json_object(path) is None


@pytest.mark.parametrize("error", [IndexError(), KeyError("a"), OverflowError(), ZeroDivisionError(), AttributeError()])
def test_content_of_another_shape_is_told(error: Exception, tmp_path: Path) -> None:
    said = rf"holds no list of cats \({type(error).__name__}: .*Write it again"
    with (
        pytest.raises(CamcoreError, match=said),
        content_checked(tmp_path / "a.json", "list of cats", "Write it again."),
    ):
        raise error


def test_json_has_a_largest_size_and_may_have_to_be_finite(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "a.json", b'{"a": NaN}')
    assert list(read_json_object(path) or {}) == ["a"]
    with pytest.raises(ValueError, match="it has 10 bytes, and at most 9"):
        read_json(path, 9)
    with pytest.raises(ValueError, match="NaN is no JSON number"):
        parse_json(path.read_bytes(), finite=True)
    assert read_json_object(write_whole(path, b"[1]")) is None
    assert read_json_object(tmp_path / "none.json") is None


def test_values_are_made_ready_for_json(tmp_path: Path) -> None:
    value = {"a": (1, True, None), "b": np.array([[0.5, np.nan]], np.float32), 3: np.float16(np.inf), "path": tmp_path}
    wanted = {"a": [1, True, None], "b": [[0.5, None]], "3": None, "path": str(tmp_path)}
    assert json.loads(json.dumps(json_ready(value), allow_nan=False)) == wanted


def test_rows_come_back_as_they_were() -> None:
    rows = [["name", "note"], ["a, b", 'he said "no"'], ["Größe", "two\nlines"], [], ["=1+1", ""]]
    text = to_csv(rows).decode("utf-8")
    assert [[from_cell(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))] == rows


@pytest.mark.parametrize("text", ["=1+1", "+a", "-cat", "@x", "\t=1", "\r=1", "'=1", "=cmd|' /C calc'!A0"])
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert to_cell(text) == f"'{text}"
    assert from_cell(to_cell(text)) == text


@pytest.mark.parametrize("text", ["-0.48", "+1e-7", "-inf", "a=b", "'a", "", "cat"])
def test_numbers_and_plain_names_stay(text: str) -> None:
    assert to_cell(text) == from_cell(text) == text


def test_only_plain_files_of_a_bounded_size_are_read(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "a.json", b"[1, 2]")
    assert read_plain(path, 6) == b"[1, 2]"
    with pytest.raises(OSError, match="it has 6 bytes, and at most 5 are read"):
        read_plain(path, 5)
    os.mkfifo(tmp_path / "pipe")
    for other in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(OSError, match="it is no plain file"):
            read_plain(other)
    for name in ("a\0b", "a\ud800"):
        with pytest.raises(OSError, match="this cannot be a file's name"):
            read_plain(name)
    assert read_json_object(Path("/dev/zero")) is None


def test_a_line_feed_ends_each_row() -> None:
    assert to_csv(([1, 2.5], (None, "x"))) == b"1,2.5\n,x\n"
