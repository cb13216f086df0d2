"""``camcore app``: what the server is told of one's network, and that all mistakes are told before it starts."""

import argparse
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import h5py
import pytest

from camcore.__main__ import main
from camcore.cli import app, serving
from camcore.models.declarations import DEFAULT_MODEL, VARIABLE, Declaration, declared
from camcore.places import FOLDERS, PUBLIC

ROOT = Path(__file__).resolve().parents[2]


def whole(suffix):
    """The bytes of a whole model's file as far as they are looked at before the server starts."""
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        if suffix == ".h5":
            file.attrs["model_config"] = "{}"
    if suffix == ".h5":
        return weights.getvalue()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("config.json", "{}")
        file.writestr("model.weights.h5", weights.getvalue())
    return archive.getvalue()


KERAS, HDF5 = whole(".keras"), whole(".h5")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in (VARIABLE, DEFAULT_MODEL, *(name for name in os.environ if name.startswith("STREAMLIT_"))):
        monkeypatch.setenv(name, "")  # so that it is put back, whatever the command sets
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def served(monkeypatch):
    """Options that the server would have been started with, one dictionary a start."""
    starts = []

    def serve(where, query, browser):
        starts.append({"where": where, "query": query, "browser": browser, "default": os.environ.get(DEFAULT_MODEL)})

    monkeypatch.setattr(serving, "serve", serve)
    return starts


def test_without_a_network_the_app_chooses(served):
    assert main(["app"]) == 0
    (start,) = served
    assert start["where"].host == "127.0.0.1"
    assert (start["query"], start["browser"], start["default"]) == ({}, True, None)
    assert VARIABLE not in os.environ


def test_a_server_for_strangers_is_another_mode(served, folder, monkeypatch, capsys):
    monkeypatch.setenv(PUBLIC, "")
    monkeypatch.setenv(FOLDERS, os.pathsep.join([str(folder), str(folder / "none")]))
    assert main(["app"]) == 0
    assert os.environ[PUBLIC] == ""
    assert main(["app", "--public", "--host", "0.0.0.0"]) == 0
    assert served[-1]["where"].host == "0.0.0.0"
    assert os.environ[PUBLIC] == "1"
    note = capsys.readouterr().err
    assert f"names '{folder / 'none'}', which is no folder" in note
    assert f"'{folder}'" not in note


@pytest.mark.parametrize(("name", "content"), [("my model, 2.keras", KERAS), ("old.h5", HDF5)])
def test_a_file_is_declared_under_its_own_name_and_comes_first(name, content, served, folder, monkeypatch):
    monkeypatch.setenv(VARIABLE, "birds=my_models:birds")
    (folder / name).write_bytes(content)
    (folder / "names, all.txt").write_text("a\nb\n")
    options = ["--labels", "names, all.txt", "--preprocess", "tf", "--framing", "crop", "--custom", "my.layers"]
    assert main(["app", name, *options, "--unsafe", "--no-browser"]) == 0
    called = Path(name).stem
    wanted = Declaration(
        called, None, folder / name, folder / "names, all.txt", "tf", framing="crop", custom="my.layers", unsafe=True
    )
    assert declared().problems == ()
    assert declared().networks == (Declaration("birds", function="my_models:birds"), wanted)
    assert (served[0]["query"], served[0]["default"], served[0]["browser"]) == ({"model": called}, called, False)


def test_a_file_called_like_a_network_gets_a_name_of_its_own(served, folder):
    (folder / "cats_vs_dogs.keras").write_bytes(KERAS)
    assert main(["app", "cats_vs_dogs.keras"]) == 0
    assert served[0]["default"] == "cats_vs_dogs-2"
    assert declared().networks == (Declaration("cats_vs_dogs-2", file=folder / "cats_vs_dogs.keras"),)


def test_a_network_is_named(served, monkeypatch):
    assert main(["app", "ResNet50"]) == 0
    monkeypatch.setenv(VARIABLE, "birds=my_models:birds")
    assert main(["app", "birds"]) == 0
    assert [start["default"] for start in served] == ["ResNet50", "birds"]
    assert os.environ[VARIABLE] == "birds=my_models:birds"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["nowhere.keras"], "no file 'nowhere.keras'"),
        (["goof.keras"], "Near to it are: good.keras"),
        (["sub/good.keras"], "no file"),
        (["x" * 5000], "neither a network nor a file 'xxx"),
        (["resnet50"], "neither a network nor a file 'resnet50'.*Did you mean 'ResNet50'"),
        (["text.keras"], "no Keras model: it is a web page"),
        (["empty.keras"], "it is empty"),
        (["broken.keras"], "a zip archive that is not whole"),
        (["weights.h5"], "holds weights alone"),
        (["folder"], "a folder"),
        (["graph"], "is a SavedModel.*--unsafe"),
        (["saved"], "the folder of a saved network"),
        (["good.keras", "--labels", "none.txt"], "no labels file"),
        (["good.keras", "--preprocess", "tff"], "'tff'"),
        (["good.keras", "--framing", "corp"], "'crop'"),
        (["good.keras", "--custom", "my layers.py"], "'my layers.py', which is no module's name"),
        (["--labels", "names.txt"], "--labels belongs to a whole model's file, and no file is named"),
        (["ResNet50", "--framing", "crop"], "--framing belongs to .*'ResNet50'"),
        (["--port", "99999"], "1 to 65535"),
        (["--host", "nowhere.invalid"], "no such address"),
    ],
)
def test_a_mistake_is_told_before_anything_starts(given, said, served, folder, capsys):
    (folder / "good.keras").write_bytes(KERAS)
    (folder / "text.keras").write_bytes(b"<html><body>not found")
    (folder / "empty.keras").write_bytes(b"")
    with h5py.File(folder / "weights.h5", "w") as file:
        file.create_group("layers")
    (folder / "broken.keras").write_bytes(b"PK\x03\x04" + bytes(50))
    for name, inside in (("folder", "x"), ("graph", "saved_model.pb"), ("saved", "network.json")):
        (folder / name).mkdir()
        (folder / name / inside).write_bytes(b"")
    assert main(["app", *given]) == 1
    assert served == []
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert re.search(said, error)


def test_a_preset_of_keras_hub_is_named_or_its_folder(served, folder):
    for name in ("task.json", "config.json"):
        path = folder / "birds" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    assert main(["app", "birds"]) == 0
    assert os.environ[DEFAULT_MODEL] == f"hub:{folder / 'birds'}"
    assert main(["app", f"hub:{folder / 'birds'}"]) == 0
    assert [start["query"]["model"] for start in served] == [f"hub:{folder / 'birds'}"] * 2


def test_a_saved_model_is_taken_where_its_code_may_run(served, folder):
    (folder / "graph").mkdir()
    (folder / "graph" / "saved_model.pb").write_bytes(b"")
    assert main(["app", "graph/", "--unsafe"]) == 0
    assert declared().networks == (Declaration("graph", file=folder / "graph", unsafe=True),)


def test_wrong_declarations_are_told_and_the_app_starts(served, folder, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, "birds, cars=my_models:cars")
    assert main(["app", "cars"]) == 0
    assert "note: CAMCORE_MODELS declares a network that cannot be used" in capsys.readouterr().err


def test_streamlits_own_switch_keeps_the_browser_closed(served, monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_HEADLESS", "true")
    assert main(["app"]) == 0
    assert served[0]["browser"] is False


def test_it_serves_from_any_folder_and_ctrl_c_ends_it(folder):
    for decoy in ("app.py", "camcore_workbench.py", "ui/__init__.py", "pages/compare.py"):
        (folder / decoy).parent.mkdir(exist_ok=True)
        (folder / decoy).write_text("raise SystemExit('the wrong file')")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-P", "-m", "camcore", "app", "cats_vs_dogs", "--port", str(port), "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            end = time.monotonic() + 60
            while True:
                try:
                    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).read() == b"ok"
                    break
                except OSError:
                    assert server.poll() is None, server.stderr.read()
                    assert time.monotonic() < end, "the server does not answer"
                    time.sleep(0.1)
            taken = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            assert taken.returncode == 1
            assert f"port {port}: another program does" in taken.stderr
            server.send_signal(signal.SIGINT)
            printed, errors = server.communicate(timeout=30)
        finally:
            server.kill()
    assert server.returncode == 0, errors
    assert f"http://127.0.0.1:{port}/?model=cats_vs_dogs" in printed
    assert "Traceback" not in errors


def test_each_option_of_a_file_reaches_its_declaration():
    commands = argparse.ArgumentParser().add_subparsers()
    app.add_parser(commands)
    group = next(one for one in commands.choices["app"]._action_groups if one.title == "for a file")
    assert {action.dest for action in group._group_actions} == set(Declaration.__dataclass_fields__) - {
        "name",
        "function",
        "file",
    }
