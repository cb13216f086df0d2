"""The one list of methods. Picker, help, command line, table in docs and test matrix are all made from it.

A new method is one function in its family's module and one row beside it; of a new kind, one input object more.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from camcore.checks import shown
from camcore.errors import MethodError, nearest
from camcore.methods import attention, control, decomposition, derived, fullgrad, gradient, head, score
from camcore.methods.info import MethodInfo

_FAMILIES = (gradient, derived, fullgrad, attention, decomposition, score, head, control)
_BY_KEY: dict[str, MethodInfo] = {row.key: row for family in _FAMILIES for row in family.ROWS}

METHODS: Mapping[str, MethodInfo] = MappingProxyType(_BY_KEY)


def find_method(key: str) -> MethodInfo:
    """The row of ``key``. Raises MethodError, with the nearest match, where there is none."""
    if isinstance(key, str) and key in METHODS:
        return METHODS[key]
    names = {name: row.key for row in METHODS.values() for name in (row.key, row.title, row.class_name)}
    near = nearest(key, names, 0.5)
    hint = f" Did you mean {names[near]!r}?" if near else ""
    raise MethodError(f"There is no method {shown(key)}.{hint} The methods: {', '.join(METHODS)}.")
