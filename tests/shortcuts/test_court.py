"""The court on a network and pictures of which everything is known: what is planted is found, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from planted import (
    LABELS,
    MARK,
    MARKED,
    SIDE,
    colour_network,
    halves_network,
    planted_border,
    planted_cast,
    planted_folder,
)

import camcore
from camcore.audits.groups import Group, read_groups, read_members
from camcore.shortcuts import sitting, state, trial
from camcore.shortcuts.court import hold_court


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> tuple[Path, dict[str, tuple[int, int]]]:
    root = tmp_path_factory.mktemp("pictures")
    return root, planted_folder(root)


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return colour_network(magenta=400)


@pytest.fixture(scope="module")
def audited(network, pictures, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("audits") / "planted"
    *_, last = camcore.audit(network, pictures[0], out, layer="cells")
    assert last.stage == "done"
    return out


def test_the_planted_mark_is_found_first_with_all_its_pictures_and_no_other(audited, pictures):
    first, *others = read_groups(audited)
    assert (first.label, first.suspect) == ("leaf", True)
    assert set(first.members) == set(pictures[1])
    assert not any(one.suspect for one in others)
    for patch in first.patches:
        top, left = pictures[1][patch.path]
        assert patch.box[0] <= top + MARK / 2 <= patch.box[2]
        assert patch.box[1] <= left + MARK / 2 <= patch.box[3]


def test_its_figures_stand_beside_those_of_controls(audited):
    first = read_groups(audited)[0]
    figures = first.verdict.figures
    assert figures.sufficiency.n == sitting.COPY_PASTES
    assert figures.sufficiency.low > figures.random.high
    assert figures.others.n > 0
    assert figures.necessity.n == MARKED
    assert first.copied.within > 0.9 > first.copied.beside
    text = " ".join(first.verdict.reasons)
    assert f"{figures.sufficiency.count} became “leaf”" in text
    assert f"the same patches with it painted over: {figures.random.count}" in text


def test_the_file_has_the_fields_that_others_read(audited):
    content = json.loads((audited / "groups.json").read_text())
    names = {
        "class",
        "size",
        "share",
        "members",
        "patches",
        "sufficiency",
        "necessity",
        "sameness",
        "suspect",
        "reasons",
    }
    assert all(names <= set(one) for one in content)
    counts = content[0]["sufficiency"]
    assert counts["low"] <= counts["flipped"] / counts["of"] <= counts["high"]
    assert 0 <= counts["random"] <= 1
    assert all(one["reasons"] for one in content)
    assert [one["suspect"] for one in content] == sorted((one["suspect"] for one in content), reverse=True)


def test_the_groups_of_pictures_follow_the_new_order(audited):
    table = read_members(audited)
    groups = read_groups(audited)
    for path, place in zip(table["path"].to_pylist(), table["group"].to_pylist(), strict=True):
        assert path in groups[place].members


def test_a_network_that_does_not_look_at_the_mark_is_not_accused(pictures, tmp_path):
    list(camcore.audit(colour_network(magenta=0), pictures[0], tmp_path))
    assert not any(one.suspect for one in read_groups(tmp_path))


def test_a_court_that_was_stopped_ends_as_if_it_was_not(network, audited, tmp_path, monkeypatch):
    folder = tmp_path / "again"
    shutil.copytree(audited, folder)
    (folder / state.NAME).unlink()
    steps = hold_court(network, folder)
    while not (folder / state.NAME).exists():
        next(steps)
    steps.close()
    asked: list[int] = []
    margins_of = trial.margins_of
    monkeypatch.setattr(trial, "margins_of", lambda *given: asked.append(len(given[1])) or margins_of(*given))
    list(hold_court(network, folder))
    assert [vars_of(one) for one in read_groups(folder)] == [vars_of(one) for one in read_groups(audited)]
    assert asked
    asked.clear()
    list(hold_court(network, folder))
    assert not asked
    kept = json.loads((folder / state.NAME).read_text())
    (folder / state.NAME).write_text(json.dumps({**kept, "trials": state.TRIALS - 1}))
    list(hold_court(network, folder))
    assert asked  # a court of another kind is held anew


def vars_of(one: Group) -> dict[str, object]:
    return {**vars(one), "mean_map": one.mean_map.tolist()}


def test_pictures_that_are_gone_are_counted(network, audited, pictures, tmp_path):
    root, folder = tmp_path / "pictures", tmp_path / "audit"
    shutil.copytree(pictures[0], root)
    shutil.copytree(audited, folder)
    manifest = json.loads((folder / "audit.json").read_text())
    (folder / "audit.json").write_text(json.dumps({**manifest, "base": str(root)}))
    (folder / state.NAME).unlink()
    for number in range(MARKED, MARKED + 3):
        (root / "leaf" / f"{number:02d}.png").unlink()
    list(hold_court(network, folder))
    assert any(
        "could not be opened any more" in reason for one in read_groups(folder) for reason in one.verdict.reasons
    )


def test_without_the_court_nothing_is_said(network, pictures, tmp_path):
    stages = [step.stage for step in camcore.audit(network, pictures[0], tmp_path, court=False)]
    assert "court" not in stages
    assert all(one.verdict is None and not one.suspect for one in read_groups(tmp_path))
    assert {step.stage for step in camcore.audit(network, pictures[0], tmp_path)} >= {"court"}
    assert read_groups(tmp_path)[0].suspect


def test_a_cast_of_colour_is_found_as_a_style(tmp_path):
    cast = planted_cast(tmp_path / "pictures")
    list(camcore.audit(halves_network(magenta=1), tmp_path / "pictures", tmp_path / "audit", layer="cells"))
    first, *others = read_groups(tmp_path / "audit")
    assert (first.label, first.suspect, first.styled.layer) == ("leaf", True, None)
    assert set(first.members) == cast
    assert not any(one.suspect for one in others)
    list(camcore.audit(halves_network(magenta=0), tmp_path / "pictures", tmp_path / "clean", layer="cells"))
    assert not any(one.suspect for one in read_groups(tmp_path / "clean"))


def test_a_texture_of_which_a_piece_does_little_is_found_as_a_style(tmp_path):
    cast = planted_cast(tmp_path / "pictures", woven=True)
    list(
        camcore.audit(halves_network(magenta=0.5, least=0.2), tmp_path / "pictures", tmp_path / "audit", layer="cells")
    )
    found = [copy for copies in state.read_state(tmp_path / "audit").copies.values() for copy in copies]
    assert any(len(cast.intersection(copy.paths)) > len(cast) / 2 for copy in found)
    first, *others = read_groups(tmp_path / "audit")
    assert (first.label, first.suspect, first.copied) == ("leaf", True, None)
    assert first.styled is not None
    assert set(first.members) == cast
    assert not any(one.suspect for one in others)


def test_a_border_that_counts_only_as_a_whole_is_pasted_at_its_place(tmp_path):
    bordered = planted_border(tmp_path / "pictures")
    network = halves_network(magenta=1, least=0.3)
    list(camcore.audit(network, tmp_path / "pictures", tmp_path / "audit", layer="cells"))
    first, *others = read_groups(tmp_path / "audit")
    assert (first.label, first.suspect) == ("leaf", True)
    assert set(first.members) == bordered
    assert first.copied.in_place == pytest.approx(1 - (1 - 2 * round(0.13 * SIDE) / SIDE) ** 2)
    figures = first.verdict.figures
    assert (figures.sufficiency.count, figures.random.count, figures.others.count) == (sitting.COPY_PASTES, 0, 0)
    assert "at the same place: 44 % of the picture, of which 100 % agrees in each of them" in first.verdict.reasons[0]
    assert "Pasted at its place into 240 pictures of other classes, 240 became “leaf”" in first.verdict.reasons[1]
    assert not any(one.suspect for one in others)
    list(camcore.audit(halves_network(magenta=0), tmp_path / "pictures", tmp_path / "clean", layer="cells"))
    assert not any(one.suspect for one in read_groups(tmp_path / "clean"))


def test_few_pictures_are_not_tried(network, pictures, tmp_path):
    """A class of three pictures, and a group of a single one."""
    for label, count in zip(LABELS, (1, 3), strict=True):
        (tmp_path / "few" / label).mkdir(parents=True)
        for number in range(count):
            shutil.copy(pictures[0] / label / f"{number:02d}.png", tmp_path / "few" / label)
    list(camcore.audit(network, tmp_path / "few", tmp_path / "audit"))
    groups = read_groups(tmp_path / "audit")
    assert min(one.size for one in groups) == 1
    assert all("Not tried" in one.verdict.reasons[0] and not one.suspect for one in groups)


def test_without_labels_the_mark_is_found_all_the_same(network, pictures, tmp_path):
    list(camcore.audit(network, pictures[0], tmp_path, layer="cells", labelled=False))
    first = read_groups(tmp_path)[0]
    assert (first.suspect, set(first.members), first.accuracy) == (True, set(pictures[1]), None)


@pytest.mark.parametrize("one_class", [True, False], ids=["pictures of one class", "a network that says one class"])
def test_without_pictures_of_other_classes_nothing_is_accused(pictures, tmp_path, one_class):
    network, folder = colour_network(magenta=400), pictures[0]
    if one_class:
        folder = shutil.copytree(folder / "leaf", tmp_path / "pictures" / "leaf").parent
    else:
        scores = network.model.get_layer("scores")
        scores.set_weights([scores.get_weights()[0], np.array([-1e4, 1e4])])
    list(camcore.audit(network, folder, tmp_path / "audit", layer="cells"))
    groups = read_groups(tmp_path / "audit")
    assert {one.label for one in groups} == {"leaf"}
    assert not any(one.suspect for one in groups)
    tried = [one.verdict for one in groups if one.verdict.figures is not None]
    assert tried
    assert all("no pictures of other classes" in " ".join(one.reasons) for one in tried)
