"""The audit: a network's answers, maps and evidence for all pictures, chunk by chunk, then its groups and report.

Small sets are computed in this process, larger ones on worker processes. What is there already of the same audit is
kept, so that one that was stopped or killed goes on, and ends in the same rows.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from camcore import checks
from camcore.audits import addresses, rows, schema
from camcore.audits.finding import write_groups
from camcore.audits.groups import NAME as GROUPS
from camcore.audits.kept import kept_part, remove_results
from camcore.audits.manifest import Manifest, read_manifest, write_manifest
from camcore.audits.processes import check_workers, worker_count
from camcore.audits.report import NAME as REPORT
from camcore.audits.report import write_report
from camcore.audits.rows import Chunk, Plan
from camcore.audits.sources import NO_LABEL, Listing, class_indices, list_pictures
from camcore.audits.starting import new_manifest, started
from camcore.audits.step import LATEST, AuditStep
from camcore.checks import Check, checked, flag, optional, refused, text, whole
from camcore.errors import CamcoreError, ModelError
from camcore.evaluation.average_maps import single_pass_method
from camcore.heatmaps.arguments import a_framing, a_network
from camcore.network import Network
from camcore.shortcuts.court import held, hold_court
from camcore.shortcuts.examples import FOLDER as EXAMPLES
from camcore.shortcuts.state import NAME as COURT

CHUNK = 256
"""Pictures in a part."""

BATCH = 16
"""Pictures in a pass: of 32 MobileNetV2 takes 0.25 GB more, and no less time on a processor."""

_ADDRESS = re.compile(r"([a-z]+://)?[^/\s]+:\d{1,5}")


Parts = Generator[tuple[Chunk, pa.Table], None, None]
"""Chunks with their rows; in the process also with those that are computed so far."""


def a_source(name: str, value: object) -> str:
    """A path or an address, as text: a Path would take one of the two slashes of an address."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value) or "\0" in os.fsdecode(value):
        raise refused(name, value, "a folder, a table or an address", "Give it as a string or a pathlib.Path.")
    return os.fsdecode(value)


def _a_folder(name: str, value: object) -> Path:
    """A folder of this machine."""
    text = a_source(name, value)
    if addresses.is_remote(text):
        raise refused(name, value, "a folder of this machine", "Write there, and copy what is in it when it is done.")
    return Path(text).expanduser()


def _an_address(name: str, value: object) -> str:
    """The address of a Dask scheduler."""
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise refused(name, value, "the address of a Dask scheduler", "Give one such as 'tcp://host:8786'.")
    return value


AUDIT_CHOICES: Mapping[str, Check[object]] = {
    "method": optional(text),
    "framing": a_framing,
    "workers": optional(whole(0, 1024, example=2)),
    "limit": optional(whole(1, example=1000)),
    "seed": checks.seed,
}
"""The checks of the choices that every function has which makes audits."""


@checked(
    network=a_network,
    pictures=a_source,
    out=_a_folder,
    labelled=optional(flag),
    cluster=optional(_an_address),
    **AUDIT_CHOICES,
    batch=whole(1, 4096, example=BATCH),
    court=flag,
    chunk=whole(1, 1 << 16, example=CHUNK),
)
def audit(
    network: Network,
    pictures: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    method: str | None = None,
    layer: object = None,
    framing: str | None = None,
    labelled: bool | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    batch: int = BATCH,
    chunk: int = CHUNK,
    court: bool = True,
) -> Generator[AuditStep, None, None]:
    """Audit a network on many pictures into the folder ``out``; an AuditStep now and then, the last one ``done``.

    ``pictures``: a folder with a folder of pictures for each class, a flat folder (without labels), a table (``.csv``,
    ``.parquet``) with ``path`` and perhaps ``label``, or an fsspec address. ``method``: one of a single shared pass,
    Grad-CAM by default. ``layer``, ``framing``: None for the network's own. ``labelled``: False to leave labels aside.
    ``limit``: a random sample of so many pictures, drawn by ``seed``. ``batch``: pictures in a pass; ``chunk``: in a
    part of the store. ``court``: try the groups, too, for shortcuts.

    ``workers``: worker processes on this machine, each of one thread; 0 for none; None for as many as cores where that
    pays, from some thousand pictures on. A script that has any begins under ``if __name__ == "__main__":``.
    ``cluster``: the address of a Dask scheduler, whose workers do it instead.

    The same call goes on with an audit that was stopped or killed, and makes the rows of pictures on this machine that
    were changed since anew, with those of the same part. Closing the generator stops it within a chunk.
    Raises CamcoreError at the call for arguments, pictures and labels that cannot be used, and for a folder that holds
    another audit.

    With ``net = camcore.load("cats_vs_dogs")``, ``folder``, one that holds a picture, and ``out``, a new one:

    >>> [(step.done, step.stage) for step in camcore.audit(net, folder, out)]
    [(0, 'pictures'), (1, 'pictures'), (1, 'groups'), (1, 'court'), (1, 'court'), (1, 'report'), (1, 'done')]
    """
    if network.score_kind == "value":
        raise ModelError(
            f"{network.name} has one linear output, a regression, and no classes to be right or wrong about. Audit a "
            "classifier: a network that ends in softmax or sigmoid, or give the two labels of a logit."
        )
    if cluster is None:
        check_workers(workers)
    path = network.layer_with_grid(layer).path
    info = single_pass_method(network, method or "gradcam", path)
    listing = list_pictures(os.fspath(pictures)).sample(limit, seed)
    classes = _classes(network, listing, labelled)
    plan = Plan(listing.base, info.key, path, network.framing_for(framing), batch)
    manifest = new_manifest(network, plan, listing, classes.tolist(), chunk=chunk, seed=seed, limit=limit)
    folder = Path(out)
    earlier = started(folder, manifest)

    def parts(chunks: list[Chunk]) -> Parts:
        if cluster is not None:
            return _on_cluster(network, plan, chunks, cluster)
        count = worker_count(chunks, workers)
        return _on_workers(network, plan, chunks, count) if count > 1 else _in_process(network, plan, chunks)

    chunks = _chunks(listing, classes.tolist(), chunk)
    return _steps(chunks, folder, earlier, parts, network if court else None)


def _classes(network: Network, listing: Listing, labelled: bool | None) -> NDArray[np.int64]:
    if labelled is False:
        return np.full(len(listing), NO_LABEL)
    if labelled and not any(listing.labels):
        raise CamcoreError(
            f"The pictures in '{listing.given}' have no labels. They come from a folder for each class, or from the "
            "column 'label' of a table. Give them so, or leave labelled away."
        )
    return class_indices(network.labels, network.name, listing)


def _chunks(listing: Listing, classes: list[int], size: int) -> list[Chunk]:
    return [
        Chunk(number, first, listing.paths[first : first + size], tuple(classes[first : first + size]))
        for number, first in enumerate(range(0, len(listing), size))
    ]


def _steps(
    chunks: list[Chunk],
    folder: Path,
    manifest: Manifest,
    compute: Callable[[list[Chunk]], Parts],
    tried_by: Network | None,
) -> Generator[AuditStep, None, None]:
    start, before = perf_counter(), manifest.seconds
    missing, done, failed, labelled, right = [], 0, 0, 0, 0
    for chunk in chunks:
        part = kept_part(folder, manifest.base, chunk)
        if part is not None:
            done, failed = done + len(part), failed + _failures(part)
            labelled, right = labelled + _labelled(part), right + _right(part)
        else:
            missing.append(chunk)
    kept = done

    def note() -> None:
        seconds = before + perf_counter() - start
        write_manifest(folder, replace(manifest, done=done, failed=failed, seconds=seconds))

    def step(part: pa.Table) -> AuditStep:
        return AuditStep(
            done + len(part),
            manifest.total,
            failed + _failures(part),
            perf_counter() - start,
            kept,
            labelled=labelled + _labelled(part),
            right=right + _right(part),
            latest=part.slice(max(0, len(part) - LATEST)),
        )

    if replace(manifest, done=done, failed=failed) != read_manifest(folder):  # else the folder may be read-only
        note()
    yield step(schema.SCHEMA.empty_table())
    if missing:
        remove_results(folder)
        with closing(compute(missing)) as parts:
            for chunk, part in parts:
                yielded = step(part)
                if len(part) == len(chunk.paths):
                    schema.write_part(folder, chunk.number, part)
                    done, failed = yielded.done, yielded.failed
                    labelled, right = yielded.labelled, yielded.right
                    note()
                yield yielded
    last = step(schema.SCHEMA.empty_table())
    grouped = not missing and (folder / GROUPS).exists()
    judged = grouped and (tried_by is None or held(folder))
    if not judged or not (folder / REPORT).exists():
        if not grouped:
            yield replace(last, stage="groups")
            (folder / COURT).unlink(missing_ok=True)
            shutil.rmtree(folder / EXAMPLES, ignore_errors=True)
            write_groups(folder)
        if tried_by is not None and not judged:
            with closing(hold_court(tried_by, folder)) as trials:
                for trial in trials:
                    yield replace(last, stage="court", tried=trial.done, trials=trial.total)
        yield replace(last, stage="report")
        write_report(folder)
    yield replace(last, stage="done")


def _in_process(network: Network, plan: Plan, chunks: list[Chunk]) -> Parts:
    """The rows of each chunk as far as they are computed, a batch more each time."""
    part = schema.SCHEMA.empty_table()
    with closing(rows.computed(network, plan, chunks)) as tables:
        for chunk, table in tables:
            part = pa.concat_tables([part, table])
            yield chunk, part
            if len(part) == len(chunk.paths):
                part = schema.SCHEMA.empty_table()


def _on_workers(network: Network, plan: Plan, chunks: list[Chunk], count: int) -> Parts:
    from camcore.audits.workers import computed_by, local_client

    with local_client(count) as client, closing(computed_by(client, network, plan, chunks)) as parts:
        yield from parts


def _on_cluster(network: Network, plan: Plan, chunks: list[Chunk], address: str) -> Parts:
    from camcore.audits.workers import computed_by, remote_client

    with remote_client(address) as client, closing(computed_by(client, network, plan, chunks)) as parts:
        yield from parts


def _failures(part: pa.Table) -> int:
    return len(part) - int(part.column("error").null_count)


def _labelled(part: pa.Table) -> int:
    return len(part) - int(part.column("correct").null_count)


def _right(part: pa.Table) -> int:
    return int(pc.sum(part.column("correct")).as_py() or 0)
