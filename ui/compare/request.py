"""One visitor's side of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.compare.comparison import GridPlan
from ui.compare.sheets import MapSheet
from ui.compare.work import sheet_work
from ui.jobs import session
from ui.jobs.session import Status
from ui.map_cache import map_cache
from ui.network_summary import NetworkSummary
from ui.networks import networks
from ui.query import NetworkKey

if TYPE_CHECKING:
    from camcore.pictures.picture import Picture

NAME = "comparison"


def summary(network: NetworkKey) -> NetworkSummary | None:
    """The facts of a network from what was shown last."""
    sheet: MapSheet | None = session.latest(NAME)
    return None if sheet is None else sheet.networks.get(network)


def ask(plan: GridPlan, picture: Picture, allowed: bool = True) -> Status[MapSheet]:
    """The status of this plan, begun if it is new; waits for a moment at most. ``allowed`` False: nothing is begun."""
    express = session.pressed(NAME) == plan
    work = sheet_work(map_cache(), plan, picture, express, session.latest(NAME)) if allowed else None
    return session.ask(NAME, work, session.QUICK if networks().peek(plan.lead) is None else session.WARM)


def run(plan: GridPlan) -> None:
    """Run what waited, now that its price is known, or go on with what was stopped."""
    session.press(NAME, plan)
    session.retry(NAME)


def retry() -> None:
    """Ask once more what failed."""
    session.retry(NAME)


def stop() -> None:
    """Stop; what is there stays."""
    session.stop(NAME)
