"""The command line: ``camcore explain photo.jpg --method gradcam --out out/``, or ``python -m camcore explain …``."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import camcore
from camcore.cli import app, audit, bias, check, decide, evaluate, explain, listing, mend, review, spread, train, trust
from camcore.errors import CamcoreError

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
  python -m camcore audit pictures/ --out audit/  answers, maps and evidence of all pictures, as Parquet
  python -m camcore mend audit/ --group 1 --out mended/   take a shortcut that it found out of the network
  python -m camcore check NEW --against OLD --data pictures/ --policy policy.toml   may NEW replace OLD?
  python -m camcore spread A B C --data pictures/   how far seeds of one recipe differ, as a policy
  python -m camcore review audit/               what people judged of its maps, each record checked
  python -m camcore decide NETWORK --audit audit/   may it be used? what speaks for it, and what was not examined
  python -m camcore bias study pictures/ --out bias/   plant a cue, see it in the maps, mend it
  python -m camcore layers MobileNetV2          which layers there are, and which one to look at
  python -m camcore methods                     what each method answers and costs
  python -m camcore models                      all backbones and saved networks; are their weights here?
  python -m camcore app my_model.keras          the app in your browser, with that network in it

With --json every command but app prints its facts as JSON, alone on standard output.
Weights are looked for in the folder named by CAMCORE_WEIGHTS, then in Keras's cache, then downloaded.
Networks of your own by name: CAMCORE_MODELS="birds=birds.keras, cars=module:function".
Exit codes: 0 done; 1 refused, the reason is on standard error; 2 wrong usage; 130 interrupted. Of check: 0 it may
replace it; 1 it may not, by the policy's rules; 2 it could not be checked, the reason is on standard error.
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
        return given.run(given) or 0
    except CamcoreError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(given.error_code)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(given.unread_code)


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
    parser.set_defaults(error_code=1, unread_code=0)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    explain.add_parser(commands, examples)
    for module in (listing, app, trust, train, evaluate, audit, mend, check, spread, review, decide, bias):
        module.add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
