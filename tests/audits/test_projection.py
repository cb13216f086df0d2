"""The evidence on a plane, against the singular values of the same vectors."""

from __future__ import annotations

import numpy as np
import pytest
from audited import MadeUp, make_audit

from camcore.audits.filters import Filters
from camcore.audits.projection import project
from camcore.audits.store import open_audit


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    home = tmp_path_factory.mktemp("audits")
    return make_audit(home / "audit", home, 60, failed=(5,))


def test_points_are_the_principal_components_of_the_directions(made: MadeUp) -> None:
    found = project(open_audit(made.folder))
    assert found is not None
    kept = [i for i in range(60) if i != 5]
    vectors = made.evidence[kept].astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    centred = vectors - vectors.mean(axis=0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    points = centred @ axes[:2].T
    points *= np.sign((points * found.points).sum(axis=0))
    np.testing.assert_allclose(found.points, points, atol=1e-5)
    np.testing.assert_allclose(found.explained, (values**2 / (values**2).sum())[:2], rtol=1e-4)
    assert found.rows["path"].to_pylist() == [made.rows[i]["path"] for i in kept]
    assert found.of == 59


def test_a_box_holds_the_points_between_its_edges(made: MadeUp) -> None:
    found = project(open_audit(made.folder))
    assert found is not None
    x, y = found.points.T
    box = (float(np.median(x)), float(x.max()), float(y.min()), float(np.median(y)))
    wanted = [
        path
        for path, (a, b) in zip(found.rows["path"].to_pylist(), found.points, strict=True)
        if box[0] <= a <= box[1] and box[2] <= b <= box[3]
    ]
    assert list(found.inside(box)) == wanted
    assert 0 < len(wanted) < 59


def test_a_sample_is_spread_over_all_pictures(made: MadeUp) -> None:
    found = project(open_audit(made.folder), most=10)
    assert found is not None
    labels = found.rows["label"].to_pylist()
    assert (len(found.points), found.of) == (10, 59)
    assert (labels.count("cat"), labels.count("dog")) == (5, 5)


def test_fewer_than_three_pictures_have_no_plane(made: MadeUp) -> None:
    assert project(open_audit(made.folder), Filters(search="/00"), most=2) is None
    assert project(open_audit(made.folder), Filters(said="nobody")) is None
