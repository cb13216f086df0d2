"""What may import what: the arrows of the house, and the lightness of ``import camcore``."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("tensorflow", "keras", "streamlit", "h5py", "pandas", "matplotlib", "skimage", "scipy", "plotly", "cv2")


def fresh(code: str) -> list[str]:
    """The modules that a fresh Python has loaded after ``code``."""
    code = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def loaded(modules: list[str], names: tuple[str, ...]) -> list[str]:
    return [name for name in modules if name.split(".")[0] in names]


def test_import_camcore_is_light():
    modules = fresh("import camcore")
    assert not loaded(modules, (*HEAVY, "numpy", "PIL"))
    assert [name for name in modules if name.startswith("camcore")] == [
        "camcore",
        "camcore.errors",
        "camcore.forking",  # it has to know of forks from the start
    ]


@pytest.mark.parametrize(
    "code",
    [
        "import camcore; camcore.METHODS; camcore.CamcoreError; dir(camcore)",
        "import camcore; [row.weights_state for row in camcore.backbones()]",
        "import camcore, numpy as np; camcore.Picture.from_array(np.zeros((9, 9, 3), 'uint8'))",
        "import camcore; camcore.explain; camcore.stream; camcore.estimate; camcore.activations; camcore.wrap",
        "import camcore; camcore.load; camcore.overlay; camcore.GradCAM",
        "import camcore.methods, camcore.heatmaps.maps, camcore.framing, camcore.pictures, camcore.engine.receptive",
    ],
)
def test_all_but_a_network_needs_no_tensorflow(code):
    assert not loaded(fresh(code), ("tensorflow", "keras", "streamlit"))


def test_every_public_name_is_there():
    import camcore

    for name in camcore.__all__:
        assert getattr(camcore, name) is not None
        assert name in dir(camcore)


# ---- the arrows, read from the source


def imports(path: Path, everywhere: bool = True) -> Iterator[str]:
    """The modules that a file imports; with ``everywhere`` False only those loaded when it is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))

    def visit(node: ast.AST) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert not child.level, f"{path}: relative import"
                yield child.module or ""
                yield from (f"{child.module}.{alias.name}" for alias in child.names)
            elif isinstance(child, ast.Call) and getattr(child.func, "id", getattr(child.func, "attr", "")) in (
                "import_module",
                "__import__",
            ):
                argument = child.args[0] if child.args else None
                if isinstance(argument, ast.Constant):
                    yield str(argument.value)
                yield from visit(child)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                if everywhere:
                    yield from visit(child)
            elif isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
                continue
            else:
                yield from visit(child)

    yield from visit(tree)


def tops(path: Path, everywhere: bool = True) -> set[str]:
    return {name.split(".")[0] for name in imports(path, everywhere)}


def files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return found


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


CAMCORE = files("camcore")
SCREENS = [ROOT / "app.py", *files("pages")]


def test_the_scan_sees_what_it_should(tmp_path):
    source = tmp_path / "x.py"
    source.write_text(
        "import a.b\nfrom c import d\ndef f():\n    import e\n    class G:\n        from h import i\n"
        "try:\n    import j\nexcept ImportError:\n    pass\nfrom importlib import import_module\nimport_module('k.l')\n"
    )
    assert {"a", "c", "e", "h", "j", "k"} <= tops(source)
    assert {"a", "c", "j", "k"} <= tops(source, everywhere=False)
    assert not {"e", "h"} & tops(source, everywhere=False)
    assert len(CAMCORE) > 15


@pytest.mark.parametrize("path", CAMCORE, ids=ids)
def test_camcore_knows_no_streamlit_and_no_page(path):
    assert not tops(path) & {"streamlit", "ui", "pages", "app", "tests"}


@pytest.mark.parametrize("path", CAMCORE, ids=ids)
def test_camcore_loads_tensorflow_inside_functions_only(path):
    assert not tops(path, everywhere=False) & {"tensorflow", "keras"}


@pytest.mark.parametrize("path", SCREENS, ids=ids)
def test_pages_never_import_tensorflow(path):
    assert not tops(path) & {"tensorflow", "keras", "tests"}


@pytest.mark.parametrize("path", files("ui"), ids=ids)
def test_ui_loads_no_tensorflow_with_itself(path):
    assert not tops(path, everywhere=False) & {"tensorflow", "keras"}
    assert not tops(path) & {"pages", "app", "tests"}


PAGES = {path.parent.name for path in (ROOT / "ui").glob("*/__init__.py")} - {"components"}
BESIDE = {"compare": {"trust"}, "inspect": {"compare"}, "models": {"training"}, "report": {"compare", "trust"}}
"""Folders of pages that take something from another page's."""


@pytest.mark.parametrize("path", files("ui"), ids=ids)
def test_what_pages_share_knows_no_page(path):
    home = path.relative_to(ROOT / "ui").parts[0]
    used = {name.split(".")[1] for name in imports(path) if name.startswith("ui.")} & PAGES
    assert used <= ({home} | BESIDE.get(home, set()) if home in PAGES else set())


@pytest.mark.parametrize("path", files("camcore/render"), ids=ids)
def test_render_draws_and_nothing_else(path):
    standard = set(sys.stdlib_module_names)
    assert tops(path) - standard <= {"numpy", "cv2", "PIL", "plotly", "camcore"}
    ours = {name for name in imports(path) if name.startswith("camcore.")}
    assert all(name.startswith(("camcore.checks", "camcore.errors", "camcore.render")) for name in ours), ours


ALLOWED = {
    "camcore/errors.py": set(),
    "camcore/checks.py": {"errors"},
    "camcore/class_names.py": {"checks", "errors"},
    "camcore/depth.py": set(),
    "camcore/forking.py": {"errors"},
    "camcore/framing.py": {"checks", "errors", "pictures"},
    "camcore/picture_kinds.py": set(),
    "camcore/pictures.py": {"checks", "depth", "errors", "picture_kinds", "tiff_bands"},
    "camcore/tiff_bands.py": {"depth", "errors"},
    "camcore/preprocessed.py": {"checks", "errors"},
    "camcore/methods/info.py": {"checks", "errors"},
    "camcore/methods/gradient.py": {"methods"},
    "camcore/methods/score.py": {"methods"},
    "camcore/engine/windows.py": set(),
    "camcore/engine/receptive.py": {"engine"},
    "camcore/predictions.py": {"checks", "errors"},
}


@pytest.mark.parametrize("name", ALLOWED)
def test_the_ground_floor_stands_by_itself(name):
    ours = {module.split(".")[1] for module in imports(ROOT / name) if module.startswith("camcore.")}
    assert ours <= ALLOWED[name]


FLOORS = (
    {
        *{"errors", "words", "origin", "pictures", "framing", "predictions", "cache", "memory", "tables", "render"},
        *{"checks", "class_names", "depth", "forking", "picture_kinds", "preprocessed", "tiff_bands"},
    },
    {"engine", "layers", "methods"},
    {"network"},
    {"models", "training", "surgery"},
    {"heatmaps"},
    {"faithfulness", "localisation", "sanity", "filters", "inside", "judging", "evaluation"},
    {"bias", "report"},
    {"commands"},
    {"__main__"},
)
"""The rooms of camcore from the ground up; a room stands on its own floor and on those below."""


@pytest.mark.parametrize("path", CAMCORE, ids=ids)
def test_rooms_stand_on_the_floors_below(path):
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    room = path.relative_to(ROOT / "camcore").with_suffix("").parts[0]
    if room != "__init__":
        used = {module.split(".")[1] for module in imports(path) if module.startswith("camcore.")}
        assert {other for other in used if floor[other] > floor[room]} == set()


@pytest.mark.parametrize("folder", ["camcore", "ui"])
def test_there_is_no_cycle(folder):
    """Modules that import each other when they are loaded, in a circle."""
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files(folder)}
    names = {path: name.removesuffix(".__init__") for path, name in names.items()}
    known = set(names.values())
    arrows = {
        name: {module for module in imports(path) if module in known and module not in (name, folder)}
        for path, name in names.items()
    }
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail, name))
        if name not in done:
            for module in sorted(arrows[name]):
                if not (name.startswith(module + ".") or module.startswith(name + ".")):  # a package and its parts
                    walk(module, (*trail, name))
            done.add(name)

    for name in sorted(known):
        walk(name, ())
