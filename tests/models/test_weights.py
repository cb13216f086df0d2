"""Weights files: finding, downloading from a stand-in server, and loading into a small network."""

import hashlib
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import pytest

from camcore.errors import ModelError
from camcore.models import weights_files
from camcore.models.weights import load_weights
from camcore.models.weights_files import WeightsFile, download, find_file, keras_cache, search_folders

ROOT = Path(__file__).resolve().parents[2]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- where files lie -------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty Keras home, and no folder of our own."""
    folder = tmp_path / "keras_home"
    monkeypatch.setenv("KERAS_HOME", str(folder))
    monkeypatch.delenv("CAMCORE_WEIGHTS", raising=False)
    return folder


def test_keras_cache_follows_keras_home(home, monkeypatch):
    assert keras_cache() == home / "models"
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(home.parent))
    assert keras_cache() == home.parent / ".keras" / "models"
    assert not (home.parent / ".keras").exists(), "looking must not create folders"


@pytest.mark.parametrize("writable", [True, False])
def test_keras_cache_is_where_get_file_puts_files(home, monkeypatch, writable, tmp_path):
    from keras.src.backend import config
    from keras.src.utils import file_utils

    home.mkdir(exist_ok=True)  # Keras makes it when it is imported
    source = tmp_path / "source.txt"
    source.write_text("x")
    monkeypatch.setattr(config, "_KERAS_DIR", str(home))
    monkeypatch.setattr(weights_files.os, "access", lambda path, mode: writable or str(path) != str(home))
    monkeypatch.setattr(file_utils.os, "makedirs", lambda *args, **kwargs: None)
    asked = []
    monkeypatch.setattr(file_utils, "urlretrieve", lambda url, target, hook: asked.append(target))
    file_utils.get_file("camcore_probe.h5", source.as_uri(), cache_subdir="models")
    assert asked == [str(keras_cache() / "camcore_probe.h5")]


def test_named_folders_come_first_and_in_order(home, tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second, home / "models"):
        folder.mkdir(parents=True)
        (folder / "b.h5").touch()
    (home / "models" / "only_there.h5").touch()
    (second / "a.h5").touch()
    monkeypatch.setenv("CAMCORE_WEIGHTS", f"{first}{os.pathsep}{os.pathsep}{second}")
    assert search_folders() == (first, second, home / "models")
    assert find_file(["b.h5"]) == first / "b.h5"
    assert find_file(["a.h5", "b.h5"]) == first / "b.h5", "the folder counts before the name"
    assert find_file(["only_there.h5"]) == home / "models" / "only_there.h5"
    assert find_file(["nowhere.h5"]) is None


def test_a_folder_of_that_name_is_no_file(home):
    (home / "models" / "a.h5").mkdir(parents=True)
    assert find_file(["a.h5"]) is None


# --- download --------------------------------------------------------------------------------------------


@dataclass
class Server:
    """What the stand-in answers, and what it was asked."""

    url: str = ""
    body: bytes = b""
    status: int = 200
    announced: int | None = -1  # Content-Length; -1: the body's, None: not said
    pause: float = 0.0  # seconds before the second half
    drip: float = 0.0  # seconds after each byte
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            self.send_response(state.status)
            if state.announced is not None:
                length = len(state.body) if state.announced == -1 else state.announced
                self.send_header("Content-Length", str(length))
            self.end_headers()
            half = len(state.body) // 2
            try:
                for byte in state.body if state.drip else ():
                    self.wfile.write(bytes([byte]))
                    time.sleep(state.drip)
                self.wfile.write(state.body[:half])
                self.wfile.flush()
                time.sleep(state.pause)
                self.wfile.write(state.body[half:])
            except OSError:
                pass  # the client has gone

        def log_message(self, *args: object) -> None:
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{httpd.server_port}/mirror/"
    monkeypatch.setenv("CAMCORE_WEIGHTS_URL", state.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield state
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture(scope="module")
def body(tmp_path_factory) -> bytes:
    """An HDF5 file of about a megabyte: some chunks of the download."""
    path = tmp_path_factory.mktemp("body") / "body.h5"
    with h5py.File(path, "w") as file:
        file["numbers"] = np.random.default_rng(0).random((512, 256))
    return path.read_bytes()


def wanted(body: bytes, algorithm: Callable = hashlib.md5) -> WeightsFile:
    return WeightsFile("net.h5", "http://127.0.0.1:9/never/Net-other.h5", algorithm(body).hexdigest())


@pytest.mark.parametrize("algorithm", [hashlib.md5, hashlib.sha256])
def test_download_with_progress(home, server, body, algorithm):
    server.body = body
    seen = []
    path = download(wanted(body, algorithm), progress=lambda done, total: seen.append((done, total)))
    assert path == home / "models" / "net.h5"
    assert path.read_bytes() == body
    assert server.asked == ["/mirror/net.h5"], "a mirror has the files under the names of Keras' cache"
    assert len(seen) >= 4
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert {total for _, total in seen} == {len(body)}
    assert seen[-1] == (len(body), len(body))
    assert [p.name for p in path.parent.iterdir()] == ["net.h5"]


def test_keras_finds_the_download(home, server, body):
    import keras

    server.body = body
    file = wanted(body)
    path = download(file)
    found = keras.utils.get_file(file.name, file.url, cache_dir=str(home), cache_subdir="models", file_hash=file.hash)
    assert Path(found) == path
    assert len(server.asked) == 1


def test_without_a_mirror_the_own_address_is_asked(home, server, body, monkeypatch):
    server.body = body
    monkeypatch.setenv("CAMCORE_WEIGHTS_URL", " ")
    file = WeightsFile("net.h5", server.url + "Net-other.h5", "")
    assert download(file).name == "net.h5"
    assert server.asked == ["/mirror/Net-other.h5"]


@pytest.mark.parametrize("announced", [None, "many", "-5", "1e9"])
def test_unknown_length_is_zero(home, server, body, announced):
    server.body, server.announced = body, announced
    seen = []
    assert download(wanted(body), lambda *step: seen.append(step)).read_bytes() == body
    assert {total for _, total in seen} == {0}


def refused(file: WeightsFile, home: Path, pattern: str) -> None:
    """The download fails with that reason, our advice, and leaves what was there."""
    cache = home / "models"
    cache.mkdir(parents=True)
    (cache / "net.h5").write_bytes(b"from before")
    with pytest.raises(ModelError, match=pattern) as caught:
        download(file, advice="Do this.")
    assert str(caught.value).startswith("The weights 'net.h5' could not be downloaded from http://127.0.0.1:")
    assert str(caught.value).endswith(". Do this.")
    assert [p.name for p in cache.iterdir()] == ["net.h5"]
    assert (cache / "net.h5").read_bytes() == b"from before"


def test_not_found(home, server, body):
    server.status = 404
    refused(wanted(body), home, "the server answered 404 Not Found")


def test_connection_refused(home, body, monkeypatch):
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("CAMCORE_WEIGHTS_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        refused(wanted(body), home, "Connection refused")


def test_truncated(home, server, body):
    server.body, server.announced = body[:700_000], len(body)
    refused(wanted(body), home, f"connection ended after 700,000 of {len(body):,} bytes")


def test_truncated_without_length_or_hash(home, server, body):
    server.body, server.announced = body[:700_000], None
    refused(WeightsFile("net.h5", "", ""), home, "no whole HDF5 file .*truncated file.* and was thrown away")


def test_wrong_hash(home, server, body):
    server.body = body[:-1] + b"!"
    right = wanted(body).hash
    refused(wanted(body), home, f"not the file that Keras published .*should be {right}. and was thrown away")


def test_a_login_page_is_no_weights_file(home, server):
    server.body = b"<html>Welcome to our guest network</html>"
    refused(WeightsFile("net.h5", "", ""), home, "no whole HDF5 file")


def test_silence_times_out(home, server, body, monkeypatch):
    monkeypatch.setattr(weights_files, "TIMEOUT_SECONDS", 0.2)
    server.body, server.pause = body, 5.0
    start = time.perf_counter()
    refused(wanted(body), home, "nothing came for 0 seconds")
    assert time.perf_counter() - start < 2


def test_a_drip_is_left_as_soon_as_one_wants(home, server, body):
    server.body, server.drip = body, 0.005
    start = time.perf_counter()

    def stop(done: int, total: int) -> None:
        raise InterruptedError(done)

    with pytest.raises(InterruptedError) as caught:
        download(wanted(body), stop)
    assert caught.value.args[0] < 1000
    assert time.perf_counter() - start < 2


def test_a_drip_is_given_up(home, server, body, monkeypatch):
    monkeypatch.setattr(weights_files, "SLOW_SECONDS", 0.1)
    server.body, server.drip = body, 0.005
    refused(wanted(body), home, r"only \d+ bytes came within 0 seconds")


def test_a_stream_without_end_is_given_up(home, server, body, monkeypatch):
    monkeypatch.setattr(weights_files, "LARGEST", 300_000)
    server.body, server.announced = body, None
    refused(wanted(body), home, r"still not whole after \d{3},\d{3} bytes")


def test_what_a_killed_download_left_goes_with_the_next_one(home, server, body):
    server.body = body
    cache = home / "models"
    cache.mkdir(parents=True)
    old, live, other = cache / ".1.download", cache / ".2.download", cache / "mine.h5"
    for path in (old, live, other):
        path.write_bytes(b"begun")
    hour_ago = time.time() - 3600
    for path in (old, other):
        os.utime(path, (hour_ago, hour_ago))
    download(wanted(body))
    assert sorted(p.name for p in cache.iterdir()) == [".2.download", "mine.h5", "net.h5"]


def test_nonsense_address(home, body, monkeypatch):
    monkeypatch.setenv("CAMCORE_WEIGHTS_URL", "nonsense")
    with pytest.raises(ModelError, match=r"from nonsense/net\.h5: unknown url type"):
        download(wanted(body))


def test_folder_that_cannot_be_made(home, server, body):
    home.write_text("a file in the way")
    with pytest.raises(ModelError, match=r"could not be downloaded .*(File exists|Not a directory)"):
        download(wanted(body))


def test_progress_may_stop_it(home, server, body):
    server.body = body

    def stop(done: int, total: int) -> None:
        raise OSError("enough")

    with pytest.raises(OSError, match=r"^enough$"):
        download(wanted(body), stop)
    assert list((home / "models").iterdir()) == []


def test_threads_at_the_same_file(home, server, body):
    server.body, server.pause = body, 0.1
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: download(wanted(body)), range(4)))
    assert {path.read_bytes() for path in paths} == {body}
    assert [p.name for p in (home / "models").iterdir()] == ["net.h5"]


def test_processes_at_the_same_file(home, server, body):
    server.body, server.pause = body, 0.3
    file = wanted(body)
    code = (
        "from camcore.models.weights_files import WeightsFile, download\n"
        f"print(download(WeightsFile({file.name!r}, '', {file.hash!r})))"
    )
    command = [sys.executable, "-c", code]
    runs = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = {run.communicate(timeout=60)[0].strip() for run in runs}
    assert outputs == {str(home / "models" / "net.h5")}
    assert (home / "models" / "net.h5").read_bytes() == body


# --- into a model ----------------------------------------------------------------------------------------


def small(filters: int = 4, classes: int = 3, extra: bool = False, seed: int = 0):
    """A small network with the kinds of variables that backbones have, and weights all its own."""
    import keras

    x = inputs = keras.Input((8, 8, 3))
    x = keras.layers.Normalization(axis=-1, name="norm")(x)
    x = keras.layers.Conv2D(filters, 3, name="conv")(x)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.DepthwiseConv2D(3, use_bias=False, name="dw")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.1)(x)
    x = keras.layers.Dense(classes, name="top")(x)
    if extra:
        x = keras.layers.Dense(classes, name="more")(x)
    model = keras.Model(inputs, x, name="small")
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if "float" in variable.dtype:
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
    model.get_layer("norm").finalize_state()
    return model


def write_legacy(model, path: Path) -> None:
    """The layout of Keras 2's save_weights, in which Keras' downloads come."""
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


def same(a, b) -> bool:
    return all(np.array_equal(v.numpy(), w.numpy()) for v, w in zip(a.weights, b.weights, strict=True))


@pytest.fixture
def saved(tmp_path) -> Path:
    path = tmp_path / "small.weights.h5"
    small().save_weights(path)
    return path


@pytest.mark.parametrize("name", ["a.weights.h5", "a.h5", "a.bin", "no suffix"])
@pytest.mark.parametrize("layout", ["new", "legacy"])
def test_both_layouts_load_under_any_name(tmp_path, saved, layout, name):
    path = tmp_path / name
    if layout == "legacy":
        write_legacy(small(), path)
    else:
        shutil.copyfile(saved, path)
    model = small(seed=1)
    assert not same(model, small())
    load_weights(model, str(path))
    assert same(model, small())
    x = np.random.default_rng(2).random((2, 8, 8, 3), np.float32)
    np.testing.assert_allclose(model(x), small()(x), rtol=1e-6)


def test_no_copy_where_links_are_forbidden(tmp_path, saved, monkeypatch):
    def forbidden(self: Path, target: Path) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", forbidden)
    model = small(seed=1)
    load_weights(model, saved.rename(tmp_path / "odd.bin"))
    assert same(model, small())


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_a_trained_model_with_its_optimizer_loads(tmp_path):
    trained = small(seed=5)
    trained.compile("adam", "mse", metrics=["mae"])
    trained.fit(np.zeros((2, 8, 8, 3)), np.zeros((2, 3)), verbose=0)
    for name in ("trained.weights.h5", "trained.h5"):
        (trained.save_weights if "weights" in name else trained.save)(tmp_path / name)
        model = small(seed=1)
        load_weights(model, tmp_path / name)
        assert same(model, trained)


def not_loaded(path: Path, pattern: str, **options) -> None:
    before = digest(path)
    with pytest.raises(ModelError, match=pattern) as caught:
        load_weights(small(seed=1, **options), path)
    assert str(path) in str(caught.value)
    assert digest(path) == before


def test_missing_and_folder(tmp_path):
    with pytest.raises(ModelError, match=r"gone.weights.h5' does not exist\. .*Correct the path"):
        load_weights(small(), tmp_path / "gone.weights.h5")
    with pytest.raises(ModelError, match="is not a file"):
        load_weights(small(), tmp_path)


def test_not_hdf5(tmp_path):
    path = tmp_path / "a.weights.h5"
    path.write_bytes(b"")
    not_loaded(path, r"is not an HDF5 file \(it is empty\).*Give a file that model.save_weights")
    path.write_bytes(b"<html>hello</html>")
    not_loaded(path, r"is not an HDF5 file \(it begins with b'<html>he'\)")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    not_loaded(path, r"is not an HDF5 file \(it is a zip archive, perhaps a whole model")


def test_hdf5_without_weights(tmp_path):
    path = tmp_path / "a.weights.h5"
    with h5py.File(path, "w") as file:
        file["pictures"] = np.zeros(3)
    not_loaded(path, "HDF5 file without Keras weights: it holds pictures")


@pytest.mark.parametrize("kept", [9, 100, 0.5, 0.99])
def test_truncated_file(tmp_path, saved, kept):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(kept * len(whole)) if kept < 1 else kept])
    not_loaded(saved, r"is damaged: it cannot be read \([\d,]+ bytes\).*Replace it with a whole one")


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # Keras, before it gives up
def test_damaged_array(tmp_path, saved):
    path = tmp_path / "packed.weights.h5"
    with h5py.File(saved) as old, h5py.File(path, "w") as new:
        for name in old:
            old.copy(name, new)
        del new["layers/conv2d/vars/0"]
        kernel = np.random.default_rng(0).random((3, 3, 3, 4), np.float32)
        dataset = new.create_dataset("layers/conv2d/vars/0", data=kernel, compression="gzip")
        place = dataset.id.get_chunk_info(0)
    with path.open("r+b") as file:
        file.seek(place.byte_offset)
        file.write(b"\xff" * place.size)
    not_loaded(path, r"is damaged: its arrays cannot be read: .*Replace it")


@pytest.mark.parametrize("layout", ["new", "legacy"])
def test_another_architecture(tmp_path, saved, layout):
    if layout == "legacy":
        saved = tmp_path / "legacy.h5"
        write_legacy(small(), saved)
    wider = (
        r"not for this network \(small\): layer 'conv' has 3×3×3×6, 6 in the network, "
        r"(3×3×3×4, 4|4, 3×3×3×4) in the file\."
    )
    not_loaded(saved, wider, filters=6)
    classes = r"layer 'top' has 4×5, 5 in the network, (4×3, 3|3, 4×3) in the file\. .*the same options"
    not_loaded(saved, classes, classes=5)
    not_loaded(saved, "the file has no layer 'more'", extra=True)


@pytest.mark.parametrize("layout", ["new", "legacy"])
def test_a_larger_network_is_not_taken_in_part(tmp_path, layout):
    path = tmp_path / "larger.h5"
    larger = small(extra=True)
    if layout == "legacy":
        write_legacy(larger, path)
    else:
        path = tmp_path / "larger.weights.h5"
        larger.save_weights(path)
        small(seed=1).load_weights(path)  # Keras takes it without a word
    not_loaded(path, "the network has no layer 'more'")


def test_not_numbers(tmp_path):
    broken = small()
    broken.get_layer("bn").gamma.assign([1.0, np.nan, 1.0, 1.0])
    path = tmp_path / "nan.weights.h5"
    broken.save_weights(path)
    not_loaded(path, "leaves 1 arrays of the network unset or not numbers, 'bn/gamma' first")


def test_an_unset_variable_is_noticed(saved):
    model = small(seed=1)
    read = model.load_weights

    def forgetful(path: Path) -> None:
        kernel = model.get_layer("top").kernel
        before = kernel.numpy()
        read(path)
        kernel.assign(before)

    model.load_weights = forgetful
    with pytest.raises(ModelError, match=r"leaves 1 arrays of the network unset .*'top/kernel' first"):
        load_weights(model, saved)


def test_links_to_other_files_are_not_followed(tmp_path, saved):
    path = tmp_path / "link.weights.h5"
    with h5py.File(path, "w") as file:
        file["layers"] = h5py.ExternalLink(str(saved), "layers")
    not_loaded(path, "is not opened: 'layers' in it links to another file")
