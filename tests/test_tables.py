"""Tables and arrays as files: what programs read back, and the bytes that it is."""

import csv
import io

import numpy as np
from camcore.files import to_csv, to_npz


def test_rows_come_back_as_they_were() -> None:
    rows = [["name", "note"], ["a, b", 'he said "no"'], ["Größe", "two\nlines"], [], ["=1+1", ""]]
    text = to_csv(rows).decode("utf-8")
    assert list(csv.reader(io.StringIO(text, newline=""))) == rows


def test_a_line_feed_ends_each_row() -> None:
    assert to_csv(([1, 2.5], (None, "x"))) == b"1,2.5\n,x\n"


def test_arrays_come_back_under_their_names() -> None:
    with np.load(io.BytesIO(to_npz(map=np.eye(2), layer="conv", seed=7)), allow_pickle=False) as file:
        np.testing.assert_array_equal(file["map"], np.eye(2))
        assert (str(file["layer"]), int(file["seed"])) == ("conv", 7)
