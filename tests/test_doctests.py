"""The examples in the docstrings of the public functions, run as they stand."""

from __future__ import annotations

import doctest
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from reviewed import reviewed_audit

import camcore

FUNCTIONS = [name for name in camcore.__all__ if inspect.isfunction(getattr(camcore, name))]
WITHOUT_EXAMPLE = {"trust_passes"}  # in that of trust
RGB = np.zeros((48, 64, 3), np.uint8)
RGB[12:36, 16:40] = 200, 150, 90


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every example may use."""
    file: Path = tmp_path_factory.mktemp("doctests") / "photo.png"
    Image.fromarray(RGB).save(file)
    net, pic = camcore.load("cats_vs_dogs"), camcore.Picture.from_array(RGB)
    return {"camcore": camcore, "np": np, "net": net, "pic": pic, "file": file, "folder": file.parent}


@pytest.fixture
def out(name: str, names: dict[str, Any], tmp_path: Path) -> Path:
    """A folder for an audit, or of one where the example reads it."""
    if name in ("list_reviews", "open_review", "start_review"):
        return reviewed_audit(tmp_path, 30).folder
    if name in ("open_audit", "compare_audits", "check_audits", "spread_audits"):
        list(camcore.audit(names["net"], names["folder"], tmp_path))
    return tmp_path


def test_every_public_function_has_an_example() -> None:
    assert len(FUNCTIONS) >= 16
    assert {name for name in FUNCTIONS if ">>> " not in (getattr(camcore, name).__doc__ or "")} == WITHOUT_EXAMPLE


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in WITHOUT_EXAMPLE])
def test_the_example_gives_what_it_says(name: str, names: dict[str, Any], out: Path) -> None:
    known = {**names, "out": out}
    example = doctest.DocTestParser().get_doctest(getattr(camcore, name).__doc__, known, name, None, 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    failed, tried = runner.run(example, out=report.append)
    assert tried
    assert not failed, "".join(report)
