"""A server for strangers: whatever a visitor presses or writes into an address, nothing of it is seen or changed."""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path

import numpy as np
import pytest
from app_pages import text, until, visit
from audited import make_audit
from element_texts import texts
from small import network_folder
from streamlit.testing.v1 import AppTest
from zip_files import packed, picture

from camcore import CamcoreError
from camcore.audits.groups import Group, Stability, group_to_json
from camcore.models import saved
from camcore.shortcuts.verdict import Verdict
from ui import frame, policy, visitor_home
from ui.models import card
from ui.networks import _loaded
from ui.training import runs, zip_upload
from ui.visitor_home import VisitorHome

ROOT = Path(__file__).resolve().parents[2]
PAGES = [script for script, _, _ in frame.PAGES]
FORBIDDEN = {"remove_weights", "remove_weights_really", "remove_network", "remove_network_really"}
FORBIDDEN |= {"fetch", "fetch_it", "keep_feed", "try_it"}
ADDRESSES = [
    ("pages/concepts.py", "pictures", {"in": "folder", "model": "cats_vs_dogs"}),
    ("pages/audit.py", "pictures", {}),
    ("pages/audit.py", "audit", {}),
    ("pages/decision.py", "audit", {"model": "theirs"}),
    ("pages/train.py", "data", {}),
    ("pages/cats_vs_dogs.py", "folder", {}),
]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server with a folder that is open, one that is not, a network and weights of the operator's."""
    for folder in ("open/pets", "secret"):
        for label in ("cat", "dog"):
            (tmp_path / folder / label).mkdir(parents=True)
            for number in range(4):
                (tmp_path / folder / label / f"{Path(folder).name}-{number}.png").write_bytes(picture())
    network_folder(tmp_path / "home" / "networks" / "theirs", ["cat", "dog"])
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "VGG16.weights.h5").write_bytes(b"weights")
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("CAMCORE_PUBLIC", "1")
    monkeypatch.setenv("CAMCORE_FOLDERS", str(tmp_path / "open" / "pets"))
    return tmp_path


def everything(at: AppTest) -> str:
    """All texts of a page, those in boxes and lists too."""
    boxes = [str(one.value) for one in (*at.text_input, *at.selectbox)]
    options = [str(option) for one in at.selectbox for option in one.options]
    return "\n".join([*(body for _, _, body in texts(at)), text(at), *boxes, *options])


@pytest.mark.parametrize("page", PAGES)
def test_no_page_tells_where_things_lie_or_offers_what_is_not_the_visitors(page: str, server: Path) -> None:
    choices = {"about": "theirs"} if page == "pages/models.py" else {}
    said = everything(at := visit(page, **choices))
    places = (str(server), str(ROOT), os.path.expanduser("~") + "/", "/tmp/", str(Path(pytest.__file__).parents[1]))
    assert [place for place in places if place in said] == []
    widgets = {
        one.key for kind in ("button", "popover", "download_button") for one in at.get(kind) if hasattr(one, "key")
    }
    assert widgets & FORBIDDEN == set()
    assert "yours alone" in said


@pytest.fixture
def audited(server: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An audit of the operator's with a suspect group, which visitors may open."""
    folder = make_audit(server / "open" / "audited", server / "open" / "pets", 24, failed=(5,)).folder
    verdict = Verdict(None, True, (f"It is like {server}/secret/a.png.",))
    group = Group(
        "cat", 0, 8, 0.7, ("cat/000.png",), (), None, None, np.ones((3, 4)), (), Stability(0.9, ()), verdict=verdict
    )
    (folder / "groups.json").write_text(json.dumps([group_to_json(group)]))
    monkeypatch.setenv("CAMCORE_FOLDERS", str(folder))
    return folder


def test_an_audit_that_is_open_can_be_read_and_not_written(audited: Path, server: Path) -> None:
    before = sorted(one.name for one in audited.rglob("*"))
    choices = {"audit": "audited", "other": server / "secret"}
    at = until(visit("pages/audit.py", **choices), lambda at: "It is like …/a.png" in everything(at), 60)
    said = everything(at)
    assert str(server) not in said
    assert policy.CLOSED in said
    assert policy.NOT_YOURS in said
    widgets = {one.key for kind in ("button", "pills", "text_input", "slider") for one in at.get(kind) if one.key}
    assert [key for key in widgets if key.startswith(("audit_judge", "audit_mend", "review_", "mend_"))] == []
    assert sorted(one.name for one in audited.rglob("*")) == before


@pytest.mark.parametrize(("page", "name", "choices"), ADDRESSES)
def test_an_address_shows_no_folder_and_does_not_say_which_there_are(
    page: str, name: str, choices: dict[str, str], server: Path
) -> None:
    at = None
    shown = set()
    for given in (server / "secret", server / "none", server / "open" / "pets", "/etc", "yours/../../secret", "~root"):
        at = visit(page, at, **{**choices, name: str(given)})
        said = everything(at)
        assert policy.CLOSED in said
        assert "secret-" not in said
        assert str(given) not in said
        shown.add(len(said) if page != "pages/cats_vs_dogs.py" else 0)  # there an answer is on its way
        at = visit("pages/report.py", at)
    assert len(shown) == 1, "another answer for a folder that is there"


def test_the_folder_that_is_open_has_a_name(server: Path) -> None:
    at = visit("pages/train.py", data="pets")
    until(at, lambda at: "8 pictures" in everything(at), 20)
    assert at.selectbox(key="data").value == "pets"
    assert str(server) not in everything(at)
    with pytest.raises(CamcoreError, match="shows no folders but those"):
        policy.place(str(server / "open" / "pets"))
    assert policy.place("pets") == server / "open" / "pets"


def test_what_is_the_servers_stays(server: Path) -> None:
    theirs = saved.find("theirs")
    for act in (lambda: card._remove_file("VGG16"), lambda: card._press("VGG16"), lambda: card._delete("theirs")):
        with pytest.raises(CamcoreError):
            act()
    assert theirs is not None
    assert theirs.weights.is_file()
    assert (server / "weights" / "VGG16.weights.h5").is_file()


def test_no_visitor_has_weights_fetched(server: Path) -> None:
    with pytest.raises(CamcoreError, match=r"weights of VGG19 are not on this server. Only the operator"):
        _loaded("VGG19")


def test_what_a_visitor_makes_is_his_alone(server: Path) -> None:
    one, other = visit("pages/train.py"), visit("pages/train.py")
    homes = [at.session_state["visitor_home"].path for at in (one, other)]
    assert homes[0] != homes[1]
    network_folder(homes[0] / "networks" / "mine", ["cat", "dog"])
    seen = [everything(visit("pages/models.py", at)) for at in (one, other)]
    options = [visit("app.py", at).selectbox(key="model").options for at in (one, other)]
    assert [any("mine" in option for option in listed) for listed in options] == [True, False]
    assert all("theirs" in option for listed in options for option in listed if "theirs" in option)
    assert len(seen) == 2
    assert not (server / "home" / "networks" / "mine").exists()


def test_a_visitors_folder_goes_with_the_session(tmp_path: Path) -> None:
    home = VisitorHome()
    path = home.path
    (path / "networks").mkdir()
    (path / "networks" / "a").write_bytes(bytes(1000))
    assert home.size() == 1000
    del home
    gc.collect()
    assert not path.exists()


def test_what_a_killed_server_left_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for number in (os.getpid(), 2**22 + 1):
        (tmp_path / f"camcore-visitor-{number}-x" / "networks").mkdir(parents=True)
    visitor_home.sweep.cache_clear()
    visitor_home.sweep()
    assert [one.name for one in tmp_path.iterdir()] == [f"camcore-visitor-{os.getpid()}-x"]


def test_budgets_are_told(server: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "MOST_UPLOADED", 1000)
    policy.count_upload(600)
    with pytest.raises(
        CamcoreError, match=r"more than the 0.0 GB that this server takes of each visitor\. Upload fewer"
    ):
        policy.count_upload(600)
    monkeypatch.setenv("CAMCORE_PUBLIC", "")
    policy.count_upload(10_000)


@pytest.mark.parametrize("page", ["pages/concepts.py", "pages/audit.py", "pages/train.py"])
def test_an_address_with_a_zero_takes_no_page_down(page: str) -> None:
    name = "data" if page == "pages/train.py" else "pictures"
    visit(page, **{name: "a\0b", "in": "folder"} if "concepts" in page else {name: "a\0b"})


def test_the_oldest_uploads_make_room(tmp_path: Path) -> None:
    folders = [
        zip_upload.unpack(packed({"a/1.png": picture(), "b/1.png": picture()}), "x.zip", tmp_path) for _ in range(7)
    ]
    for age, folder in enumerate(reversed(folders)):
        os.utime(folder, (1000 - age, 1000 - age))
    zip_upload.make_room(tmp_path, {folders[0]})
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(one.name for one in [folders[0], *folders[3:]])


def test_two_trainings_at_a_time_for_all_visitors(monkeypatch: pytest.MonkeyPatch, server: Path) -> None:
    class AtWork:
        def poll(self) -> None:
            return None

    monkeypatch.setattr(runs, "_launched", [AtWork(), AtWork()])
    with pytest.raises(CamcoreError, match="trains 2 networks at a time, for all its visitors"):
        runs._refuse_second(shared=True)
    runs._refuse_second(shared=False)


def test_paths_in_texts_become_names(server: Path) -> None:
    for given, wanted in (
        (f"'{server}/open/pets/cat/1.png' cannot be read", "'pets/cat/1.png' cannot be read"),
        (f"--model {server}/home/networks/theirs --out x", "--model theirs --out x"),
        ("The folder '/srv/some where/a b.png' is", "The folder '…/a b.png' is"),
        ("see /usr/lib/python3/x.py: line 3", "see …/x.py: line 3"),
        ("https://keras.io/a/b and 3/4, cat/dog/owl", "https://keras.io/a/b and 3/4, cat/dog/owl"),
    ):
        assert policy.veiled(given) == wanted
