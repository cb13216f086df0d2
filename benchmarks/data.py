"""Where the benchmarks find real weights, photographs and masks: the folder that the tests use too."""

import csv
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
SHARED = Path(os.environ.get("CAMCORE_SHARED") or ROOT.parent / "shared") / "data"
os.environ.setdefault("CAMCORE_WEIGHTS", str(SHARED / "weights"))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def table(folder: str) -> list[dict[str, str]]:
    """The rows of a folder's ``index.csv``; ends the program with a hint where the folder is absent."""
    path = SHARED / folder / "index.csv"
    if not path.exists():
        raise SystemExit(f"{path} is not there. Set CAMCORE_SHARED to the folder that holds data/{folder}.")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
