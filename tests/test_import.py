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
        "camcore._compat",
        "camcore.errors",
        "camcore.forking",  # it has to know of forks from the start
    ]


@pytest.mark.parametrize(
    "code",
    [
        "import camcore; camcore.METHODS; camcore.CamcoreError; dir(camcore)",
        "import camcore; [row.weights_state for row in camcore.backbones()]; import camcore.models.hub_presets as hub\n"
        "assert not hub.installed() or hub.presets()",
        "import camcore, numpy as np; camcore.Picture.from_array(np.zeros((9, 9, 3), 'uint8'))",
        "import camcore; camcore.explain; camcore.stream; camcore.estimate; camcore.activations; camcore.wrap",
        "import camcore; camcore.load; camcore.overlay; camcore.GradCAM",
        "import camcore.methods, camcore.heatmaps.cam_map, camcore.pictures.picture, camcore.graph.receptive_field",
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


def imports(path: Path, everywhere: bool = True, types: bool = False) -> Iterator[str]:
    """The modules that a file imports; with ``everywhere`` False only those loaded when it is imported.

    ``types``: with those imported for type checkers only.
    """
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
                if types:
                    yield from visit(child)
            else:
                yield from visit(child)

    yield from visit(tree)


def tops(path: Path, everywhere: bool = True) -> set[str]:
    return {name.split(".")[0] for name in imports(path, everywhere)}


def files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return found


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


CAMCORE = files("camcore")
UI = files("ui")
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


def offenders(paths: list[Path], forbidden: set[str], everywhere: bool = True) -> dict[str, list[str]]:
    """The files that import a forbidden package, with what they import."""
    found = {name_of(path): sorted(tops(path, everywhere) & forbidden) for path in paths}
    return {name: names for name, names in found.items() if names}


def test_camcore_imports_no_streamlit_and_no_page():
    assert offenders(CAMCORE, {"streamlit", "ui", "pages", "app", "tests"}) == {}


def test_tensorflow_is_imported_inside_functions_only():
    assert offenders([*CAMCORE, *UI], {"tensorflow", "keras"}, everywhere=False) == {}


def private_names(path: Path) -> set[str]:
    """Private attributes of others, such as ``model._nodes``, and modules outside a library's public interface."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    own = ("self", "cls", "other")
    found = {
        node.attr
        for node in attributes
        if node.attr.startswith("_") and not node.attr.startswith("__") and getattr(node.value, "id", "") not in own
    }
    found -= {
        "_replace",
        "_SubParsersAction",
    }  # of the standard library: a named tuple's method, a type without a public name
    inner = ("keras.src", "tensorflow.python", "streamlit.runtime", "streamlit.elements", "streamlit.proto")
    return found | {name for name in imports(path) if name.startswith(inner)}


def test_private_names_of_libraries_stand_in_one_module():
    found = {name_of(path): private_names(path) for path in [*CAMCORE, *UI, *SCREENS]}
    users = {name for name, used in found.items() if used}
    assert users == {"camcore/_compat.py", "ui/_compat.py"}, found


def test_pages_import_no_tensorflow_and_nobody_imports_pages():
    assert offenders(SCREENS, {"tensorflow", "keras", "tests"}) == {}
    assert offenders(UI, {"pages", "app", "tests"}) == {}


PAGES = {path.parent.name for path in (ROOT / "ui").glob("*/__init__.py")} - {"components", "jobs"}
BESIDE = {"compare": {"trust"}, "inspect": {"compare"}, "models": {"training"}, "report": {"compare", "trust"}}
"""Folders of pages that take something from another page's."""


def test_shared_modules_of_ui_import_no_page():
    found = {}
    for path in UI:
        home = path.relative_to(ROOT / "ui").parts[0]
        used = {name.split(".")[1] for name in imports(path) if name.startswith("ui.")} & PAGES
        found[name_of(path)] = used - ({home} | BESIDE.get(home, set()) if home in PAGES else set())
    assert {name: used for name, used in found.items() if used} == {}


def test_render_depends_on_numpy_and_drawing_libraries_only():
    allowed = {*sys.stdlib_module_names, "numpy", "cv2", "PIL", "plotly", "camcore"}
    own = ("camcore.checks", "camcore.errors", "camcore.render")
    for path in files("camcore/render"):
        assert tops(path) <= allowed, path
        assert all(name.startswith(own) for name in imports(path) if name.startswith("camcore.")), path


FLOORS = (
    {"_compat", "errors", "cache", "lazy", "peak_memory", "places", "text"},
    {"checks", "files", "forking", "typed_json"},
    {"class_names", "origin", "pictures", "preprocessed", "render"},
    {"framing", "predictions"},
    {"generators", "graph"},
    {"network"},
    {"methods"},
    {"models"},
    {"training"},
    {"batches", "heatmaps"},
    {"metrics", "filters", "features"},
    {"evaluation", "verdict"},
    {"report"},
    {"audits", "reviews", "shortcuts"},
    {"bias", "release"},
    {"decision"},
    {"cli"},
    {"__main__"},
)
"""The packages of camcore from the ground up; each imports from its own floor and those below."""


def test_imports_point_downwards():
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    found = {}
    for path in CAMCORE:
        room = path.relative_to(ROOT / "camcore").with_suffix("").parts[0]
        if room != "__init__":
            used = {module.split(".")[1] for module in imports(path, types=True) if module.startswith("camcore.")}
            found[name_of(path)] = sorted(other for other in used if floor[other] > floor[room])
    assert {name: used for name, used in found.items() if used} == {}


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
