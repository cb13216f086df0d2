"""Pictures of alike evidence, against every cosine; evidence in a box against the activations."""

from __future__ import annotations

import shutil

import numpy as np
import pyarrow as pa
import pytest
from audited import CHUNK, make_audit
from labelled import make_folder
from small import network_folder

import camcore
from camcore.audits.manifest import read_manifest
from camcore.audits.nearest import evidence_in_box, most_alike
from camcore.audits.schema import SCHEMA, write_part
from camcore.audits.store import open_audit
from camcore.errors import CamcoreError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("audits")
    return make_audit(home / "audit", home / "pictures", 40, failed=(5, 16))


@pytest.mark.parametrize("said", [None, "cat"])
def test_the_most_alike_have_the_largest_cosines(made, said):
    wanted = made.evidence[3].astype(np.float64)
    cosines = {}
    for row, vector in zip(made.rows, made.evidence.astype(np.float64), strict=True):
        if row["error"] is None and said in (None, row["predicted"]):
            cosines[row["path"]] = vector @ wanted / np.linalg.norm(vector) / np.linalg.norm(wanted)
    best = sorted(cosines, key=lambda path: -cosines[path])[:7]
    found = most_alike(made.folder, wanted, 7, said)
    assert [one.path for one in found] == best
    assert [one.similarity for one in found] == pytest.approx([cosines[path] for path in best], abs=1e-5)


def test_an_audit_that_has_changed_is_read_anew(made, tmp_path):
    folder = shutil.copytree(made.folder, tmp_path / "audit")
    wanted = made.evidence[3].astype(np.float64)
    assert most_alike(folder, wanted, 1)[0].path == made.rows[3]["path"]
    other = dict(made.rows[3], evidence=made.evidence[4], path="another.png")
    rows = [other if row is made.rows[3] else row for row in made.rows[:CHUNK]]
    write_part(folder, 0, pa.Table.from_pylist(rows, schema=SCHEMA))
    assert "another.png" not in {one.path for one in most_alike(made.folder, made.evidence[4], 2)}
    assert {one.path for one in most_alike(folder, made.evidence[4], 2)} == {"another.png", made.rows[4]["path"]}


def test_nothing_is_like_no_evidence(made):
    with pytest.raises(CamcoreError, match="zero, or not finite"):
        most_alike(made.folder, np.zeros(6))


def test_evidence_of_another_layer_is_refused(made):
    with pytest.raises(CamcoreError, match="not 5"):
        most_alike(made.folder, np.ones(5))


def test_evidence_in_a_box(tmp_path):
    """All of the picture gives the audit's own evidence; the area of one cell that cell's activations."""
    network = camcore.load(network_folder(tmp_path / "net", ("across", "down")))
    pictures = make_folder(tmp_path / "data", {"across": 3, "down": 3}, (40, 56))
    for _ in camcore.audit(network, pictures, tmp_path / "audit", framing="stretch", workers=0):
        pass
    manifest, audit = read_manifest(tmp_path / "audit"), open_audit(tmp_path / "audit")
    path = "down/001.png"
    pic, values = camcore.open_picture(pictures / path), audit.maps([path])[0]
    A = camcore.activations(network, pic, layers=[manifest.layer], framing="stretch")[manifest.layer]
    whole = evidence_in_box(network, manifest, pic, values, (0, 0, 40, 56))
    np.testing.assert_allclose(whole, audit.evidence([path])[0], rtol=3e-3, atol=1e-4)
    row, column = np.unravel_index(values.argmax(), values.shape)
    cell = camcore.look_at_cells(network, pic, manifest.layer, framing="stretch").area(int(row), int(column))
    found = evidence_in_box(network, manifest, pic, values, cell)
    np.testing.assert_allclose(found, A[row, column], rtol=1e-4, atol=1e-6)
