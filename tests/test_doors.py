"""Every public function is given strange arguments: it gives a result or says what is wrong, in an error of its own.

The walk is over all public names, so a new function is walked, too: it must be given good arguments in ``GOOD``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import keras
import numpy as np
import pytest
from audited import make_audit
from keras import layers
from PIL import Image
from reviewed import reviewed_audit
from transformers import vit

import camcore
from camcore import render
from camcore.audits.filters import Filters
from camcore.features.channels import channels
from camcore.features.patches import picture_files
from camcore.features.strongest_channels import strongest_channels
from camcore.heatmaps.keras_api import CLASSES
from camcore.metrics import agreement
from camcore.metrics.cost import measure
from camcore.metrics.localisation_study import locate_maps
from camcore.metrics.object_masks import read_mask, read_masked_folder
from camcore.models.labels import read_labels
from camcore.render import colour
from camcore.verdict.what_if import hidden, what_if, what_if_passes

SIZE = (12, 14)
RGB = np.random.default_rng(0).integers(0, 256, (16, 20, 3)).astype(np.uint8)
MAP = np.random.default_rng(1).random((16, 20)).astype(np.float32)
POLICY = b"[flips]\nat_most = 0.01"
MOST_STEPS = 3


class Odd:
    """An object whose repr fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


def strange() -> dict[str, Any]:
    """Values that somebody may give by mistake; made anew each time, as some of them are used up."""
    return {
        "None": None, "5": 5, "-1": -1, "1.5": 1.5, "nan": float("nan"), "inf": float("inf"), "huge": 10**400,
        "True": True, "'x'": "x", "''": "", "b'x'": b"x", "[]": [], "{}": {}, "{0: 'a'}": {0: "a"}, "set": {1, 2},
        "odd": Odd(), "function": lambda *_, **__: None, "generator": (one for one in (0, 1)), "type": int,
        "[None]": [None], "['x', 3]": ["x", 3], "[[1]]": [[1]], "complex": 1j, "path": Path("nope"),
        "0-d": np.array(3.5), "2-d": np.zeros((3, 4)), "no elements": np.zeros(0), "objects": np.array([Odd()], object),
        "texts": np.array(["a", "b"]), "4-d": np.full((2, 2, 2, 2), np.nan),
    }  # fmt: skip


@cache
def folder() -> Path:
    root = Path(mkdtemp())
    for part in ("images", "masks"):
        (root / part).mkdir()
        Image.fromarray(RGB).save(root / part / "a.png")
    return root


@cache
def things() -> dict[str, Any]:
    """A network, a picture, and what was found out about them."""
    keras.utils.set_random_seed(1)
    x = keras.Input((*SIZE, 3))
    y = layers.Conv2D(3, 3, padding="same", activation="relu", name="conv")(x)
    y = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="deep")(y)
    y = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(y))
    model = keras.Model(x, y, name="tiny")
    net, pic = camcore.wrap(model, labels=["cat", "dog", "hen"]), camcore.Picture.from_array(RGB)
    maps = camcore.explain(net, pic, ["gradcam", "layercam"], classes=1, framing="stretch")
    return {"model": model, "net": net, "pic": pic, "maps": maps, "m": maps[0]}


def good() -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Every door, by its name, with arguments that it takes."""
    t = things()
    net, pic, m, maps = t["net"], t["pic"], t["m"], t["maps"]
    file, saved = folder() / "images" / "a.png", folder() / "tiny.keras"
    t["model"].save(saved)
    x, logits = np.zeros((1, *SIZE, 3), np.float32), np.zeros(3)
    cells = camcore.look_at_cells(net, pic, framing="stretch")
    (*_, concepts) = camcore.find_concepts(net, [pic], 2)
    (*_, strongest) = camcore.strongest_patches(net, [file])
    (*_, field) = camcore.effective_field(net, pic, "deep", (1, 1), [0])
    asked = {"network": net, "pic": pic}
    made_up = make_audit(folder() / "made up", folder(), 3, failed=()).folder
    rows = camcore.open_audit(made_up)
    review = camcore.start_review(reviewed_audit(folder() / "reviewed", 20).folder, "Ada")
    doors: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (camcore.activations, {**asked, "layers": "deep"}),
        (camcore.attention_rows, {"network": camcore.wrap(vit(blocks=1)), "pic": pic}),
        (camcore.audit, {"network": net, "pictures": folder() / "images", "out": folder() / "audit"}),
        (camcore.backbones, {}),
        (camcore.check, {"new": net, "old": net, "pictures": file.parent, "policy": POLICY, "out": folder() / "gate"}),
        (camcore.check_audits, {"new": rows, "old": made_up, "policy": POLICY}),
        (camcore.compare_audits, {"old": made_up, "new": rows}),
        (camcore.contrast, {**asked, "a": 0, "b": 1}),
        (camcore.effective_field, {**asked, "layer": "deep", "cell": (1, 1), "channels": [0]}),
        (camcore.estimate, {"network": net}),
        (camcore.explain, asked),
        (camcore.find_concepts, {"network": net, "pictures": [pic], "k": 2}),
        (camcore.fuse, {"maps": list(maps)}),
        (camcore.list_reviews, {"folder": made_up}),
        (camcore.load, {"name": saved}),  # loaded some two hundred times, so a small one
        (camcore.look_at_cells, asked),
        (camcore.Memory, {}),
        (camcore.open_audit, {"folder": made_up}),
        (camcore.open_picture, {"source": file}),
        (camcore.open_review, {"file": review.file}),
        (camcore.overlay, {"pic": pic, "m": m}),
        (camcore.start_review, {"folder": review.audit.folder, "reviewer": "Ada"}),
        (camcore.stream, asked),
        (camcore.read_policy, {"source": POLICY}),
        (camcore.spread, {"networks": [net, net], "pictures": file.parent, "out": folder() / "gate"}),
        (camcore.spread_audits, {"audits": [rows, made_up]}),
        (camcore.strongest_patches, {"network": net, "files": [file]}),
        (camcore.trust, {**asked, "m": m}),
        (camcore.trust_passes, {"network": net, "m": m}),
        (camcore.wrap, {"keras_model": t["model"]}),
        (type(rows).count, {"self": rows}),
        (type(rows).table, {"self": rows}),
        (type(rows).sql, {"self": rows, "query": "select ?", "parameters": [1]}),
        (type(rows).maps, {"self": rows, "paths": []}),
        (type(rows).evidence, {"self": rows, "paths": []}),
        (type(rows).groups, {"self": rows}),
        (type(review).shown, {"self": review}),
        (type(review).answer, {"self": review, "verdict": "right"}),
        (Filters, {}),
        (camcore.Picture, {"rgb": RGB, "sha256": ""}),
        (camcore.Picture.from_array, {"rgb": RGB}),
        (camcore.CamMap.on_picture, {"self": m}),
        (camcore.Contrast.on_picture, {"self": camcore.contrast(net, pic, 0, 1)}),
        (type(cells).at, {"self": cells, "row": 1, "column": 1}),
        (type(cells).area, {"self": cells, "row": 1, "column": 1}),
        (type(cells).of, {"self": cells, "point": (3.0, 4.0)}),
        (type(cells.at(0, 0)).strongest, {"self": cells.at(0, 0), "count": 2}),
        (type(concepts).channels, {"self": concepts, "concept": 0}),
        (type(concepts).classes, {"self": concepts, "concept": 0}),
        (type(concepts).on_picture, {"self": concepts, "picture": 0, "concept": 0}),
        (type(strongest).of, {"self": strongest, "channel": 0}),
        (type(field).on_picture, {"self": field}),
        (channels, asked),
        (strongest_channels, {**asked, "layers": ["conv", "deep"]}),
        (picture_files, {"folder": folder()}),
        (render.blend, {"rgb": RGB, "values": MAP}),
        (render.spotlight, {"rgb": RGB, "values": MAP}),
        (render.to_png, {"rgb": RGB}),
        (render.to_jpeg, {"rgb": RGB}),
        (render.to_data_url, {"data": b"1"}),
        (render.with_caption, {"rgb": RGB, "lines": ["a"]}),
        (colour.colour, {"values": MAP}),
        (colour.diverging, {"values": MAP}),
        (colour.colour_bar, {}),
        (colour.css_gradient, {}),
        (what_if, {**asked, "m": m, "box": (2, 2, 8, 8)}),
        (what_if_passes, {"network": net, "m": m}),
        (hidden, {"pic": pic, "box": (2, 2, 8, 8)}),
        (measure, {**asked, "methods": ["gradcam"]}),
        (locate_maps, {**asked, "maps": maps, "boxes": [(2, 2, 8, 8)], "randoms": 1}),
        (read_mask, {"source": file, "pic": pic}),
        (read_masked_folder, {"path": folder()}),
        (read_labels, {"source": b"a\nb"}),
        (agreement.aligned, {"maps": maps}),
        (agreement.agreement_matrix, {"maps": [MAP, MAP]}),
        (agreement.consensus, {"maps": [MAP, MAP]}),
        *((door, {"a": MAP, "b": MAP[::-1]}) for door in (agreement.spearman, agreement.ssim, agreement.top_iou)),
        *((method, {"model": net}) for method in CLASSES.values() if method.method != "cam"),
        *((CLASSES[name](net).compute_heatmap, {"x": x}) for name in ("GradCAM", "EigenCAM")),
    ]
    of_network = {
        "layer": {"layer": "deep"}, "layer_with_grid": {"layer": "deep"}, "check_class": {"index": 1},
        "framing_for": {"framing": "crop"}, "prepare": {"pic": pic}, "preprocess": {"rgb": x},
        "check_input": {"x": x}, "logits": {"x": x},
        "predict": {"pic": pic}, "predictions": {"logits": logits}, "top_class": {"logits": logits},
        "answer": {"x": x}, "probabilities": {"logits": logits},
        "head": {"layer": "deep"}, "linear_head_offset": {"layer": "deep"}, "check_linear_head": {"layer": "deep"},
        "is_affine_behind": {"layer": "deep"}, "share_behind": {"layer": "deep"}, "passed_by": {"layer": "deep"},
        "cell_gradients": {"x": x, "layer": "deep", "cell": (1, 1), "channels": [0]},
    }  # fmt: skip
    doors += [(getattr(net, name), given) for name, given in of_network.items()]
    return {getattr(door, "__qualname__", str(door)): (door, given) for door, given in doors}


# Asked by the engine's own code, chunk by chunk, with what it has checked itself.
OF_THE_ENGINE = {
    "tap", "bias_pass", "masked_logits", "ablated_logits", "ablated_size", "placed_logits", "site", "with_weights",
    "channels_last", "as_input", "attention_pass",
}  # fmt: skip

# Results: made by the functions above, and read.
RESULTS = {
    "AuditStep", "CheckResult", "CheckStep", "LayerInfo", "MethodInfo", "Prediction", "SpreadStep", "Step", "Trust",
    "TrustStep", "Verdict",
}  # fmt: skip


def run(door: Callable[..., Any], given: dict[str, Any]) -> None:
    result = door(**given)
    if isinstance(result, Iterator):
        list(islice(result, MOST_STEPS))


@pytest.fixture(scope="module")
def doors() -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    return good()


def test_every_public_function_has_its_door_here(doors):
    walked = {name.split(".")[0] for name in doors}
    for name in camcore.__all__:
        found = getattr(camcore, name)
        if callable(found) and name not in RESULTS and not (inspect.isclass(found) and issubclass(found, Exception)):
            assert name in walked, f"camcore.{name}: give it good arguments in `good`"
    public = {name for name, _ in inspect.getmembers(camcore.Network, inspect.isfunction) if not name.startswith("_")}
    walked_of_network = {name.split(".")[1] for name in doors if name.startswith(("Network.", "InspectableModel."))}
    assert public - OF_THE_ENGINE == walked_of_network
    assert set(render.__all__) - {"UNSEEN"} <= walked
    assert {method.__qualname__ for method in CLASSES.values()} - {"CAM"} <= walked


def test_strange_arguments_are_refused_by_errors_of_our_own(doors, tmp_path, monkeypatch):
    """Every parameter of every door × every strange value; what is not refused gives a result."""
    monkeypatch.chdir(tmp_path)  # where a folder of a strange name does no harm
    wrong = []
    for name, (door, given) in doors.items():
        run(door, given)
        for parameter in inspect.signature(door).parameters.values():
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) or parameter.name == "self":
                continue
            if (name, parameter.name) in (("measure", "on_step"), ("load", "progress")):
                continue  # a function of the caller's own, called as it is
            for label in strange():
                try:
                    run(door, {**given, parameter.name: strange()[label]})
                except camcore.CamcoreError as error:
                    if len(str(error)) < 20:
                        wrong.append(f"{name}({parameter.name}={label}): says only {error}")
                except Exception as error:
                    wrong.append(f"{name}({parameter.name}={label}): {type(error).__name__}: {error}"[:200])
    assert not wrong, "\n".join(wrong)


# ---- what was taken silently


@pytest.mark.parametrize(
    ("door", "given"),
    [
        (lambda: camcore.Memory, {"limit_bytes": -1}),
        (lambda: camcore.Memory, {"limit_bytes": "x"}),
        (lambda: camcore.fuse, {"maps": "maps", "gamma": 0}),
        (lambda: camcore.fuse, {"maps": "maps", "gamma": float("nan")}),
        (lambda: camcore.explain, {"network": "net", "pic": "pic", "refine": 5}),
        (lambda: camcore.explain, {"network": "net", "pic": "pic", "memory": "x"}),
        (lambda: camcore.overlay, {"pic": "pic", "m": "m", "smooth": "no"}),
        (lambda: camcore.CamMap.on_picture, {"self": "m", "max_side": 0}),
        (lambda: camcore.activations, {"network": "net", "pic": "pic", "layers": []}),
    ],
)
def test_what_was_once_taken_silently(door, given):
    given = {name: things().get(value, value) if isinstance(value, str) else value for name, value in given.items()}
    with pytest.raises(camcore.CamcoreError) as caught:
        door()(**given)
    assert str(caught.value).count(".") >= 2
