"""The work that checks a map of the report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from reported import FACTS
from small import network_folder

import camcore
from camcore.report.document import Item, PictureFile, Told, findings_of
from ui import report_trust
from ui.questions import NetworkKey


def test_a_network_is_found_again_by_its_facts():
    assert report_trust.key_of(FACTS) == NetworkKey("tiny")
    assert report_trust.key_of(replace(FACTS, weights_given="random")) == NetworkKey("tiny", "random")
    assert report_trust.key_of(replace(FACTS, file_sha256="ff")) == NetworkKey("tiny", version="ff")


def test_the_work_ends_with_the_verdict_that_the_core_gives(tmp_path):
    net = camcore.load(network_folder(tmp_path / "mine", ("cat", "dog", "horse")))
    pic = camcore.Picture.from_array(np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    (m,) = camcore.explain(net, pic)
    item = Item(PictureFile.of(pic), findings_of(net, pic, [m]))
    parts = list(report_trust.checking(item).steps(net))
    shares = [part.share for part in parts]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert [part.value for part in parts[:-1]] == [None] * (len(parts) - 1)
    *_, last = camcore.trust(net, pic, m)
    verdict = last.trust.verdict
    assert parts[-1].value == Told(
        verdict.level, verdict.headline, tuple((reason.kind, reason.text) for reason in verdict.reasons)
    )
