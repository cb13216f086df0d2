"""Records of reviews as JSON files beside their audit, written whole after each answer, every answer sealed.

The seal of an answer is an HMAC-SHA256 over the seal before it and the answer, the first over everything that was
fixed at the start, the last over the result; the key is the text in CAMCORE_REVIEW_KEY. **It proves** that nothing was
changed, left out of the middle or put in by anybody who has not that key. **Without a key** anybody can seal again, so
it shows damage and careless edits only. It never proves who pressed the keys, nor that they looked; and an unfinished
record can be cut off after any answer.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import os
from pathlib import Path

from camcore.errors import CamcoreError
from camcore.files import content_checked, read_json, write_whole
from camcore.reviews.order import MOST_BUDGET, MOST_PICTURES
from camcore.reviews.record import SCHEMA, VERDICTS, Answer, Header, Record, Result, result_of
from camcore.typed_json import from_json

FOLDER = "reviews"
"""The folder of an audit that holds its reviews."""
KEY = "CAMCORE_REVIEW_KEY"
"""The environment variable with the key that seals records."""

_MOST_BYTES = 16 << 20
_REMEDY = (
    "A record lies in the folder reviews of its audit, and whoever changes it undoes what it proves. Take it from a "
    "backup, or review again."
)


def begun(header: Header) -> Record:
    """A record without answers, sealed."""
    return Record(header, seal=_seal("", header))


def with_answer(record: Record, answer: Answer) -> Record:
    """The record with one more answer, sealed."""
    seal = _seal(record.seal, answer)
    sealed = dataclasses.replace(answer, seal=seal)
    return dataclasses.replace(record, answers=(*record.answers, sealed), seal=seal)


def with_result(record: Record, result: Result) -> Record:
    """The record with its result, sealed."""
    return dataclasses.replace(record, result=result, seal=_seal(record.seal, result))


def _seal(previous: str, content: Header | Answer | Result) -> str:
    values = {name: value for name, value in dataclasses.asdict(content).items() if name != "seal"}
    text = json.dumps([previous, values], sort_keys=True)
    return hmac.new(key(), text.encode(), hashlib.sha256).hexdigest()


def key() -> bytes:
    """The key that seals records; empty where there is none."""
    return os.environ.get(KEY, "").encode("utf-8", "surrogateescape")


def _check_seals(record: Record) -> None:
    """Raise ValueError where a seal is not that of what it stands for."""
    again = begun(record.header)
    for answer in record.answers:
        again = with_answer(again, answer)
    if record.result is not None:
        again = with_result(again, record.result)
    if again != record:
        raise ValueError("its seals do not fit what it says, so it was altered")


def record_file(folder: Path, record: Record) -> Path:
    """The file of a record beside the audit in ``folder``."""
    return folder / FOLDER / f"{record.header.id}.json"


def write_record(folder: Path, record: Record) -> Path:
    """Write a record beside the audit in ``folder``. Raises CamcoreError where it cannot be written."""
    return write_whole(record_file(folder, record), json.dumps(dataclasses.asdict(record), indent=1).encode())


def read_record(file: Path) -> Record:
    """A record, its seals and its result checked. Raises CamcoreError where it is damaged or was altered."""
    with content_checked(file, "intact record of a review", _REMEDY):
        content = read_json(file, _MOST_BYTES, finite=True)
        record = from_json(Record, content)
        if record.header.id != file.stem:
            raise ValueError("it has another name than its file")
        _check_meaning(record)
        if record.header.keyed != bool(key()):
            made, here = ("with a key", "none is") if record.header.keyed else ("without a key", "one is")
            raise CamcoreError(
                f"The review '{file}' was sealed {made}, and {here} in {KEY} here. Its seals cannot be checked so. "
                f"Set {KEY} as it was when the review was made."
            )
        _check_seals(record)
    return record


def _check_meaning(record: Record) -> None:
    """Raise ValueError for a header out of range, and for answers or a result that do not follow."""
    header = record.header
    if header.schema != SCHEMA:
        raise ValueError(f"its schema is {header.schema}, and this version reads {SCHEMA}")
    within = 0 < header.goal < 1 and 0 < header.confidence < 1 and 0 < header.budget <= MOST_BUDGET
    if not (within and 0 < header.pictures <= MOST_PICTURES and 0 <= header.empty <= MOST_PICTURES):
        raise ValueError("a number in its header is out of range")
    if any(answer.verdict not in VERDICTS for answer in record.answers):
        raise ValueError("an answer is none of the possible ones")
    standing, items = record.standing, record.plan
    if any(not 0 <= answer.number < len(items) for answer in record.answers):
        raise ValueError("an answer is to none of its maps")
    if len(standing) > len(items) or [answer.number for answer in standing] != list(range(len(standing))):
        raise ValueError("its answers do not follow the order of its plan")
    if record.result is not None and record.result != result_of(record, items, record.result.time):
        raise ValueError("its result does not follow from its answers")
