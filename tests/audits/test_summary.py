"""The figures of an audit against its rows, counted in plain Python."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace

import numpy as np
import pytest
from audited import make_audit
from grouped import grouped_audit

from camcore.audits.finding import write_groups
from camcore.audits.store import open_audit
from camcore.audits.summary import calibration, command, summary
from camcore.cli import audit as audit_command


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("audits")
    return grouped_audit(home / "audit", home / "pictures")


def test_figures_are_those_of_the_rows(made):
    groups = write_groups(made.folder)
    figures = summary(open_audit(made.folder), groups)
    answered = [row for row in made.rows if row["error"] is None]
    assert figures["accuracy"]["correct"] == sum(row["correct"] for row in answered)
    assert figures["accuracy"]["of"] == len(answered)
    assert figures["failed"] == len(made.rows) - len(answered)
    for one in figures["classes"]:
        own = [row for row in answered if row["label"] == one["class"]]
        said = [row for row in answered if row["predicted"] == one["class"]]
        assert (one["found"]["correct"], one["found"]["of"]) == (sum(row["correct"] for row in own), len(own))
        assert (one["precision"]["correct"], one["said"]) == (sum(row["correct"] for row in said), len(said))
    names = figures["confusion"]["classes"]
    for label, counts in zip(names, figures["confusion"]["counts"], strict=True):
        assert counts == [sum((row["label"], row["predicted"]) == (label, said) for row in answered) for said in names]
    assert [one["size"] for one in figures["groups"]] == [one.size for one in groups]


def test_the_calibration_error_is_the_gap_of_ten_bins(made):
    answered = [row for row in made.rows if row["error"] is None]
    gaps = 0.0
    for low in range(10):
        inside = [row for row in answered if low / 10 < row["probability"] <= (low + 1) / 10]
        if inside:
            right, given = (np.mean([row[name] for row in inside]) for name in ("correct", "probability"))
            gaps += len(inside) * abs(right - given)
    told = calibration(open_audit(made.folder))
    assert told is not None
    assert told.ece == pytest.approx(gaps / len(answered), abs=1e-6)


def test_without_labels_figures_are_null(tmp_path):
    made = make_audit(tmp_path / "audit", tmp_path / "pictures", labelled=False)
    figures = summary(open_audit(made.folder))
    assert [figures[name] for name in ("accuracy", "ece", "confusion", "mistakes")] == [None, None, None, []]
    assert {one["precision"] for one in figures["classes"]} == {None}


def test_the_command_asks_for_the_same_audit(made):
    manifest = replace(made.manifest, pictures="it's here/my pictures", limit=9, seed=3, labelled=False)
    words = shlex.split(command(manifest, "out of/it"))
    assert words[:3] == ["python", "-m", "camcore"]
    parser = argparse.ArgumentParser()
    audit_command.add_parser(parser.add_subparsers())
    given = parser.parse_args(words[3:])
    assert (given.pictures, given.out, given.model) == ("it's here/my pictures", "out of/it", "pets")
    assert (given.method, given.layer, given.framing) == ("gradcam", "stage1", "stretch")
    assert (given.limit, given.seed, given.unlabelled) == (9, 3, True)
    assert command(replace(manifest, network=replace(manifest.network, source="")), "out") == ""
