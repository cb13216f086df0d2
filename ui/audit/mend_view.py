"""A copy of the audit's network without a shortcut: made, shown before and after, and audited on the same pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from camcore.errors import CamcoreError
from camcore.generators import Returning
from camcore.shortcuts.mended import WAYS, Mending, keep_mending, read_mendings
from camcore.shortcuts.state import group_key
from ui import errors, mended, model_picker, policy, words
from ui.audit import network, part, running
from ui.jobs import session
from ui.jobs.work import Update, Updates, Work
from ui.query import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from camcore.audits.groups import Group
    from camcore.network import Network
    from camcore.shortcuts.mended import Way
    from ui.audit.opened import OpenAudit
    from ui.jobs.session import Status
    from ui.query import NetworkKey

_WAYS: dict[Way, str] = {"project": "Take its direction out of the head", "refit": "Fit the head anew, with the patch"}
_HELP = (
    "**Take its direction out**: of the head’s weights the mean difference between pictures with the patch and with a "
    "piece without it. **Fit the head anew**: to pictures of all classes with and without the patch. Both leave the "
    "other layers as they are."
)
_COMMAND = "python -m camcore mend {folder} --group {number}"
_FAILURE = "audit_mend_failure"
BEGUN = "audit_beside_begun"
"""The session's entry that an audit was begun from here, for which the whole page has to be drawn."""


@dataclass(frozen=True)
class _Wish:
    """The visitor's wish to mend the network of an audit, and the folder for the copy."""

    audit: Path
    way: Way
    home: Path


def show(opened: OpenAudit, place: int, one: Group) -> None:
    """The mended network of a group where there is one, and the button to make it."""
    folder = opened.audit.folder
    try:
        listed = set(model_picker.names())
        made = {name: known for name, known in read_mendings(folder, group_key(one)).items() if name in listed}
    except CamcoreError as error:
        st.caption(words.plain(policy.veiled(str(error))))
        return
    if made:
        _made(opened, place, *list(made.items())[-1])
    failure = st.session_state.pop(_FAILURE, None)
    if failure is not None:
        errors.panel(failure, "This cannot be begun")
    key, why_not = part.network_for(opened, "make a network without it")
    if key is None:
        st.caption(why_not)
        st.code(_COMMAND.format(folder=policy.shown(folder), number=place + 1), language="bash", wrap_lines=True)
        return
    name = _name(place)
    wish: _Wish | None = session.pressed(name)
    if wish is not None and (wish.audit != folder or wish.home.name in made):
        wish = None  # of another audit, or fulfilled
    work = None if wish is None else mending(opened, key, place, wish.way, wish.home)
    status = session.section(name, work, _drawing(name))
    if not status.busy:
        _button(opened, key, place, again=bool(made))


def mending(opened: OpenAudit, key: NetworkKey, place: int, way: Way, home: Path) -> Work[str]:
    """Mends the audit's network of a group, and saves it in a folder; the new network's name."""

    def steps(net: Network, _: object) -> Updates[str]:
        from camcore.shortcuts.mending import mend
        from camcore.shortcuts.saving import save_mended

        network.check(net, opened.manifest)
        made = Returning(mend(net, opened.audit.folder, place + 1, way))
        for done, total in made:
            yield Update(0.95 * done / max(total, 1))
        saved = save_mended(made.result, home)
        keep_mending(opened.audit.folder, saved.name, made.result.record)
        yield Update(1.0, saved.name)

    return Work(key, ("mend", opened.key, place, way, home), "Mending the network", steps)


def _made(opened: OpenAudit, place: int, name: str, known: Mending) -> None:
    st.html(mended.table(known))
    st.caption(words.plain(f"Kept as {name}, in the list of backbones of every page."))
    st.button(
        "Audit it on these pictures",
        key=f"audit_beside_{place}",
        type="primary",
        on_click=_audit,
        args=(opened, name),
        help="The same pictures and method; then both networks are compared",
    )


def _button(opened: OpenAudit, key: NetworkKey, place: int, again: bool) -> None:
    ways = WAYS if opened.manifest.labelled else WAYS[:1]
    with st.container(key=f"cam_mend_{place}", horizontal=True, vertical_alignment="bottom", gap="small"):
        way: Way = st.selectbox(
            "Mend by", ways, key=f"audit_mend_way_{place}", format_func=_WAYS.__getitem__, help=_HELP, width=300
        )
        st.button(
            "Mend it again" if again else "Make a network without it",
            key=f"audit_mend_go_{place}",
            on_click=_press,
            args=(place, way, key.name, opened.audit.folder),
        )


def _drawing(name: str) -> Callable[[Status[str]], None]:
    """Draws how far the mending is, and why it failed."""

    def draw(now: Status[str]) -> None:
        if now.failure is not None:
            errors.panel(now.failure, "The network cannot be mended")
        if now.busy or now.stopped or now.failure is not None:
            session.progress(name, now)

    return draw


def _press(place: int, way: Way, network_name: str, audit: Path) -> None:
    from camcore.shortcuts.saving import free_folder

    try:
        policy.check_room()
        session.press(_name(place), _Wish(audit, way, free_folder(network_name)))
    except CamcoreError as error:
        st.session_state[_FAILURE] = Failure.of(error)


def _audit(opened: OpenAudit, name: str) -> None:
    try:
        running.begin_beside(opened, name)
        st.session_state[BEGUN] = True
    except CamcoreError as error:
        st.session_state[_FAILURE] = Failure.of(error)


def _name(place: int) -> str:
    return f"audit_mend_{place}"
