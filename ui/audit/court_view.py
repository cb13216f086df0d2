"""The trial of a group of evidence in words, and the question to the reader: the thing itself, or a shortcut?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from camcore.audits import report_words
from camcore.errors import CamcoreError
from camcore.shortcuts.judgements import judge, judgement_of
from ui import policy, words

if TYPE_CHECKING:
    from camcore.audits.groups import Group
    from camcore.shortcuts.judgements import Answer
    from ui.audit.opened import OpenAudit

_ANSWERS: dict[Answer, str] = {"thing": "The object itself", "shortcut": "A shortcut", "unsure": "Not sure"}
_MEND = "python -m camcore mend {folder} --group {number} --out mended"


def lines(one: Group) -> tuple[str, ...]:
    """The sentences of a group's trial; none before it."""
    return report_words.trial(one)


def question(opened: OpenAudit, place: int, one: Group) -> None:
    """Ask about a suspect group, keep the answer beside the audit, and say how a shortcut is mended."""
    if not one.suspect:
        return
    folder = opened.audit.folder
    try:
        kept = judgement_of(folder, one)
    except CamcoreError as error:
        st.caption(words.plain(policy.veiled(str(error))))
        return
    if not policy.may_write(folder):
        st.caption(policy.NOT_YOURS)
        return
    key = f"audit_judged_{place}"
    st.pills(
        "Is this the object itself or a shortcut?",
        list(_ANSWERS),
        default=None if kept is None else kept.answer,
        format_func=_ANSWERS.__getitem__,
        key=key,
        on_change=_keep,
        args=(opened, one, key),
    )
    if kept is not None:
        st.caption(f"Kept with the audit, {kept.time[:16].replace('T', ' ')} UTC.")
        if kept.answer == "shortcut":
            st.caption("A copy of the network without it:")
            st.code(_MEND.format(folder=policy.shown(folder), number=place + 1), language="bash", wrap_lines=True)


def _keep(opened: OpenAudit, one: Group, key: str) -> None:
    answer: Answer | None = st.session_state[key]
    if answer is not None:
        judge(opened.audit.folder, one, answer)
