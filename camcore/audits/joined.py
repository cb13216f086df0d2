"""The pictures of two audits: those that both have an answer for, by path and content, and how the answers changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from camcore.audits.database import MEMORY
from camcore.audits.store import Audit
from camcore.errors import CamcoreError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

LOST, WON, OTHER, SAME = CHANGES = ("lost", "won", "other answer", "same answer")
"""Of a picture from the old audit to the new: right → wrong, wrong → right, another answer but neither, the same."""

# Texts of 64 letters would take half of the memory; DuckDB's own hash tells files apart as well.
_ROWS = (
    'select "index", path, hash(sha256) as content, height, width, label, predicted, correct, probability '
    "from pictures where error is null"
)

_JOIN = f"""
    create table pairs as
    select *, case when new_correct and not old_correct then '{WON}' when old_correct and not new_correct then '{LOST}'
                   when old = new then '{SAME}' else '{OTHER}' end as change
    from (
        select o."index" as old_index, n."index" as new_index, o.path, o.height, o.width,
               coalesce(o.label, n.label) as label, o.predicted as old, n.predicted as new,
               o.probability as old_probability, n.probability as new_probability,
               case when o.label = n.label then o.correct end as old_correct,
               case when o.label = n.label then n.correct end as new_correct
        from old_rows o join new_rows n on o.path = n.path and o.content = n.content
    )
"""

_COUNTS = """
    select (select count(*) from pairs) as common,
           (select count(*) from old_rows) as old, (select count(*) from new_rows) as new,
           (select count(*) from old_rows o join new_rows n using (path) where o.content != n.content) as replaced,
           (select count(*) from old_rows o join new_rows n using (path, content) where o.label != n.label)
               as relabelled
"""

_JUDGED = """
    select label, count(*) filter (old_correct and new_correct) as both,
           count(*) filter (old_correct and not new_correct) as only_old,
           count(*) filter (new_correct and not old_correct) as only_new,
           count(*) filter (not old_correct and not new_correct) as neither
    from pairs where old_correct is not null and new_correct is not null group by label
"""


@dataclass(frozen=True)
class Judged:
    """The labelled pictures of a class by whose answer is right."""

    label: str
    both: int
    only_old: int
    only_new: int
    neither: int


@dataclass(frozen=True, eq=False)
class Joined:
    """The pictures with an answer in both audits, in the order of the old one, and how many there are of which kind.

    ``pairs``: ``old_index``, ``new_index``, path, height, width, label, the answers ``old`` and ``new`` with their
    probabilities, and ``change``, one of CHANGES. ``judged``: of those that both audits have the same label for.
    """

    pairs: pa.Table
    judged: tuple[Judged, ...]
    only_old: int
    only_new: int
    replaced: int
    relabelled: int


def join(old: Audit, new: Audit) -> Joined:
    """Find the pictures that two audits share. Raises CamcoreError where there are none."""
    import duckdb

    with duckdb.connect(":memory:", config={"memory_limit": MEMORY, "temp_directory": ""}) as connection:
        for name, audit in (("old_rows", old), ("new_rows", new)):
            connection.register(name, audit.sql(_ROWS))
        try:
            connection.execute(_JOIN)
            (counts,) = _asked(connection, _COUNTS).to_pylist()
            judged = _asked(connection, _JUDGED).to_pylist()
            for name in ("old_rows", "new_rows"):
                connection.unregister(name)  # half of the memory
            columns = "* exclude (old_correct, new_correct)"
            pairs = _asked(connection, f"select {columns} from pairs order by old_index")
        except duckdb.OutOfMemoryException as error:
            raise CamcoreError(
                f"These audits have too many pictures to be compared: {old.rows:,} and {new.rows:,} do not fit into "
                f"{MEMORY} of memory. Audit random samples of them (--limit, with the same --seed) and compare those."
            ) from error
    if not counts["common"]:
        raise CamcoreError(_nothing_in_common(old, new, counts["replaced"]))
    return Joined(
        pairs,
        tuple(Judged(**row) for row in judged),
        counts["old"] - counts["common"],
        counts["new"] - counts["common"],
        counts["replaced"],
        counts["relabelled"],
    )


def _asked(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    return connection.sql(query).to_arrow_table()


def _nothing_in_common(old: Audit, new: Audit, replaced: int) -> str:
    why = "No picture that both could use has the same path below the audited folder"
    if replaced:
        why = f"They have {replaced:,} paths in common, but other files there"
    return (
        f"The audits of '{old.manifest.pictures}' and '{new.manifest.pictures}' have no picture with an answer in "
        f"common. {why}. Audit the same folder with both networks."
    )
