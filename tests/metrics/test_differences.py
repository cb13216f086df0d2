"""The differences table: every figure from what was measured, none invented, and files that can be read again."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from networks import FEATURES, flat

import camcore
from camcore.methods import METHODS
from camcore.metrics.agreement import aligned, peakedness, spearman, top_iou
from camcore.metrics.cost import MethodCost, measure
from camcore.metrics.differences import (
    ANY_LAYER,
    NO_LAYER,
    OWN_LAYER,
    as_csv,
    as_markdown,
    differences,
)

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
KEYS = ["cam", "gradcam", "scorecam", "fasterscorecam"]


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat(), labels=list("abcd"), preprocess=lambda x: x / 127.5 - 1)


@pytest.fixture(scope="module")
def measured(network) -> tuple[MethodCost, ...]:
    return tuple(measure(network, PIC, KEYS, class_index=1, options={"fasterscorecam": {"n": 2}}))


def test_a_row_for_each_method_with_its_own_figures(measured):
    rows = differences(measured)
    assert [row.key for row in rows] == KEYS
    for row, one in zip(rows, measured, strict=True):
        info = METHODS[row.key]
        assert (row.seconds, row.passes, row.peak_bytes) == (one.seconds, one.passes, one.peak_bytes)
        assert row.peakedness == peakedness(one.map.values)
        assert (row.title, row.paper, row.year, row.url) == (info.title, info.paper, info.year, info.url)
        assert (row.strengths, row.weaknesses) == (info.strengths, info.weaknesses)
        assert row.class_specific == info.class_specific
    assert [row.passes for row in rows] == [2, 2, 1 + FEATURES, 3]


@pytest.mark.parametrize("key", METHODS)
def test_every_method_has_its_words(key):
    assert METHODS[key].strengths.strip()
    assert METHODS[key].weaknesses.strip()


def test_agreement_with_score_cam_is_that_on_the_picture(measured):
    rows = differences(measured)
    rasters = aligned([one.map for one in measured]).rasters
    for row, raster in zip(rows, rasters, strict=True):
        assert row.spearman == pytest.approx(spearman(raster, rasters[2]), abs=1e-12)
        assert row.top_iou == top_iou(raster, rasters[2])
    assert rows[2].spearman == rows[2].top_iou == 1
    assert rows[0].spearman < 0.999


def test_without_score_cam_there_is_no_agreement(measured):
    for row in differences(measured[:2]):
        assert row.spearman is None
        assert row.top_iou is None
    assert differences([]) == ()


def test_an_empty_map_agrees_with_nothing_and_is_not_peaked(measured):
    empty = replace(measured[1].map, values=np.zeros_like(measured[1].map.values))
    row = differences([replace(measured[1], map=empty), measured[2]])[0]
    assert row.spearman is None
    assert row.top_iou is None
    assert row.peakedness == 0


def test_where_a_method_may_look(measured):
    on_input = replace(measured[1], map=replace(measured[1].map, layer=None))
    cam, gradcam, scorecam, free = differences([*measured[:3], on_input])
    assert cam.layers == OWN_LAYER == "only the layer before global pooling"
    assert gradcam.layers == scorecam.layers == ANY_LAYER == "any layer with a grid"
    assert free.layers == f"{NO_LAYER}: the input's own grid" == "none: the input's own grid"


def test_a_variant_is_named(measured):
    authors = replace(measured[2], map=replace(measured[2].map, options={"variant": "authors"}))
    assert [row.title for row in differences([measured[2], authors])] == ["Score-CAM", "Score-CAM (authors)"]


def test_two_questions_make_no_table(measured):
    for other in ({"class_index": 2}, {"network": "other"}):
        strange = replace(measured[1], map=replace(measured[1].map, **other))
        with pytest.raises(camcore.CamcoreError, match="cannot stand in one table"):
            differences([measured[0], strange])


def test_csv_is_read_back_as_it_was(measured):
    rows = differences([replace(measured[0], peak_bytes=None), *measured[1:]])
    read = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert [line["key"] for line in read] == KEYS
    for line, row in zip(read, rows, strict=True):
        assert float(line["seconds"]) == row.seconds
        assert float(line["passes"]) == row.passes
        assert float(line["peakedness"]) == row.peakedness
        assert float(line["spearman"]) == row.spearman
        assert (line["strengths"], line["weaknesses"], line["paper"]) == (row.strengths, row.weaknesses, row.paper)
    assert read[0]["peak_bytes"] == ""
    undefined = as_csv(differences(measured[:1]))
    assert next(csv.DictReader(io.StringIO(undefined)))["spearman"] == ""


def test_markdown_by_hand(measured):
    row = replace(
        differences(measured)[2],
        title="Score|CAM",
        seconds=1.23456,
        passes=1281.0,
        peak_bytes=305_900_000,
        class_specific=True,
        peakedness=0.756,
        spearman=-0.034,
        top_iou=None,
        strengths="Needs no\ngradient.",
        weaknesses="Slow.",
        paper="Wang et al.",
        url="https://example.org/x",
    )
    head, rule, line, plain, rest = as_markdown([row, replace(row, peak_bytes=None, class_specific=False)]).split("\n")
    assert line == (
        "| Score\\|CAM | 1.23 | 1281 | 306 MB | any layer with a grid | yes | 0.76 | -0.03 | – | Needs no gradient. "
        "| Slow. | [Wang et al.](https://example.org/x) |"
    )
    assert "| 1281 | – | any layer with a grid | no |" in plain
    assert head.startswith("| method | seconds | forward passes | memory | layers | class specific | peakedness |")
    assert "| top 20 % in common with Score-CAM |" in head
    assert head.count("|") == rule.count("|") == 13
    assert rest == ""
