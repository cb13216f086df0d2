"""Audits made up for tests: rows with known values, and photographs of noise behind them where they are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from camcore.audits.manifest import AuditedNetwork, Manifest, write_manifest
from camcore.audits.schema import SCHEMA, write_part

GRID = (3, 4)
CHANNELS = 6
CHUNK = 16


@dataclass(frozen=True, eq=False)
class MadeUp:
    """The content of an audit, row by row. ``maps`` (n, 3, 4), ``evidence`` (n, 6): as float16 keeps them."""

    folder: Path
    manifest: Manifest
    rows: list[dict[str, Any]]
    maps: NDArray[np.float16]
    evidence: NDArray[np.float16]


def make_audit(
    folder: Path,
    pictures: Path,
    count: int = 40,
    classes: tuple[str, ...] = ("cat", "dog"),
    labelled: bool = True,
    failed: tuple[int, ...] = (5,),
    groups: bool = False,
    seed: int = 0,
) -> MadeUp:
    """An audit of ``count`` pictures in ``folder``, one in four of them wrong; the ones in ``failed`` have an error."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    maps = rng.random((count, *GRID)).astype(np.float16)
    evidence = rng.random((count, CHANNELS)).astype(np.float16)
    for i in range(count):
        label = classes[i * len(classes) // count]
        path = f"{label}/{i:03d}.png" if labelled else f"{i:03d}.png"
        if i in failed:
            rows.append({"index": i, "path": path, "label": label if labelled else None, "error": "It is damaged."})
            continue
        said = classes[(classes.index(label) + (i % 4 == 3)) % len(classes)]
        p = float(np.float32(rng.uniform(0.5, 1)))
        second = label if said != label else classes[(classes.index(label) + 1) % len(classes)]
        shares = [{said: p, second: 1 - p}.get(name, 0.0) for name in classes]
        rows.append(
            {
                "index": i,
                "path": path,
                "sha256": hashlib.sha256(path.encode()).hexdigest(),
                "height": 40,
                "width": 48,
                "label": label if labelled else None,
                "predicted": said,
                "correct": said == label if labelled else None,
                "probability": p,
                "label_probability": (p if said == label else float(np.float32(1 - p))) if labelled else None,
                "logits": np.log(np.clip(shares, 1e-5, 1)).astype(np.float16),
                "map": maps[i].ravel(),
                "evidence": evidence[i],
                "error": None,
            }
        )
    for chunk in range(-(-count // CHUNK)):
        write_part(folder, chunk, pa.Table.from_pylist(rows[chunk * CHUNK : (chunk + 1) * CHUNK], schema=SCHEMA))
    network = AuditedNetwork("pets", "pets", "random weights", "0" * 64, classes, (32, 32), "logit", "softmax")
    manifest = Manifest(
        network, "gradcam", "stage1", GRID, CHANNELS, "stretch", str(pictures), "1" * 64, labelled, count, CHUNK,
        base=str(pictures), done=count, failed=len(failed), seconds=2.5,
    )  # fmt: skip
    write_manifest(folder, manifest)
    if groups:
        answered = [row["path"] for row in rows if row["error"] is None]
        group = pa.array([i % 3 for i in range(len(answered))], pa.int64())
        pq.write_table(pa.table({"path": answered, "group": group}), folder / "groups.parquet")
    return MadeUp(folder, manifest, rows, maps, evidence)


def draw_pictures(audit: MadeUp, size: tuple[int, int] = (40, 48)) -> None:
    """Put a photograph of noise where each row of the audit has one."""
    rng = np.random.default_rng(1)
    for row in audit.rows:
        path = Path(audit.manifest.pictures) / row["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (*size, 3), np.uint8)).save(path)


def changed(made: MadeUp, folder: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Path:
    """Another audit with the rows of the first one as ``change`` makes them; None leaves one out."""
    rows = [new for row in made.rows if (new := change(dict(row))) is not None]
    for place, row in enumerate(rows):
        row["index"] = place
    for chunk in range(-(-len(rows) // CHUNK)):
        part = rows[chunk * CHUNK : (chunk + 1) * CHUNK]
        write_part(folder, chunk, pa.Table.from_pylist(part, schema=SCHEMA))
    write_manifest(folder, replace(made.manifest, total=len(rows), done=len(rows)))
    return folder


def says(row: dict[str, Any], answer: str) -> dict[str, Any]:
    """The row of a picture that is called ``answer``."""
    return row if row["error"] else row | {"predicted": answer, "correct": answer == row["label"]}


def always(answer: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A network that gives one answer only."""
    return lambda row: says(row, answer)


def unfinished(audit: MadeUp, total: int) -> None:
    """Make the audit one that has not come to all of its pictures yet."""
    write_manifest(audit.folder, replace(audit.manifest, total=total))
