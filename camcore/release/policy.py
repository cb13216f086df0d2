"""The policy of a gate: rules in a TOML file, read strictly, so that no slip of the pen lets a network pass."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from camcore import checks
from camcore.checks import Check, checked, number, one_of, refused, shown, whole
from camcore.errors import CamcoreError, nearest
from camcore.files import Json, opened_plain
from camcore.release.kinds import AT_LEAST, FIGURE, JUDGED_BY, KINDS, REASONS, UNEXAMINED, WORST, Kind, Rule

MOST_BYTES = 8 << 10  # tomllib takes half a second for a name of as many parts, for one of 64 KB a minute
_EXAMPLE = "[accuracy]\nat_least = 0.9"


@dataclass(frozen=True)
class Policy:
    """The rules of a gate, in the order in which they are judged. ``name``: of the file; ``sha256``: of its bytes."""

    rules: tuple[Rule, ...]
    name: str
    sha256: str


def _a_policy_file(name: str, value: object) -> Path | bytes:
    """A path or a file's bytes."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise refused(name, value, "the path of a policy, or its bytes", "Give a TOML file such as policy.toml.")
    return Path(os.fsdecode(value)).expanduser()


@checked(source=_a_policy_file)
def read_policy(source: str | os.PathLike[str] | bytes) -> Policy:
    """Read a policy from a TOML file or its bytes: a table for each rule, named as in ``kinds.KINDS``.

    Raises CamcoreError, which names the line and the key, for an unknown rule or key, a limit that is no number, out of
    range or impossible to meet, rules that contradict each other, and a policy without rules.

    >>> [(rule.name, rule.limit) for rule in camcore.read_policy(b"[accuracy]\\nat_least = 0.9").rules]
    [('accuracy', 0.9)]
    """
    assert isinstance(source, (Path, bytes))
    name = "policy" if isinstance(source, bytes) else str(source)
    try:
        content = source if isinstance(source, bytes) else _content(source)
        text = _text(content)
        rules = tuple(_rule(text, key, table) for key, table in _parsed(text).items())
        if not rules:
            raise CamcoreError(f"It has no rules, so it would let everything pass. Write one, such as {_EXAMPLE!r}.")
        _check_together(rules)
    except CamcoreError as error:
        raise CamcoreError(f"The policy '{name}' cannot be used. {error}") from error
    order = list(KINDS)
    in_order = sorted(rules, key=lambda rule: order.index(rule.name))
    return Policy(tuple(in_order), name, hashlib.sha256(content).hexdigest())


def a_policy(name: str, value: object) -> Policy:
    """A Policy, or one that is read from its file. Raises CamcoreError for anything else."""
    return value if isinstance(value, Policy) else read_policy(_a_policy_file(name, value))


def _content(path: Path) -> bytes:
    try:
        with opened_plain(path) as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CamcoreError(
            f"It cannot be read: {error.strerror or error}. A policy is a TOML file. Correct the path."
        ) from error


def _text(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise CamcoreError(
            f"It has more than {MOST_BYTES:,} bytes, and a policy takes a few hundred. Give another file."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CamcoreError(f"Line {line} is no text in UTF-8, as TOML is. Save the file in UTF-8.") from error


def _parsed(text: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise CamcoreError(f"It is no TOML: {why}. Correct that place.") from error


def _rule(text: str, name: str, table: object) -> Rule:
    kind = KINDS.get(name)
    if kind is None:
        near = nearest(name, KINDS)
        what_to_do = f"Write [{near}], perhaps." if near else "Use one of these."
        raise CamcoreError(
            f"{_at(text, name)}There is no rule {shown(name)}. There are {', '.join(KINDS)}. {what_to_do}"
        )
    if not isinstance(table, dict):
        raise CamcoreError(f"{_at(text, name)}{name} = {shown(table)} is no rule. Write [{name}] and its keys below.")
    keys = _keys(kind)
    for key in table:
        if key not in keys:
            near = nearest(key, keys)
            what_to_do = f"Write {near}, perhaps." if near else "Leave it out."
            raise CamcoreError(
                f"{_at(text, name, key)}[{name}] has no key {shown(key)}. It takes {', '.join(keys)}. {what_to_do}"
            )
    if kind.limit not in table:
        raise CamcoreError(f"{_at(text, name)}[{name}] has no limit. Write {kind.limit} = … below it.")
    given: dict[str, Json] = {}
    for key, value in table.items():
        field = "limit" if key == kind.limit else key
        given[field] = keys[key](f"{_at(text, name, key)}[{name}] {key}", value)
    rule = Rule(name, **given)
    _check_possible(rule, _at(text, name, kind.limit))
    return rule


def _keys(kind: Kind) -> dict[str, Check[object]]:
    """The keys that a rule takes, each with the check of its value."""
    limit = whole(int(kind.low), int(kind.high), 100) if kind.whole else number(kind.low, kind.high, example=0.05)
    keys: dict[str, Check[object]] = {kind.limit: limit}
    if kind.interval:
        keys["by"] = one_of(*JUDGED_BY)
    if not kind.always:
        keys["if_not_examined"] = one_of(*UNEXAMINED)
    choices: Mapping[str, Check[object]] = {
        "smallest_class": whole(1, 10**9, 10),
        "distance": checks.share,
        "reason": one_of(*REASONS),
    }
    return keys | {name: choices[name] for name in kind.choices}


def _check_possible(rule: Rule, at: str) -> None:
    """Raise CamcoreError for a limit that no number of pictures can keep."""
    kind = rule.kind
    end = 1 if kind.limit == AT_LEAST else 0
    if kind.counted and rule.by == WORST and rule.limit == end:
        raise CamcoreError(
            f"{at}[{rule.name}] {kind.limit} = {end} cannot be met: with many pictures the worse end of the interval "
            f"comes close to {end}, but never reaches it. Write another limit, or by = {FIGURE!r}."
        )


def _check_together(rules: tuple[Rule, ...]) -> None:
    """Raise CamcoreError for rules that cannot all be kept."""
    limits = {rule.name: rule.limit for rule in rules}
    gain, flips = -limits.get("accuracy_lost", 0.0), limits.get("flips", 1.0)
    if gain > flips:
        raise CamcoreError(
            f"[accuracy_lost] at_most = {-gain:g} and [flips] at_most = {flips:g} contradict each other: to be right "
            f"in {gain:.1%} more of the pictures, it must answer at least so many otherwise than before. Allow more "
            "flips, or ask for less."
        )


def _at(text: str, name: str, key: str | None = None) -> str:
    """The line of a rule, or of its key, as the beginning of a message; empty where it is not written line by line."""
    lines = text.splitlines()
    header = re.compile(rf"\s*\[?\s*[\"']?{re.escape(name)}[\"']?\s*[\]=]")
    start = next((place for place, line in enumerate(lines) if header.match(line)), None)
    if start is None:
        return ""
    if key is not None:
        wanted = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
        for place in range(start + 1, len(lines)):
            if lines[place].lstrip().startswith("["):
                break
            if wanted.match(lines[place]):
                return f"Line {place + 1}: "
    return f"Line {start + 1}: "
