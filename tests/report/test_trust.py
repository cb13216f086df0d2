"""The evidence as files: every figure is there, once, and can be read back."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from counting import network, noise, picture

import camcore
from camcore.report.trust import trust_csv, trust_record, trust_rows


@pytest.fixture(scope="module", params=["noise", "empty"])
def found(request):
    net = network()
    rgb = noise(7)
    if request.param == "empty":
        rgb[..., 0] = 0  # no red: the map for it is empty, and counts
    pic = picture(rgb)
    (m,) = camcore.explain(net, pic, "gradcam", classes=0, framing="stretch")
    *_, last = camcore.trust(net, pic, m, "full")
    return last.trust


def values(found, figure, of="gradcam", seed=""):
    return [(at, value) for name, who, s, at, value in trust_rows(found) if (name, who, s) == (figure, of, seed)]


def test_every_figure_is_there_once(found):
    rows = [row[:4] for row in trust_rows(found)]
    assert len(rows) == len(set(rows))
    first, *_ = found.chance
    assert values(found, "lead in log-odds") == [(None, first.lead)]
    assert values(found, "score, top hidden") == list(zip(first.shares, map(float, first.hidden), strict=True))
    for one in found.more:
        seed = "" if one.seed is None else str(one.seed)
        assert values(found, "deletion AUC", one.name, seed) == [(None, one.deletion.auc)]
        assert values(found, "complexity", one.name, seed) == [(None, one.complexity)]
    assert [at for at, _ in values(found, "randomised layers: Spearman", seed="0")] == [s.layers for s in found.stages]


def test_the_table_can_be_read_back(found):
    table = list(csv.DictReader(io.StringIO(trust_csv(found).decode())))
    rows = list(trust_rows(found))
    assert len(table) == len(rows)
    for line, (figure, of, seed, at, value) in zip(table, rows, strict=True):
        assert (line["figure"], line["of"], line["seed"]) == (figure, of, seed)
        assert line["at"] == ("" if at is None else repr(float(at)))
        assert float(line["value"]) == pytest.approx(value, nan_ok=True)


def test_the_record_is_json_that_everybody_reads(found):
    text = json.dumps(trust_record(found), allow_nan=False)
    record = json.loads(text)
    assert record["verdict"]["headline"] == found.verdict.headline
    assert [one["text"] for one in record["verdict"]["reasons"]] == [one.text for one in found.verdict.reasons]
    assert record["map"]["grid"] == list(np.shape(found.map.raw))
    assert len(record["figures"]) == len(list(trust_rows(found)))
