"""The Models page's logic, run by Streamlit's own test runner: the list, its cards, and networks of one's own."""

import io
import json
import shutil
import threading
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import app_pages
import h5py
import keras
import numpy as np
import pytest
import whole_models
from app_pages import headline, run, text, visit
from small import network_folder
from streamlit.testing.v1 import AppTest

import camcore
from camcore.models import catalogue, factories, hub_presets, saved
from camcore.models.preprocessing import PREPROCESSINGS
from camcore.models.weights_files import WeightsFile
from ui.frame import PAGES

DECLARED = "unfed=own_models:nested, fed=own_models:sequential, raises=own_models:raises, wrong"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing but the bundled network on this machine."""
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("CAMCORE_MODELS", raising=False)
    (tmp_path / "weights").mkdir()
    return tmp_path / "home"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a MobileNet of width 0.25 and three classes, and the whole model beside them."""
    folder = tmp_path_factory.mktemp("files")
    model = keras.applications.MobileNet(weights=None, alpha=0.25, classes=3)
    random = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(random.uniform(0.2, 0.6, variable.shape))
    model.save_weights(folder / "three.weights.h5")
    model.save(folder / "three.keras")
    return folder / "three.weights.h5"


page = partial(visit, "pages/models.py")


def until(at: AppTest, there: Callable[[AppTest], Any]) -> AppTest:
    """Run the script at least once, as after a press, and on until what is waited for is there."""
    return app_pages.until(run(at), there)


def links(at: AppTest) -> list[str]:
    return [link.proto.query_string for link in at.get("page_link")]


def card(at: AppTest) -> str:
    return str(at.subheader[0].value).replace("\\", "")


# ---- the list and the cards


def test_opens_with_all_networks_and_the_one_to_begin_with() -> None:
    at = page()
    assert at.header[0].value == "42 networks, 2 ready to use on this machine"
    rows = at.dataframe[0].value
    assert next(iter(rows["Network"])) == "cats_vs_dogs", "what is here comes first"
    assert len(rows) == 42
    by_name = rows.set_index("Network")
    assert by_name.loc["VGG16", "Top-1"] == 71.3
    assert by_name.loc["ResNet50", "Parameters"] == pytest.approx(25.636712)
    assert set(by_name["Weights"]) == {"bundled", "not here"}
    assert card(at) == "cats_vs_dogs"
    assert "model=cats_vs_dogs" in links(at)
    assert "RGB −1..1" in text(at)


def test_a_card_of_the_catalogue_says_its_accuracy_and_where_it_comes_from() -> None:
    at = page(model="MobileNetV3Small")
    assert "68.1 % of ImageNet’s validation pictures" in text(at).replace("*", "")
    assert "(https://keras.io/api/applications/mobilenet/)" in text(at)
    assert "https://arxiv.org/abs/1905.02244" in text(at)
    assert at.button(key="fetch_it").label == "Download 10 MB"
    assert "MobileNetV3Small.weights.h5" in text(at)


def test_a_link_to_what_does_not_exist_says_so() -> None:
    at = page(model="MobileNet9", way="telepathy")
    assert "The link names the network “MobileNet9”, which does not exist." in text(at)
    assert card(at) == "cats_vs_dogs"


def test_the_other_pages_go_on_after_it_in_the_same_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network_folder(tmp_path / "bundled" / "cats_vs_dogs", ["cat", "dog"])  # a small one in the place of the real one
    for module in ("saved", "description"):
        monkeypatch.setattr(f"camcore.models.{module}.BUNDLED", tmp_path / "bundled")
    at = visit()
    said = headline(at)
    assert said.startswith("cats_vs_dogs ")
    for script in (one for other, *_ in PAGES if other != "app.py" for one in (other, "pages/models.py")):
        visit(script, at)
        assert "cam-error" not in text(at)
        if script == "pages/models.py":
            at.segmented_control(key="list").set_value("Accuracy by size")
            run(at)
            assert at.get("plotly_chart")
    assert headline(visit("app.py", at)) == said


def test_only_what_is_here() -> None:
    at = page(model="VGG16", here="true")
    assert list(at.dataframe[0].value["Network"]) == ["cats_vs_dogs", "cats_vs_dogs_vit"]
    assert card(at) == "cats_vs_dogs"


def test_the_list_as_csv() -> None:
    from ui.models.view import all_networks, as_csv

    lines = as_csv(all_networks()).decode("utf-8").splitlines()
    assert len(lines) == 43
    row = catalogue.backbone("VGG16")
    wanted = ["VGG16", "71.3", "https://keras.io/api/applications/", "138357544", "224", "224", "downloads 553 MB"]
    assert [line for line in lines if line.startswith("VGG16")] == [",".join([*wanted, row.paper_url])]


def test_a_download_that_breaks_off_is_told_and_can_be_tried_again() -> None:
    at = page(model="MobileNetV2")
    at.button(key="fetch_it").click()
    until(at, lambda at: "The download broke off" in text(at))
    assert "could not be downloaded from http://127.0.0.1:9/" in text(at)
    assert not at.button(key="fetch_it").disabled
    assert card(at) == "MobileNetV2"


def test_a_download_shows_how_far_it_is_can_be_stopped_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = io.BytesIO()
    h5py.File(file, "w").close()
    whole, gate = file.getvalue(), threading.Event()

    class Response(io.BytesIO):
        headers: ClassVar = {"Content-Length": str(len(whole))}

        def read1(self, size: int | None = -1) -> bytes:
            if gate.is_set():
                return super().read1(size)
            time.sleep(0.05)  # it drips until the gate opens
            return super().read1(1)

    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: Response(whole))
    row = catalogue.backbone("MobileNetV2")
    plain, published = WeightsFile(row.weights.name, "http://server/", ""), catalogue.published_weights
    monkeypatch.setattr(catalogue, "published_weights", lambda one, how: plain if one == row else published(one, how))
    at = page(model="MobileNetV2")
    at.button(key="fetch_it").click()
    until(at, lambda at: at.get("progress"))
    assert "Downloading MobileNetV2, about 14 MB" in at.get("progress")[0].proto.text
    at.button(key="stop_fetch").click()
    until(at, lambda at: any(button.key == "fetch_it" for button in at.button))
    assert catalogue.find_weights("MobileNetV2") is None
    gate.set()
    at.button(key="fetch_it").click()
    until(at, lambda at: "Its weights are here" in text(at))
    assert (tmp_path / "keras" / "models" / row.weights.name).read_bytes() == whole
    assert at.header[0].value == "42 networks, 3 ready to use on this machine"
    assert [path.name for path in (tmp_path / "keras" / "models").iterdir()] == [row.weights.name]


def test_weights_are_removed_after_a_confirmation_and_offered_again(tmp_path: Path) -> None:
    path = tmp_path / "weights" / "MobileNetV2.weights.h5"
    path.write_bytes(b"x")
    at = page(model="MobileNetV2")
    assert str(path) in text(at)
    assert path.exists()
    at.session_state["agreed"] = {"MobileNetV2"}
    at.button(key="remove_weights_really").click()
    run(at)
    assert not path.exists()
    assert at.button(key="fetch_it").label == "Download 14 MB"
    assert at.session_state["agreed"] == set(), "Inspect must not fetch it anew by itself"


def test_what_another_program_downloaded_is_not_removed(tmp_path: Path) -> None:
    folder = tmp_path / "keras" / "models"
    folder.mkdir(parents=True)
    (folder / catalogue.backbone("MobileNetV2").weights.name).write_bytes(b"x")
    at = page(model="MobileNetV2")
    at.button(key="remove_weights_really").click()  # the way there is closed; a press all the same changes nothing
    run(at)
    assert "was put there by another program" in text(at)
    assert list(folder.iterdir())


def test_a_network_of_ones_own_has_a_card_and_can_be_removed() -> None:
    network_folder(saved.networks_folder() / "my pets", ["cat", "dog"])
    at = page(model="my pets")
    assert card(at) == "my pets"
    assert "2 classes: cat, dog." in text(at)
    assert "trained from scratch" in text(at)
    at.button(key="remove_network_really").click()
    run(at)
    assert saved.find("my pets") is None
    assert card(at) == "cats_vs_dogs"


def test_a_network_that_is_being_trained_further_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    network_folder(saved.networks_folder() / "pets", ["cat", "dog"])
    run_of_it = SimpleNamespace(folder=saved.networks_folder() / "pets", live=True)
    monkeypatch.setattr("ui.training.runs.listed", lambda: (run_of_it,))
    at = page(model="pets")
    at.button(key="remove_network_really").click()
    assert "“pets” is being trained further, so it stays" in text(run(at))
    assert saved.find("pets") is not None


# ---- a weights file


def chosen(at: AppTest, alpha: float = 0.25, backbone: str = "MobileNet") -> AppTest:
    at.selectbox(key="own_backbone").set_value(backbone)
    run(at)
    if backbone.startswith("MobileNet"):
        at.selectbox(key="own_alpha").set_value(alpha)
    at = run(at)
    at.button(key="own_check").click()
    return at


def test_from_a_file_in_the_folder_to_a_network(file: Path, tmp_path: Path) -> None:
    shutil.copy(file, tmp_path / "weights")
    at = page()
    assert at.button(key="own_check").disabled
    at.selectbox(key="own_place").set_value(str(tmp_path / "weights" / file.name))
    at.file_uploader[1].upload("names.txt", b"ant\nbee\nfly\n")
    at = chosen(run(at))
    until(at, lambda at: "Which preprocessing does it need?" in text(at))
    assert "The weights fit MobileNet" in text(at)
    assert "3 classes (ant, bee, fly …)" in text(at)
    assert at.button(key="own_keep").disabled
    at.text_input(key="own_name").set_value("VGG16")
    assert "cannot be called 'VGG16'" in text(run(at))
    at.text_input(key="own_name").set_value("insects")
    run(at).button(key="own_keep").click()
    until(at, lambda at: at.header[0].value.startswith("43 networks, 3 ready"))
    assert "is among your networks now" in text(at)
    assert card(at) == "insects"
    assert "model=insects" in links(at)
    kept = saved.find("insects")
    assert kept is not None
    assert kept.labels == ("ant", "bee", "fly")
    assert kept.trained["weights_file"] == file.name
    assert {one["preprocessing"] for one in kept.trained["preprocessing_check"]} == set(PREPROCESSINGS)
    assert camcore.load("insects").classes == 3


def test_a_file_of_another_architecture_is_told_with_the_layer(file: Path) -> None:
    at = page()
    at.file_uploader[0].upload("three.weights.h5", file.read_bytes())
    at = chosen(run(at), 1.0)
    until(at, lambda at: "This file cannot be used" in text(at))
    assert "layer 'conv1' has 3×3×3×32 in the network, 3×3×3×8 in the file" in text(at)
    assert "The weights file 'three.weights.h5' is not for this network" in text(at), "no folder of the server's"
    chosen(at, 0.25)
    until(at, lambda at: "The weights fit MobileNet" in text(at))
    assert "This file cannot be used" not in text(at)


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("three.keras", lambda data: data, "holds a whole model"),
        ("../../cut <b>off.h5", lambda data: data[: len(data) // 2], "is damaged"),
        ("words.h5", lambda data: b"just words", "is not an HDF5 file"),
    ],
)
def test_what_is_no_weights_file_is_refused(name: str, damage: Callable[[bytes], bytes], said: str, file: Path) -> None:
    data = (file.parent / "three.keras").read_bytes() if name.endswith(".keras") else file.read_bytes()
    at = page()
    at.file_uploader[0].upload(name, damage(data))
    at = chosen(run(at))
    until(at, lambda at: "This file cannot be used" in text(at))
    assert said in text(at)
    assert saved.saved_networks()[-1].bundled, "nothing was kept"


def test_names_that_do_not_fit_are_told(file: Path) -> None:
    at = page()
    at.file_uploader[0].upload("three.weights.h5", file.read_bytes())
    at.file_uploader[1].upload("names.txt", b"\x89HDF\x00")
    at = run(at)
    assert "These names were not taken" in text(at)
    at.file_uploader[1].upload("names.txt", b"ant\nbee\n")
    at = chosen(run(at))
    until(at, lambda at: "This file cannot be used" in text(at))
    assert "names 2 classes, from 'ant' to 'bee'; the network has 3" in text(at)


# ---- Python functions


def test_a_function_that_does_not_say_how_it_is_fed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_MODELS", DECLARED)
    at = page(model="unfed")
    assert "'wrong' is not of the form name=module:function" in text(at)
    assert at.header[0].value == "45 networks, 2 ready to use on this machine"
    at.button(key="try_it").click()
    until(at, lambda at: "Which preprocessing does it need?" in text(at))
    assert "It can be made" in text(at)
    assert "12×10 px input" in text(at)
    box = next(box for box in at.selectbox if str(box.key).startswith("factory_feed"))
    box.set_value("unit")
    run(at).button(key="keep_feed").click()
    run(at)
    kept = factories.find("unfed")
    assert kept is not None
    assert kept.chosen == "unit"
    assert "preprocessing RGB 0..1, as chosen here" in text(at)


def test_a_function_that_says_so_and_one_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_MODELS", DECLARED)
    at = page(model="fed")
    at.button(key="try_it").click()
    until(at, lambda at: "there is nothing to choose" in text(at))
    assert "4 classes (circle, square, star …)" in text(at)
    at = page(model="raises")
    at.button(key="try_it").click()
    until(at, lambda at: "This network cannot be used" in text(at))
    assert "raised RuntimeError: the weights are on <b>another</b> machine" in text(at)


def test_the_ways_in_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_MODELS", DECLARED)
    at = page(way="Python function")
    assert "def birds():" in text(at)
    assert "Declared now: unfed (own_models:nested), fed (own_models:sequential)" in text(at)
    assert "**Train** page" in text(page(way="Training"))


# ---- whole models' files


def test_a_whole_models_file_is_shown_tried_and_how_it_is_fed_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole_models.bare(classes=3).save(tmp_path / "owls.keras")
    told = {"file": str(tmp_path / "owls.keras"), "labels": ["owl", "jay", "tit"], "framing": "crop"}
    monkeypatch.setenv("CAMCORE_MODELS", json.dumps({"owls": told}))
    at = page(model="owls")
    assert "The whole model owls.keras on this server · pixels RGB 0..255, as for model.predict" in text(at)
    assert at.header[0].value == "43 networks, 3 ready to use on this machine"  # beside the bundled ones
    assert "pictures framed by crop · 3 named classes" in text(at)
    assert str(tmp_path) not in text(at)
    at.button(key="try_it").click()
    until(at, lambda at: "Which preprocessing does it need?" in text(at))
    assert "it holds no scaling of its own" in text(at)
    assert "3 classes (owl, jay, tit)" in text(at)
    assert "Maps explain the logit of a class" in text(at)
    box = next(box for box in at.selectbox if str(box.key).startswith("factory_feed"))
    box.set_value("tf")
    run(at).button(key="keep_feed").click()
    assert "preprocessing RGB −1..1, as chosen here" in text(run(at))
    kept = factories.find("owls")
    assert kept is not None
    assert kept.chosen == "tf"


def test_a_file_that_scales_its_pictures_leaves_nothing_to_choose(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole_models.sequential().save(tmp_path / "owls.keras")
    monkeypatch.setenv("CAMCORE_MODELS", f"owls={tmp_path / 'owls.keras'}, code={tmp_path / 'code.keras'}")
    whole_models.with_lambda(tmp_path / "code.keras")
    at = page(model="owls", way="Whole model")
    assert "camcore app birds.keras" in text(at)
    assert "Declared now: owls (owls.keras), code (code.keras)" in text(at)
    at.button(key="try_it").click()
    until(at, lambda at: "there is nothing to choose" in text(at))
    assert "Fed RGB 0..255, which it scales itself." in text(at)
    at = page(model="code")
    at.button(key="try_it").click()
    until(at, lambda at: "This network cannot be used" in text(at))
    assert "holds a Lambda (layer 'scale')" in text(at)


def test_a_regression_is_said_to_give_one_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = whole_models.transfer()
    number = keras.layers.Dense(1)(model.layers[-2].output)
    keras.Model(model.inputs, number).save(tmp_path / "age.keras")
    told = {"file": str(tmp_path / "age.keras"), "labels": ["age"]}
    monkeypatch.setenv("CAMCORE_MODELS", json.dumps({"age": told}))
    at = page(model="age")
    assert "its output is called age" in text(at)
    at.button(key="try_it").click()
    until(at, lambda at: "It can be made" in text(at))
    assert "one number (age)" in text(at)
    assert "maps show what raises it" in text(at)
    assert "classes (" not in text(at)


def test_the_presets_of_keras_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    rows = (
        hub_presets.HubPreset("vit_small", "vit", 22_000_000, "A small one.", "kaggle://keras/vit/keras/vit_small/1"),
    )
    monkeypatch.setattr(hub_presets, "presets", lambda: rows)
    monkeypatch.setattr(hub_presets, "installed", lambda: True)
    at = page(way="keras_hub")
    table = at.dataframe[-1].value
    assert table.loc[0, ["Preset", "Parameters", "Size", "Weights"]].tolist() == ["vit_small", 22.0, 88, "not here"]
    at.text_input(key="hub_folder").set_value(str(tmp_path)).run()
    assert "There is no preset of a classifier in" in text(at)

    at = visit(model="hub:vit_small")
    assert "hub:vit_small is not on this machine" in text(at)
    assert [button.label for button in at.button if button.key == "fetch"] == ["Download 88 MB"]
    at = visit(model="hub:vit_other")
    assert "names the backbone “hub:vit_other”, which does not exist" in text(at)

    monkeypatch.setattr(hub_presets, "installed", lambda: False)
    at = page(way="keras_hub")
    assert hub_presets.INSTALL in text(at)
    at = visit(model="hub:vit_other")
    assert "a preset of keras_hub, which is not installed here" in text(at)


def test_the_list_turns_to_the_network_of_the_other_pages() -> None:
    at = page(model="MobileNetV3Small")
    at.session_state["model"] = "VGG16"
    assert run(at).session_state["about"] == "VGG16"


def test_the_word_of_older_links_leads_to_the_same_network() -> None:
    at = page(about="VGG19")
    assert at.session_state["about"] == "VGG19"
    assert at.query_params["model"] == "VGG19"
