"""Predictions written and read again are the same to the last digit; a damaged table is refused by its line."""

from __future__ import annotations

import numpy as np
import pytest

from camcore.errors import CamcoreError
from camcore.evaluation.predict import Predictions
from camcore.evaluation.table import read_csv, write_csv

ROWS = np.random.default_rng(0).dirichlet([1, 1, 1], 4)
P = Predictions(
    ("a/1.jpg", 'b/with, comma and "quotes".jpg', "c/new\nline\u2028.jpg", "c/ü.jpg"),
    np.array([0, 1, 2, 2], np.int64),
    ROWS,
    ("a", "b, or so", "c"),
)


def test_what_is_written_comes_back_exactly(tmp_path):
    found = read_csv(write_csv(tmp_path / "new" / "p.csv", P))
    assert (found.files, found.classes) == (P.files, P.classes)
    assert found.labels.tolist() == P.labels.tolist()
    assert np.array_equal(found.probabilities, P.probabilities)
    assert not list(tmp_path.rglob("*.part"))


GOOD = "file,label,p:cat,p:dog\nx.jpg,cat,0.75,0.25\ny.jpg,dog,0.5,0.5\n"


def test_the_plain_form(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(GOOD)
    found = read_csv(path)
    assert found.probabilities.tolist() == [[0.75, 0.25], [0.5, 0.5]]
    assert write_csv(path, found).read_text() == GOOD


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("name,label,p:cat,p:dog\n", "first line"),
        ("file,label,p:cat\nx.jpg,cat,1\n", "first line"),
        ("file,label,p:cat,dog\nx.jpg,cat,1,0\n", "first line"),
        ("file,label,p:cat,p:cat\nx.jpg,cat,1,0\n", "same class"),
        ("file,label,p:cat,p:dog\n", "no rows"),
        (GOOD + "z.jpg,cat,0.9\n", "line 4 has 3 values instead of 4"),
        (GOOD + "z.jpg,ca", "line 4 has 2 values"),
        (GOOD + "z.jpg,wolf,0.9,0.1\n", "line 4 has the label 'wolf'"),
        (GOOD + "z.jpg,cat,0.9,?\n", "line 4 has a probability that is no number"),
        (GOOD + "z.jpg,cat,nan,0.5\n", "outside 0 to 1"),
        (GOOD + "z.jpg,cat,1.5,0.5\n", "outside 0 to 1"),
        (GOOD + "x.jpg,cat,0.5,0.5\n", "line 4 has the file 'x.jpg' once more"),
        (GOOD + ",cat,0.5,0.5\n", "line 4 has no file"),
        (GOOD + '"z.jpg,cat,0.5,0.5\n', "not a table"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, text, message):
    path = tmp_path / "p.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CamcoreError, match=message):
        read_csv(path)


def test_no_table_at_all(tmp_path):
    with pytest.raises(CamcoreError, match="cannot be read"):
        read_csv(tmp_path / "none.csv")


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CamcoreError, match="cannot be written"):
        write_csv(tmp_path / "file" / "p.csv", P)
