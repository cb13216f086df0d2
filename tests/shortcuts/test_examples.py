"""Examples of a trial: pictures of another class that the network calls the group's class with its patch."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from planted import MARK, SIDE, colour_network, planted_folder

import camcore
from camcore.audits.groups import read_groups
from camcore.shortcuts.examples import FOLDER, MOST, differing, read_examples, write_examples
from camcore.shortcuts.state import group_key
from camcore.shortcuts.trial import Turned


def test_each_example_is_of_another_class_before_and_of_the_group_s_after(tmp_path):
    root, out = tmp_path / "pictures", tmp_path / "audit"
    root.mkdir()
    planted_folder(root)
    network = colour_network(magenta=400)
    list(camcore.audit(network, root, out, layer="cells"))
    first = read_groups(out)[0]
    assert first.suspect
    examples = read_examples(out, group_key(first))
    assert len(examples) == MOST
    for one in examples:
        said = [network.predict(camcore.Picture.from_array(rgb))[0].label for rgb in (one.before, one.after)]
        assert said == ["sky", "leaf"]
        changed = np.abs(one.after.astype(int) - one.before).max(axis=2) > 40  # JPEG changes the others by less
        rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) < 2.5 * MARK  # the mark and a rim
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count('alt="A picture of another class"') == MOST
    assert page.count('alt="The same with the patch: predicted as leaf"') == MOST
    assert "3 pictures of other classes in this trial, before and after: now “leaf”" in page
    shutil.rmtree(out / FOLDER)
    assert read_examples(out, group_key(first)) == ()


def plain(value: int) -> Turned:
    return Turned(np.full((SIDE, SIDE, 3), value, np.uint8), np.full((SIDE, SIDE, 3), 255 - value, np.uint8))


def test_no_picture_is_an_example_twice_and_there_are_few():
    made = [plain(value) for value in (10, 10, 20, 10, 30, 40)]
    chosen = differing(made[:2])
    assert [one.before[0, 0, 0] for one in chosen] == [10]
    assert [one.before[0, 0, 0] for one in differing(made[2:], chosen)] == [10, 20, 30]


@pytest.mark.parametrize("content", [b"", b"no picture", None])
def test_a_damaged_example_is_left_out(tmp_path, content):
    write_examples(tmp_path, "key", [plain(10), plain(20)])
    damaged = tmp_path / FOLDER / "key" / "1-after.jpg"
    damaged.unlink() if content is None else damaged.write_bytes(content)
    (left,) = read_examples(tmp_path, "key")
    np.testing.assert_allclose(left.before, 20, atol=3)


def test_examples_take_the_place_of_earlier_ones(tmp_path):
    write_examples(tmp_path, "key", [plain(10), plain(20)])
    write_examples(tmp_path, "key", [plain(60)])
    (left,) = read_examples(tmp_path, "key")
    np.testing.assert_allclose(left.after, 195, atol=3)
