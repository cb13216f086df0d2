"""The outcome of a gate beside the audit of the new network: read as it was, or told as damaged."""

import json

import pytest
from audited import make_audit

import camcore
from camcore.errors import CamcoreError
from camcore.release.kept import NAME, keep_check, read_check

POLICY = b"[flips]\nat_most = 0.1\n[accuracy]\nat_least = 0.99"


def test_an_outcome_comes_back(tmp_path):
    made = make_audit(tmp_path / "audit", tmp_path / "pictures")
    assert read_check(made.folder) is None
    *_, step = camcore.check_audits(made.folder, made.folder, camcore.read_policy(POLICY))
    keep_check(step.result)
    kept = read_check(made.folder)
    assert (kept.passed, kept.verdict, kept.old) == (False, step.result.verdict, "pets")
    assert kept.weights_sha256 == made.manifest.network.weights_sha256


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"passed": 1}), '{"passed": true, "policy": 5}'])
def test_a_damaged_file_is_told(tmp_path, content):
    (tmp_path / NAME).write_text(content)
    with pytest.raises(CamcoreError, match="outcome of a gate"):
        read_check(tmp_path)
