"""The state of a court as it is kept between two sittings."""

from __future__ import annotations

import json

import numpy as np
import pytest

from camcore.audits.finding import CopyGroup
from camcore.shortcuts.state import NAME, State, read_state, write_state
from camcore.shortcuts.verdict import Copied

SHAPES = {
    "none": None,
    "noise": np.random.default_rng(0).random((7, 9)) < 0.4,
    "from the first pixel to the last": np.array([[True, False], [False, True]]),
    "all": np.ones((3, 2), bool),
    "nothing": np.zeros((3, 2), bool),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_copy_with_its_shape_is_read_as_it_was_written(tmp_path, name):
    copy = CopyGroup("dog", {"dog/1.png": (1, 2, 3, 4)}, Copied(0.875, 0.25, 0.5), SHAPES[name])
    write_state(tmp_path, State({"dog": [copy]}, {"dog": []}))
    (read,) = read_state(tmp_path).copies["dog"]
    assert (read.label, read.boxes, read.copied) == (copy.label, copy.boxes, copy.copied)
    np.testing.assert_array_equal(read.shape, copy.shape)


def test_a_copy_of_an_older_court_has_no_shape(tmp_path):
    write_state(tmp_path, State({"dog": [CopyGroup("dog", {}, Copied(0.9, 0.2))]}))
    content = json.loads((tmp_path / NAME).read_text())
    for name in ("shape", "in_place"):
        del content["copies"]["dog"][0][name]
    (tmp_path / NAME).write_text(json.dumps(content))
    (read,) = read_state(tmp_path).copies["dog"]
    assert (read.shape, read.copied) == (None, Copied(0.9, 0.2))


@pytest.mark.parametrize("runs", [[3], [-1, 5], [], ["x"], [1, 2, 10**9], None])
def test_a_shape_that_cannot_be_is_a_damaged_state(tmp_path, runs):
    write_state(tmp_path, State({"dog": [CopyGroup("dog", {}, Copied(0.9, 0.2), np.eye(2) > 0)]}))
    content = json.loads((tmp_path / NAME).read_text())
    content["copies"]["dog"][0]["shape"]["runs"] = runs
    (tmp_path / NAME).write_text(json.dumps(content))
    assert vars(read_state(tmp_path)) == vars(State())
