"""README and guides in docs: their Python runs as it stands, commands are understood, tables are what is printed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image
from skimage import data as samples

import camcore
from camcore import __main__ as command_line

ROOT = Path(__file__).resolve().parents[1]
GUIDES = ("README.md", *(f"docs/{name}.md" for name in ("python", "audit", "pages", "models", "methods")))
"""In this order their examples are run: each uses what stands before it."""
README = "\n".join((ROOT / name).read_text("utf-8") for name in GUIDES)


def blocks(language: str) -> Iterator[str]:
    for indent, code in re.findall(rf"(?ms)^( *)```{language}\n(.*?)^ *```$", README):
        yield re.sub(rf"(?m)^{indent}", "", code)


def mobilenet() -> camcore.Network:
    """In MobileNetV2's place: few layers, those that the README names among them, and as many channels and classes."""
    x = y = keras.Input((80, 80, 3))
    for filters, name in ((4, "block_1_expand"), (16, "block_6_expand"), (8, "block_13_expand"), (1280, "out_relu")):
        y = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu", name=name)(y)
    model = keras.Model(x, layers.Dense(1000, "softmax")(layers.GlobalAveragePooling2D()(y)))
    return camcore.wrap(model, preprocess="tf", framing="crop", name="MobileNetV2")


def small_model(*outputs: int) -> Any:
    """A classifier whose last convolution is called as VGG16's."""
    x = keras.Input((32, 32, 3))
    y = layers.Conv2D(4, 3, strides=2, activation="relu", name="block5_conv3")(x)
    return keras.Model(x, layers.Dense(*outputs)(layers.GlobalAveragePooling2D()(y)), name="small")


def with_facts() -> Any:
    """A picture and two facts about the patient."""
    x, age, sex = keras.Input((32, 32, 3), name="image"), keras.Input((1,), name="age"), keras.Input((2,), name="sex")
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(x))
    return keras.Model([x, age, sex], layers.Dense(3, "softmax")(layers.Concatenate()([pooled, age, sex])))


def map_to_map() -> Any:
    x = keras.Input((160, 160, 3))
    y = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(x)
    return keras.Model(x, layers.Conv2DTranspose(2, 3, strides=2, padding="same", activation="softmax")(y))


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """What the README's examples find where they are run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CAMCORE_CACHE", str(tmp_path / "cache"))
    keras.utils.set_random_seed(0)
    Image.fromarray(samples.chelsea()).save("photo.jpg")
    small_model(3).save("birds.keras")
    Path("birds.txt").write_text("finch\nowl\nrobin\n")
    for number, name in enumerate(["square", "round"] * 6):
        picture = Path("pictures", name, f"{number}.jpg")
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (40, 40, 3), np.uint8)).save(picture)
    return tmp_path


def test_the_python_runs(folder, monkeypatch):
    load, first = camcore.load, mobilenet()
    monkeypatch.setattr(camcore, "load", lambda name, **more: first if name == "MobileNetV2" else load(name, **more))
    names: dict[str, Any] = {
        "keras": keras,
        "model": small_model(2),
        "clinic": with_facts(),
        "unet": map_to_map(),
        "age_model": small_model(1),
        "x": np.zeros((32, 32, 3), np.float32),
        "other": camcore.Picture.from_array(samples.coffee()),
        "build_it": lambda: small_model(3),
    }
    for code in blocks("python"):
        if "train_head" in code:
            continue  # takes long; tests/training/test_surgery.py
        if "camcore.load" not in code:
            names["net"] = first  # of the first example
        exec(compile(code, "README.md", "exec"), names)
    assert (folder / "report.pdf").stat().st_size > 1000


def test_the_commands_are_understood(monkeypatch):
    parser = command_line._parser()
    lines = [line for code in blocks("bash") for line in code.splitlines() if re.match(r"(python -m )?camcore ", line)]
    assert len(lines) > 12
    for line in lines:
        words = shlex.split(line, comments=True)
        assert callable(parser.parse_args(words[words.index("camcore") + 1 :]).run), line


def test_the_table_of_methods_is_what_its_command_prints(capsys):
    said = re.search(r"(?s)<!-- methods: python -m camcore (.*?) -->\n(.*?)<!-- end of methods -->", README)
    assert command_line.main(shlex.split(said[1])) == 0
    assert said[2] == capsys.readouterr().out
