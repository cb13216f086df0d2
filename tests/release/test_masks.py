"""Maps on the objects' masks, against the same share of a map that is drawn on its picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from audited import MadeUp, draw_pictures, make_audit
from PIL import Image

from camcore.audits.store import open_audit
from camcore.errors import CamcoreError
from camcore.framing import frame_for
from camcore.metrics.localisation import locate
from camcore.release import masks
from camcore.release.masks import InsideMasks, inside_masks, mask_files, masks_of

SIZE = (40, 48)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[MadeUp, MadeUp]:
    """Two audits of the same pictures of noise, with other maps."""
    home = tmp_path_factory.mktemp("audits")
    both = [make_audit(home / name, home / "pictures", 12, failed=(), seed=seed) for seed, name in enumerate("ab")]
    draw_pictures(both[0])
    return both[0], both[1]


def draw_masks(folder: Path, made: MadeUp, leave: Sequence[int] = ()) -> dict[str, np.ndarray]:
    """Put a mask of 0, 1 and a border of 2 at the path of each picture."""
    rng = np.random.default_rng(3)
    drawn = {}
    for row in made.rows:
        if row["index"] not in leave:
            values = rng.integers(0, 3, SIZE).astype(np.uint8)
            path = folder / row["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(path)
            drawn[row["path"]] = values
    return drawn


def found(made: tuple[MadeUp, MadeUp], folder: Path) -> InsideMasks:
    old, new = (open_audit(one.folder) for one in made)
    *_, last = inside_masks(old, new, [row["path"] for row in made[0].rows], mask_files(folder))
    return last


def test_shares_are_those_of_the_maps_on_their_pictures(
    made: tuple[MadeUp, MadeUp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masks, "BATCH", 5)
    drawn = draw_masks(tmp_path, made[0], leave=(4,))
    shares = found(made, tmp_path)
    assert list(shares.paths) == list(drawn)
    assert (shares.without, shares.unusable, shares.looked_at) == (1, 0, 11)
    for one, values in zip(made, (shares.old, shares.new), strict=True):
        places = [row["index"] for row in one.rows if row["path"] in drawn]
        for place, path, value in zip(places, shares.paths, values, strict=True):
            on_picture = frame_for(SIZE, (32, 32), "stretch").to_picture(one.maps[place])
            mask = drawn[path]
            assert value == locate("gradcam", on_picture, mask == 1, ignored=mask == 2).energy


def test_masks_that_cannot_be_used_are_counted(made: tuple[MadeUp, MadeUp], tmp_path: Path) -> None:
    draw_masks(tmp_path, made[0])
    Image.fromarray(np.ones((3, 3), np.uint8)).save(tmp_path / "cat" / "000.png")
    (tmp_path / "dog" / "007.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    Image.fromarray(np.zeros(SIZE, np.uint8)).save(tmp_path / "dog" / "008.png")
    shares = found(made, tmp_path)
    assert (len(shares.paths), shares.unusable, shares.without) == (9, 3, 0)
    assert "is 3×3" in shares.reason


def test_a_mask_is_found_by_its_path_or_by_a_name_that_no_other_picture_has(tmp_path: Path) -> None:
    paths = ["cat/1.jpg", "dog/1.jpg", "dog/2.jpg", "owl/3.jpg"]
    for name in ("cat/1.png", "1.png", "2.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert masks_of(paths, mask_files(tmp_path)) == {
        "cat/1.jpg": tmp_path / "cat" / "1.png",
        "dog/2.jpg": tmp_path / "2.png",
    }


def test_folders_without_masks_are_refused(tmp_path: Path) -> None:
    for folder, said in ((tmp_path, "There are no pictures"), (tmp_path / "none", "cannot be read: No such file")):
        with pytest.raises(CamcoreError, match=said):
            mask_files(folder)
