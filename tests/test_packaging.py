"""The wheel: its dependencies are those that are tested; library, app and bundled network find each other in it."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def required(name: str, heading: str | None = None) -> dict[str, str]:
    """Package → versions in a requirements file, in its part without a heading or below one."""
    parts = re.split(r"(?m)^# Checks and tests$", (ROOT / name).read_text("utf-8"))
    lines = parts[1 if heading else 0].splitlines()
    return split([line.partition("#")[0].strip() for line in lines if line.partition("#")[0].strip()])


def split(lines: list[str]) -> dict[str, str]:
    found = [re.fullmatch(r"([A-Za-z0-9_-]+)(\S+)", line) for line in lines]
    assert all(found), lines
    return {one[1]: one[2] for one in found if one}


def test_what_is_installed_is_what_is_tested():
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    assert split(project["dependencies"]) == required("requirements.txt")
    assert split(extras["test"]) == required("requirements.txt", "Checks and tests")
    assert split(extras["bench"]) == required("requirements-bench.txt")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder as a wheel would leave it, with somebody else's `models` and `ui` beside."""
    site = tmp_path_factory.mktemp("site-packages")
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    leave = shutil.ignore_patterns("__pycache__")
    for package in wheel["packages"]:
        shutil.copytree(ROOT / package, site / package, ignore=leave)
    for source, target in wheel["force-include"].items():
        (site / target).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, site / target, ignore=leave)
        else:
            shutil.copy(ROOT / source, site / target)
    for other in ("models", "ui", "pages"):
        (site / other).mkdir()
        (site / other / "__init__.py").write_text("raise SystemExit('of another package')")
    return site


def run(code: str, site: Path, folder: Path, *more: Path) -> str:
    """What a fresh Python prints that finds camcore in ``site``, started in ``folder``."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*more, site)))}
    environment["CAMCORE_HOME"] = str(folder / "home")
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_library_app_and_network_find_each_other(installed, tmp_path):
    code = (
        "import camcore, json; from camcore.cli import serving; from camcore.models import saved; "
        "print(json.dumps([camcore.__file__, str(serving.script()), "
        "[(one.name, one.weights_state, str(one.folder)) for one in saved.saved_networks()]]))"
    )
    where, script, networks = json.loads(run(code, installed, tmp_path))
    assert Path(where) == installed / "camcore" / "__init__.py"
    assert Path(script) == installed / "camcore_workbench" / "app.py"
    home = installed / "camcore" / "bundled"
    assert networks == [[name, "bundled", str(home / name)] for name in ("cats_vs_dogs", "cats_vs_dogs_vit")]


def test_the_pages_and_all_they_import_are_there(installed, tmp_path):
    home = installed / "camcore_workbench"
    code = (
        "import importlib, pkgutil, ui, ui.frame; from pathlib import Path; "
        "names = [one.name for one in pkgutil.walk_packages(ui.__path__, 'ui.')]; "
        "[importlib.import_module(name) for name in names]; "
        "print(ui.__file__, *(script for script, _, _ in ui.frame.PAGES))"
    )
    where, *pages = run(code, installed, tmp_path, home).split()
    assert Path(where) == home / "ui" / "__init__.py"
    assert len(pages) == 13
    assert all((home / page).is_file() for page in pages)
    beside = {str(path.relative_to(ROOT)) for path in (ROOT / "ui").rglob("*.*") if path.suffix != ".pyc"}
    assert {str(path.relative_to(home)) for path in (home / "ui").rglob("*.*")} >= beside
    assert (home / ".streamlit" / "config.toml").read_text() == (ROOT / ".streamlit" / "config.toml").read_text()


@pytest.mark.parametrize(("called", "program"), [("/usr/bin/camcore", "camcore"), ("__main__.py", "python -m camcore")])
def test_help_and_version_are_quick_and_follow_the_call(called, program, installed, tmp_path):
    for argument, wanted in (("-h", f"usage: {program} [-h]"), ("--version", "camcore 0.")):
        code = (
            f"import sys; sys.argv = [{called!r}, {argument!r}]\n"
            "from camcore.__main__ import main\n"
            "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
            "assert not {'tensorflow', 'keras', 'streamlit', 'h5py', 'skimage', 'scipy'} & set(sys.modules)"
        )
        printed = run(code, installed, tmp_path)
        assert printed.startswith(wanted)
        if argument == "-h":
            assert f"\n  {program} explain photo.jpg\n" in printed


def test_a_function_in_the_folder_is_found_by_the_console_script(installed, tmp_path):
    (tmp_path / "my_models.py").write_text("def birds():\n    return 'no model'\n")
    code = (
        "import sys, os; os.environ['CAMCORE_MODELS'] = 'birds=my_models:birds'; "
        "sys.argv = ['camcore', 'models']; from camcore.__main__ import main; main(); import my_models; "
        "assert sys.path[-1] == os.getcwd()"
    )
    run(code, installed, tmp_path)
