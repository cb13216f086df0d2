"""Predictions as a table that people and programs can read: file, label, a probability for each class."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import NoReturn

import numpy as np

from camcore.errors import CamcoreError
from camcore.evaluation.predict import Predictions
from camcore.files import from_cell, read_text, to_csv, write_whole

PREDICTIONS = "predictions.csv"
"""The table beside a network that ``python -m camcore evaluate … --out`` writes."""

_CLASS = "p:"  # a column's name is this and the class's


def write_csv(path: str | os.PathLike[str], p: Predictions) -> Path:
    """Write ``file,label,p:cat,p:dog``, a row for each picture; the file is whole or not there.

    Probabilities come back exactly as they were. Raises CamcoreError where the file cannot be written.
    """
    rows = (
        [file, p.classes[label], *map(repr, row)]
        for file, label, row in zip(p.files, p.labels, p.probabilities.tolist(), strict=True)
    )
    return write_whole(Path(path), to_csv([["file", "label", *(_CLASS + name for name in p.classes)], *rows]))


def read_csv(path: str | os.PathLike[str]) -> Predictions:
    """Read what ``write_csv`` wrote.

    Raises CamcoreError, which names the line, where the file is damaged: another header, a row cut off, a label
    that is no class, a probability that is none, a file listed twice, no rows at all.
    """
    home = Path(path)

    def refuse(what: str) -> NoReturn:
        raise CamcoreError(
            f"{home.name!r} is not a table of predictions: {what}. It has the columns file, label and {_CLASS}CLASS "
            "for each class, and a row for each picture. Write it again with python -m camcore evaluate … --out."
        )

    try:
        lines = csv.reader(io.StringIO(read_text(home), newline=""), strict=True)
        rows = [[from_cell(cell) for cell in line] for line in lines]
    except OSError as error:
        raise CamcoreError(
            f"The predictions '{home}' cannot be read: {error.strerror or error}. Correct the path, or write them with "
            "python -m camcore evaluate … --out."
        ) from error
    except UnicodeDecodeError:
        refuse("it is not text in UTF-8")
    except csv.Error as error:
        refuse(str(error))
    if not rows:
        refuse("it is empty")
    header = rows[0]
    classes = tuple(name.removeprefix(_CLASS) for name in header[2:])
    if header[:2] != ["file", "label"] or len(classes) < 2 or not all(name.startswith(_CLASS) for name in header[2:]):
        refuse(f"its first line is {','.join(header)[:80]!r}")
    if len(set(classes)) != len(classes):
        refuse("two columns have the same class")
    index = {name: place for place, name in enumerate(classes)}
    files: dict[str, int] = {}
    probabilities = np.empty((len(rows) - 1, len(classes)))
    for place, row in enumerate(rows[1:]):
        line = f"line {place + 2}"
        if len(row) != len(header):
            refuse(f"{line} has {len(row)} values instead of {len(header)}")
        if row[1] not in index:
            refuse(f"{line} has the label {row[1]!r}, which is no class")
        if not row[0] or row[0] in files:
            refuse(f"{line} has {'no file' if not row[0] else f'the file {row[0]!r} once more'}")
        try:
            probabilities[place] = row[2:]
        except ValueError:
            refuse(f"{line} has a probability that is no number")
        if not ((probabilities[place] >= 0) & (probabilities[place] <= 1)).all():
            refuse(f"{line} has a probability outside 0 to 1")
        files[row[0]] = index[row[1]]
    if not files:
        refuse("it has no rows")
    return Predictions(tuple(files), np.array(list(files.values()), np.int64), probabilities, classes)
