"""What a report keeps, and what it refuses to keep."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from reported import audit_item, cam_map, finding, grey, item, picture

from camcore.errors import CamcoreError, PictureError
from camcore.pictures.picture import open_picture
from camcore.report.document import PictureFile, VerdictSummary, bytes_of, verdict_summary
from camcore.verdict.rules import Reason, Verdict


def jpeg(rgb: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG")
    return file.getvalue()


def test_a_picture_is_kept_as_the_file_it_came_from():
    data = jpeg(picture().rgb)
    pic = open_picture(data, name="a.jpg")
    kept = PictureFile.of(pic, data)
    assert kept.data == data
    assert (kept.sha256, kept.name) == (pic.sha256, "a.jpg")
    assert np.array_equal(kept.open().rgb, pic.rgb)


def test_pixels_without_a_file_are_kept_without_loss():
    pic = picture()
    kept = PictureFile.of(pic, name="other.png")
    assert np.array_equal(kept.open().rgb, pic.rgb)
    assert kept.open().sha256 == kept.sha256
    assert kept.name == "other.png"


def test_another_picture_s_bytes_are_refused():
    with pytest.raises(PictureError, match="their hash is another"):
        PictureFile.of(open_picture(jpeg(picture().rgb)), b"other bytes")


def test_a_map_of_another_picture_is_refused():
    with pytest.raises(CamcoreError, match=r"\(20, 20\).*\(40, 60\)"):
        item(findings=(finding(map=cam_map((20, 20))),))
    with pytest.raises(CamcoreError, match="holds no map"):
        item(findings=())


def test_entries_of_one_picture_count_it_once():
    one = item()
    both = bytes_of([one, one])
    assert both == 2 * one.nbytes - len(one.picture.data)


def test_an_audit_counts_its_pictures_and_files():
    one, audit = item(), audit_item()
    assert audit.nbytes >= sum(len(grey(shade)) for shade in (10, 20, 30)) + 2
    assert bytes_of([one, audit, one]) == bytes_of([one, one]) + audit.nbytes


def test_a_verdict_is_kept_in_words_whatever_it_is():
    verdict = Verdict("caution", "Be careful.", (Reason("beware", "centre", "A blob does as well."),))
    assert verdict_summary(verdict) == VerdictSummary("caution", "Be careful.", (("beware", "A blob does as well."),))
    alike = SimpleNamespace(level="trust", headline="Fine.", reasons=())
    assert verdict_summary(alike) == VerdictSummary("trust", "Fine.")
    plain = {"headline": "Fine.", "sentences": ["It is stable."], "figures": {"drop": 0.5}}
    assert verdict_summary(plain) == VerdictSummary("", "Fine.", (("", "It is stable."),), (("drop", "0.5"),))
