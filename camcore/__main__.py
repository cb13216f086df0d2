"""The command line: ``camcore explain photo.jpg --method gradcam --out out/``, or ``python -m camcore explain …``."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import camcore
from camcore.class_names import class_named
from camcore.cli import app, bias, evaluate, listing, train, trust
from camcore.cli.network_options import add_network, check_network_options, load_network
from camcore.errors import CamcoreError, MethodError
from camcore.methods import find_method
from camcore.render.colour import COLORMAPS
from camcore.report.words import answer_name, place
from camcore.text import duration, readable, score_text, strength

SCRIPT, MODULE = "camcore", "python -m camcore"
"""The two ways to call it: the console script, and the module."""

_EXAMPLES = """\
examples:
  python -m camcore explain photo.jpg
  python -m camcore explain photo.jpg --model ResNet50 --method gradcam --method scorecam --out out/
  python -m camcore explain photo.jpg --model my_model.keras --labels labels.txt   your own, of Keras 3 or 2
  python -m camcore explain *.jpg --method layercam --layer block_6_expand_relu --class "tiger cat"
  python -m camcore trust photo.jpg --method layercam   how far to trust the map, with the reasons
  python -m camcore run out/run.json            the same maps again, and how far they differ
  python -m camcore train pictures/ --out mine/ a network of your own from a folder for each class
  python -m camcore evaluate NETWORK pictures/  accuracy, confusion and more on a folder for each class
  python -m camcore bias study pictures/ --out bias/   plant a cue, see it in the maps, mend it
  python -m camcore layers MobileNetV2          which layers there are, and which one to look at
  python -m camcore methods                     what each method answers and costs
  python -m camcore models                      all backbones and saved networks; are their weights here?
  python -m camcore app my_model.keras          the app in your browser, with that network in it

Weights are looked for in the folder named by CAMCORE_WEIGHTS, then in Keras's cache, then downloaded.
Networks of your own by name: CAMCORE_MODELS="birds=birds.keras, cars=module:function".
Exit codes: 0 done; 1 refused, the reason is on standard error; 2 wrong usage; 130 interrupted.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    if _program() == SCRIPT and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # as `python -m` does; at the end, so that nothing installed is hidden
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up notes are not the answer
    given = _parser().parse_args(arguments)
    warnings.simplefilter("always", UserWarning)
    warnings.showwarning = lambda message, *_, **__: print(f"note: {message}", file=sys.stderr)
    try:
        given.run(given)
    except CamcoreError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _program() -> str:
    """The command as it was called."""
    return SCRIPT if Path(sys.argv[0]).stem == SCRIPT else MODULE


def _parser() -> argparse.ArgumentParser:
    program = _program()
    examples = _EXAMPLES.replace(MODULE, program)
    parser = argparse.ArgumentParser(
        prog=program,
        description="Class activation maps: why an image classifier said what it said.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"camcore {camcore.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    explain = commands.add_parser(
        "explain",
        help="heatmaps of pictures, as PNG, CSV and run.json",
        description="What the network says about each picture, and where it looks for it.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    explain.add_argument("pictures", nargs="+", metavar="PICTURE", help="JPEG, PNG, WEBP, GIF, BMP or TIFF")
    add_network(explain)
    explain.add_argument(
        "--method",
        action="append",
        metavar="KEY",
        help="a method's key; repeat for more (default: gradcam; occlusion where no layer has a grid)",
    )
    explain.add_argument(
        "--layer", action="append", metavar="PATH", help="a layer; repeat for more (default: the recommended)"
    )
    explain.add_argument(
        "--class",
        action="append",
        dest="classes",
        metavar="CLASS",
        help="a class index or label; repeat for more (default: what the network says)",
    )
    explain.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="METHOD:NAME=VALUE",
        help="an option of a method, such as fasterscorecam:n=30",
    )
    explain.add_argument(
        "--refine",
        action="append",
        default=[],
        metavar="NAME",
        help="aug (mean over mirrored and brightened copies) or eigen (main component instead of the sum)",
    )
    explain.add_argument("--alpha", type=float, default=0.5, help="opacity of the map, 0 to 1 (default: 0.5)")
    explain.add_argument("--colormap", default="viridis", help=f"one of {', '.join(COLORMAPS)} (default: viridis)")
    explain.add_argument("--grid", action="store_true", help="show the layer's own cells, not interpolated")
    explain.add_argument("--out", metavar="FOLDER", help="write PNG, CSV and run.json here")
    explain.set_defaults(run=_explain)

    run = commands.add_parser(
        "run",
        help="make the maps of a run.json again, and say how far they differ",
        description="Makes every map of a run.json again and compares it with the CSV beside the file.",
    )
    run.add_argument("record", metavar="RUN.JSON", help="written by explain --out")
    run.add_argument("--custom", action="append", metavar="MODULE", help="a module with the model's custom classes")
    run.add_argument("--unsafe", action="store_true", help="let code that lies in the model's file run")
    run.set_defaults(run=_run)

    layers = commands.add_parser("layers", help="the layers of a backbone, the recommended one marked")
    add_network(layers, "MODEL", weights=False)
    layers.add_argument("--all", action="store_true", help="also those that can carry no heatmap, with the reason")
    layers.set_defaults(run=listing.layers)

    for longer in (app, trust, train, evaluate, bias):
        longer.add_parser(commands)

    models = commands.add_parser("models", help="all backbones and saved networks, and whether their weights are here")
    models.set_defaults(run=listing.models)

    methods = commands.add_parser("methods", help="all methods, what they answer and cost")
    methods.add_argument("--markdown", action="store_true", help="as the table of the README")
    methods.set_defaults(run=listing.methods)
    return parser


# ---- commands


def _explain(given: argparse.Namespace) -> None:
    check_network_options(given)
    for key in given.method or ():
        find_method(key)
    options = _options(given.option)
    pictures = [camcore.open_picture(path) for path in given.pictures]  # wrong files are told before long work
    network = load_network(given, _download_progress)
    framing = given.framing or network.framing
    classes = [class_named(network, text) for text in given.classes] if given.classes else None
    for path, pic in zip(given.pictures, pictures, strict=True):
        maps = _maps(network, pic, given, classes, options, framing)
        _print_result(path, network, pic, maps)
        if given.out:
            folder = Path(given.out) / _folder_name(path, pic) if len(pictures) > 1 else Path(given.out)
            from camcore.report.files import write_run

            look = (given.alpha, given.colormap, not given.grid)
            written = write_run(folder, network, pic, maps, *look, source=path, weights=given.weights)
            print(f"  wrote {len(written)} files to {folder}")


def _maps(
    network: Any,
    pic: Any,
    given: argparse.Namespace,
    classes: list[int] | None,
    options: dict[str, Any],
    framing: str,
) -> list[Any]:
    methods = given.method or ["gradcam" if given.layer or network.default_layer is not None else "occlusion"]
    found = {}
    steps = camcore.stream(network, pic, methods, given.layer, classes, framing, options, given.refine)
    for step in steps:
        for m in step.maps:
            found[m.method, m.layer, m.class_index] = m
        _progress(step)
    order = {key: place for place, key in enumerate(methods)}
    return sorted(found.values(), key=lambda m: order.get(m.method, len(order)))


def _progress(step: Any) -> None:
    """A line on standard error that renews itself, for work of more than a second, on a terminal."""
    if not sys.stderr.isatty() or step.total < 30:
        return
    left = step.seconds / step.done * (step.total - step.done) if step.done else 0
    print(f"\r  {step.done:.0f} of {step.total:.0f} passes, about {duration(left)} left   ", end="", file=sys.stderr)
    if step.done >= step.total or not step.partial:
        print(file=sys.stderr)


def _download_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        print(f"\r  downloading: {done / 1e6:.0f} of {total / 1e6:.0f} MB ", end=end, file=sys.stderr)


def _print_result(path: str, network: Any, pic: Any, maps: Sequence[Any]) -> None:
    print(f"{path}: {network.name}, {network.weights_note}")
    for note in pic.notes:
        print(f"  picture: {note}")
    for p in network.predict(pic, framing=maps[0].framing):
        print(f"  {strength(p):>8s}  {answer_name(p)} (class {p.index}, {score_text(p)})")
    for m in maps:
        title = camcore.METHODS[m.method].title
        where = place(m, None if m.layer is None else network.layer(m.layer))
        print(f"  {title} for {readable(m.label)!r}: {where}")
        row, column = divmod(int(m.values.argmax()), m.values.shape[1])
        peak = f"strongest at cell ({row}, {column})" if m.values.any() else "empty"
        rest = f", offset {m.offset:.3f}" if m.offset is not None else ""
        print(f"    raw {m.raw.min():.4g} to {m.raw.max():.4g}, {peak}{rest}, {duration(m.seconds)}")
        if m.warning:
            print(f"    warning: {m.warning}")


def _folder_name(path: str, pic: Any) -> str:
    return f"{Path(path).stem}-{pic.sha256[:8]}"


def _options(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        method, colon, rest = text.partition(":")
        name, equals, value = rest.partition("=")
        if not (colon and equals and method and name):
            raise MethodError(f"The option {text!r} is not of the form METHOD:NAME=VALUE, such as fasterscorecam:n=30.")
        found.setdefault(method, {})[name] = _option_value(value)
    return found


def _option_value(text: str) -> Any:
    """A whole number, a number, several whole numbers with commas between, or a word."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 1 and all(part.lstrip("-").isdigit() for part in parts if part):
        return tuple(int(part) for part in parts if part)
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _run(given: argparse.Namespace) -> None:
    from camcore.report.rerun import rerun

    repeated = rerun(given.record, given.custom or (), given.unsafe)
    for note in repeated.notes:
        print(f"note: {note}")
    for one in repeated.maps:
        m = one.map
        where = m.layer or "the input"
        print(f"{m.method} for {readable(m.label)!r} at {where}: differs by {one.difference:.2g} of the largest value")


if __name__ == "__main__":
    sys.exit(main())
