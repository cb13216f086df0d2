"""The scaffold of a page: the recipe for a new one followed to the letter, failing sections, and light imports."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small import network_folder
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
_CORE = ("network", "heatmaps", "metrics", "features", "evaluation", "filters", "training", "bias", "cli")
NOT_AT_FIRST = (*(f"camcore.{room}" for room in _CORE), "camcore.report.document", "ui.compare", "ui.cell.view")
"""Behind a switch or a button of the front page, or in the worker."""
FOLLOWED = """
import sys, time
from streamlit.testing.v1 import AppTest
at = AppTest.from_file({app!r}, default_timeout=120)
at.switch_page("pages/answers.py")
at.query_params["model"] = "pets"
end = time.monotonic() + 120
at.run()
while not at.table and time.monotonic() < end:
    time.sleep(0.1)
    at.run()
assert not at.exception, at.exception
print(sorted(at.table[0].value["class"]), dict(at.query_params))
"""


def recipe() -> list[str]:
    """The listings of CONTRIBUTING's section on a new page, in order."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = text.partition("## A new page\n")[2].partition("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


def test_a_page_made_by_the_recipe_alone_does_its_work(tmp_path: Path) -> None:
    for name in ("app.py", "pages", "ui", ".streamlit"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    script, line, view = recipe()
    (tmp_path / "pages" / "answers.py").write_text(script, "utf-8")
    frame = tmp_path / "ui" / "frame.py"
    frame.write_text(frame.read_text("utf-8").replace("PAGES = (\n", f"PAGES = (\n{line}", 1), "utf-8")
    (tmp_path / "ui" / "answers").mkdir()
    (tmp_path / "ui" / "answers" / "__init__.py").write_text('"""The Answers page."""\n', "utf-8")
    (tmp_path / "ui" / "answers" / "view.py").write_text(view, "utf-8")
    network_folder(tmp_path / "home" / "networks" / "pets", ["cat", "dog"])
    done = subprocess.run(
        [sys.executable, "-c", FOLLOWED.format(app=str(tmp_path / "app.py"))],
        cwd=tmp_path,
        env={**os.environ, "CAMCORE_HOME": str(tmp_path / "home"), "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("['cat', 'dog'] {'model': 'pets'")


def broken() -> None:
    import streamlit as st

    from ui.page import page
    from ui.urls import Parameter

    with page("Broken") as p:
        p.address([Parameter("layer", "layer", None)])
        p.follow = lambda: st.text("followed")
        st.session_state["layer"] = "conv"
        if st.session_state["breaks"] == "stop":
            st.stop()
        with p.section("The part", st.container(key="part")):
            st.text("before")
            raise ValueError("a fault")
        st.text("after")
        if st.session_state["breaks"] == "page":
            raise ValueError("a fault")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows with each start of the background work."""
    calls: list[str] = []
    monkeypatch.setattr("ui.networks.Networks.start", lambda self: calls.append("started"))
    return calls


def run(breaks: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr("ui.frame.PAGES", ())  # the script of a function has no pages beside it
    at = AppTest.from_function(broken)
    at.session_state["breaks"] = breaks
    return at.run()


def test_an_error_stays_in_its_section_and_the_page_goes_on(
    started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = run("section", monkeypatch)
    assert not at.exception
    assert [one.value for one in at.text] == ["before", "after", "followed"]
    assert "The part could not be shown" in " ".join(str(one.proto.body) for one in at.get("html"))
    assert dict(at.query_params) == {"layer": "conv"}
    assert started == ["started"]


def test_a_page_that_breaks_is_published_and_its_work_begins(
    started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = run("page", monkeypatch)
    assert len(at.exception) == 1
    assert "followed" not in [one.value for one in at.text]
    assert dict(at.query_params) == {"layer": "conv"}
    assert started == ["started"]


def test_a_page_that_stops_itself_does_nothing_more(started: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    at = run("stop", monkeypatch)
    assert not at.exception
    assert not at.text
    assert started == []


def test_the_front_page_imports_what_it_draws_at_first() -> None:
    source = (ROOT / "app.py").read_text("utf-8")
    imports = "\n".join(re.findall(r"^ *(from ui\S* import .*)$", source, re.MULTILINE))
    code = f"import sys, json\n{imports}\nprint(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = json.loads(done.stdout)
    assert [name for name in modules if name.startswith(NOT_AT_FIRST)] == []
    assert len([name for name in modules if name.split(".")[0] in ("camcore", "ui")]) < 116


def test_the_scaffold_itself_imports_nothing_but_streamlit() -> None:
    code = "import sys, json, streamlit; before = {*sys.modules}; import ui.page\nprint(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    ours = [name for name in json.loads(done.stdout) if name.split(".")[0] in ("camcore", "ui")]
    assert sorted(ours) == [
        *("camcore", "camcore._compat", "camcore.errors", "camcore.forking"),
        *("ui", "ui._compat", "ui.frame", "ui.page", "ui.urls"),
    ]
