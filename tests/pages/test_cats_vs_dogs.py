"""The page on a classifier, run by Streamlit's own test runner with a small network that learned nothing."""

import os
import shutil
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from app_pages import captions, components, headline, html, run, text, until, visit
from small import network_folder
from streamlit.testing.v1 import AppTest

from camcore.evaluation import measures
from camcore.evaluation.predict import Predictions
from camcore.evaluation.table import write_csv
from camcore.text import percent

LOG = "epoch,size,rate,loss,accuracy,val_loss,val_accuracy,seconds\n1,32,0.001,0.7,0.5,0.69,0.52,1.0\n"


def predictions() -> Predictions:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    p = 1 / (1 + np.exp(-(3 * (2 * labels - 1) + rng.normal(0, 3, 60))))
    return Predictions(tuple(f"{i}.jpg" for i in range(60)), labels, np.stack([1 - p, p], 1), ("cat", "dog"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a network of two classes, its results, log and a checkpoint; and one of three classes."""
    home = tmp_path_factory.mktemp("home")
    for name, labels in (("pets", ["cat", "dog"]), ("three", ["cat", "dog", "owl"])):
        folder = Path(network_folder(home / "networks" / name, labels))
        (folder / "checkpoints").mkdir()
        shutil.copy(folder / "network.weights.h5", folder / "checkpoints" / "epoch-001.weights.h5")
        (folder / "log.csv").write_text(LOG)
    write_csv(home / "networks" / "pets" / "predictions.csv", predictions())
    return home


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_HOME", str(home))
    monkeypatch.setattr("camcore.models.saved.BUNDLED", home / "nothing")


page = partial(visit, "pages/cats_vs_dogs.py")


def answered(at: AppTest) -> bool:
    return "average of the map" in html(at)


def audit_link(at: AppTest) -> dict[str, list[str]]:
    """The choices in the address of the link to the Audit page."""
    link = next(one.proto for one in at.get("page_link") if one.proto.label == "Audit them")
    return parse_qs(link.query_string)


def test_the_results_stand_there_before_any_answer() -> None:
    at = page()
    p = predictions()
    right = measures.accuracy(p)
    assert f"{right.count} of {right.n}" in html(at)
    assert headline(at) == f"pets is right on {percent(right.value)} of {right.n} test pictures".replace(" %", "\xa0%")
    assert "not shipped" in " ".join(m.value for m in at.markdown)
    assert len(at.get("plotly_chart")) == 5
    assert audit_link(at) == {"model": ["pets"]}


def test_the_sum_adds_up() -> None:
    at = until(page(), answered)
    (said,) = [one.value for one in at.subheader if one.value.startswith("pets")]
    assert " says " in said or "not sure" in said
    assert html(at).count('class="cam-fig-frame"><img') >= 3
    assert "what speaks for cat speaks against dog" in " ".join(m.value for m in at.markdown)


@pytest.mark.parametrize("threshold", ["0", "30", "100"])
def test_the_threshold_in_the_link_is_used(threshold: str) -> None:
    at = page(threshold=threshold)
    p, share = predictions(), int(threshold) / 100
    right = measures.accuracy(p, share)
    assert f"{right.count} of {right.n}" in html(at)


def test_a_folder_of_ones_own_leads_to_its_audit(tmp_path: Path) -> None:
    folder = str(tmp_path / "my <pictures> & yours")
    at = page(folder=folder)
    assert audit_link(at) == {"model": ["pets"], "pictures": [folder]}
    assert at.query_params["folder"] == folder
    run(at.text_input(key="folder").set_value("  ").run())
    assert audit_link(at) == {"model": ["pets"]}


def test_results_of_other_weights_are_not_told_as_those_of_the_network(home: Path) -> None:
    record = home / "networks" / "pets" / "report.json"
    record.write_text('{"file_sha256": "f"}')
    try:
        at = page()
    finally:
        record.unlink()
    assert headline(at) == "How good is pets? The results kept beside it are of other weights"
    assert "by other weights than pets has now" in html(at)


def test_a_network_of_three_classes_has_no_threshold() -> None:
    at = until(page(model="three"), answered)
    assert "No results are kept beside this network" in " ".join(m.value for m in at.markdown)
    assert not [s for s in at.slider if s.key == "threshold"]
    assert "most probable classes stand side by side" in " ".join(" ".join(m.value for m in at.markdown).split())


def schematic(at: AppTest) -> dict[str, str]:
    return next(data["texts"] for data in components(at) if "curve" in data.get("texts", {}))


@pytest.mark.parametrize(("network", "curve"), [("pets", "S-curve"), ("three", "softmax")])
def test_the_curve_is_the_networks_own_before_and_after_its_answer(network: str, curve: str) -> None:
    at = page(model=network)
    assert schematic(at)["curve"] == curve
    assert schematic(until(at, answered))["curve"] == curve


def test_the_results_go_into_the_report_at_their_threshold() -> None:
    at = page(threshold="30")
    at.button(key="quality_to_report").click()
    (entry,) = run(at).session_state["basket"]
    right = measures.accuracy(predictions(), 0.3)
    assert f"right on {right.count} of {right.n} pictures" in entry.item.answer
    assert ("Threshold", "“dog” from 30 % on") in dict(enumerate(entry.item.sections[-1].blocks[0].rows)).values()
    at.button(key="quality_to_report").click()
    assert len(run(at).session_state["basket"]) == 1


def test_the_choice_of_network_is_carried_both_ways() -> None:
    at = page(model="three")
    assert at.selectbox(key="network").value == "three"
    at.selectbox(key="network").set_value("pets")
    assert run(at).session_state["model"] == "pets"
    visit("pages/models.py", at).query_params.clear()  # as a browser does, where a link names no choice
    at.session_state["model"] = "three"
    assert page(at).selectbox(key="network").value == "three"
    visit("pages/models.py", at).query_params.clear()
    at.session_state["model"] = "MobileNetV2"
    assert "The other pages look at MobileNetV2" in captions(page(at))


def test_a_link_names_the_network_as_on_every_page_and_the_others_follow_it() -> None:
    at = page(model="three")
    assert (at.selectbox(key="network").value, at.session_state["model"]) == ("three", "three")
    old = page(network="three")  # the word of older links
    assert old.selectbox(key="network").value == "three"
    assert dict(old.query_params) == {"model": "three"}


def test_a_network_without_a_folder_of_its_own_is_told_apart_from_one_that_does_not_exist() -> None:
    at = page(model="MobileNetV2")
    assert "The link names MobileNetV2. No folder of its own is kept of it" in html(at)
    assert at.selectbox(key="network").value == "pets"


def test_no_command_that_is_of_another_network(home: Path) -> None:
    at = page(model="three")
    assert not at.code, "it stands on no backbone that heads could be trained on"
    assert "That has not been tried" in text(at)


def test_a_link_that_names_nothing_is_answered_in_place() -> None:
    told = html(page(model="petz", threshold="140"))
    assert "Did you mean “pets”?" in told
    assert "between 0 and 100" in told


def test_damaged_files_beside_the_network_are_told(home: Path) -> None:
    path = home / "networks" / "pets" / "predictions.csv"
    kept = path.read_bytes()
    try:
        path.write_text("file,label\n")
        os.utime(path, (1, 1))
        assert "is not a table of predictions" in html(page())
    finally:
        path.write_bytes(kept)


def test_without_any_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path))
    at = page()
    assert at.header[0].value == "There is no network to show yet"
    assert "models/cats_vs_dogs" in html(at)
