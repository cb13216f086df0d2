"""The Concepts page, run by Streamlit's own test runner with a small network that learned nothing."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app_pages import html, until, visit
from PIL import Image
from streamlit.testing.v1 import AppTest

from ui.concepts import pictures as drawn
from ui.jobs.runner import runner

pytestmark = pytest.mark.usefixtures("pets")


def page(**query: str) -> AppTest:
    return visit("pages/concepts.py", **{"model": "pets", **query})


def settled(at: AppTest, *signs: str) -> AppTest:
    return until(at, lambda at: any(sign in html(at) for sign in signs))


def done(at: AppTest) -> AppTest:
    return until(settled(at, "cam-concept", "cam-error"), lambda at: "being measured" not in html(at))


def test_the_samples_in_six_concepts() -> None:
    at = done(page())
    body = html(at)
    assert body.count('<section class="cam-concept">') == 6
    assert body.count("Concepts in their colours over") == 5
    said = " ".join(c.value for c in at.caption)
    assert re.search(r"6 concepts account for .*% of the layer’s activity in 5 pictures", said.replace("\\", ""))
    assert "concepts" not in at.query_params


def test_one_picture_and_as_many_concepts_as_the_link_says() -> None:
    at = done(page(**{"in": "picture", "concepts": "2", "sample": "coffee"}))
    body = html(at)
    assert body.count("Concepts in their colours over") == 1
    assert body.count('<section class="cam-concept">') == 2
    assert "Concepts in their colours over Coffee" in body
    assert "<b>owl</b>" not in body, "labels are escaped"


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for n in range(3):
        Image.fromarray(rng.integers(0, 256, (40, 30, 3), np.uint8)).save(tmp_path / f"<i>{n}.png")
    (tmp_path / "damaged.jpg").write_bytes(b"\xff\xd8\xff damaged")
    at = done(page(**{"in": "folder", "pictures": str(tmp_path), "concepts": "2"}))
    assert html(at).count("Concepts in their colours over &lt;i&gt;") == 3
    assert "1 more could not be opened" in " ".join(c.value for c in at.caption).replace("\\", "")
    assert str(tmp_path) in at.query_params["pictures"]


@pytest.mark.parametrize(("query", "said"), [
    ({"in": "folder", "pictures": "/nowhere/at/all"}, "There is no folder"),
    ({"layer": "nothing_like_it"}, "This network has no layer"),
])  # fmt: skip
def test_what_cannot_be_done_is_said_in_place(query: dict[str, str], said: str) -> None:
    at = settled(page(**query), "cam-error", "cam-note")
    assert said in html(at)
    assert not at.exception
    assert "cam-error" not in html(at) or "<figure>" not in html(at), "no space is kept for what does not come"


def test_a_picture_that_another_visitor_brought_keeps_ones_own_name() -> None:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 30, 3), np.uint8)).save(file, "PNG")
    for name, other in (("theirs.png", "mine.png"), ("mine.png", "theirs.png")):
        at = page(**{"in": "picture", "concepts": "1"})
        at.file_uploader[0].upload(name, file.getvalue(), "image/png")
        body = html(done(at.run()))
        assert f"Concepts in their colours over {name}" in body
        assert other not in body
    assert "one concept accounts for" in " ".join(c.value for c in at.caption)


def test_without_weights_nothing_is_fetched_unasked(no_weights: Path) -> None:
    at = page(model="VGG16")
    assert "weights are not on this machine" in " ".join(m.value for m in at.markdown)
    assert at.button(key="fetch")
    assert "cam-concept" not in html(at).replace("cam-concepts", "")


def test_a_folder_not_yet_named_asks_for_it() -> None:
    at = page(**{"in": "folder"})
    assert "Name a folder" in " ".join(c.value for c in at.caption)
    assert at.text_input(key="pictures").value == ""


@pytest.mark.parametrize("concepts", ["999", "x"])
def test_nonsense_in_the_link_is_told_and_passed_over(concepts: str) -> None:
    at = page(concepts=concepts, model="Nope", **{"in": "somewhere"})
    assert html(at).count("The link") == 3


def test_the_files_hold_what_is_shown() -> None:
    at = done(page(concepts="3"))
    slot: Any = at.session_state["work_concepts"]
    found = slot.job.value if slot is not None and slot.job.value is not None else None
    if found is None:  # another test has asked the same: the result was known
        found = runner().known(slot.work)
    text = drawn.concepts_csv(found).decode()
    assert text.startswith("concept,channel,weight\n1,")
    kept = np.load(io.BytesIO(drawn.concepts_npz(found)))
    np.testing.assert_array_equal(kept["maps"], found.concepts.maps)
    np.testing.assert_array_equal(kept["effects"], found.concepts.effects.concepts)
    sheet = np.asarray(Image.open(io.BytesIO(drawn.sheet_png(found, True, ["caption"]))))
    assert sheet.shape[1] > 5 * drawn.PRINT_SIDE
    assert sheet.shape[0] > 4 * drawn.PRINT_SIDE
