"""What checks a map of the report is what checks it on Inspect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from reported import FACTS
from small import network_folder
from ui.query import NetworkKey

import camcore
from camcore.render.encode import to_png
from camcore.report.document import Item, PictureFile, findings_of
from camcore.report.facts import NetworkFacts
from ui.report import trust as report_trust
from ui.trust import evidence


def test_a_network_is_found_again_by_its_facts():
    assert report_trust.key_of(FACTS) == NetworkKey("tiny")
    assert report_trust.key_of(replace(FACTS, weights_given="random")) == NetworkKey("tiny", "random")
    assert report_trust.key_of(replace(FACTS, file_sha256="ff")) == NetworkKey("tiny", version="ff")


def test_what_is_known_of_a_map_on_inspect_is_known_of_it_in_the_report(tmp_path):
    net = camcore.load(network_folder(tmp_path / "mine", ("cat", "dog", "horse")))
    data = to_png(np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    pic = camcore.open_picture(data)
    (m,) = camcore.explain(net, pic)
    facts = NetworkFacts.of(net)
    item = Item(PictureFile.of(pic, data), findings_of(net, pic, [m]))
    on_inspect = NetworkKey(net.name, version=facts.file_sha256)
    assert report_trust.checking(item) == evidence.work(on_inspect, pic, m, "quick")
