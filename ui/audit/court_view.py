"""The trial of a group of evidence in words, and the question to the reader: the thing itself, or a shortcut?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from camcore.audits import report_words
from camcore.errors import CamcoreError
from camcore.shortcuts.judgements import judge, judgement_of
from ui import policy, words
from ui.audit import mend_view

if TYPE_CHECKING:
    from camcore.audits.groups import Group
    from camcore.shortcuts.judgements import Answer
    from ui.audit.opened import OpenAudit

_IN_BARS = ("Pasted", "Painted over", "Given to", "Taken from")
_ANSWERS: dict[Answer, str] = {"thing": "The object itself", "shortcut": "A shortcut", "unsure": "Not sure"}


def lines(one: Group) -> tuple[str, ...]:
    """The sentences of a group's trial; none before it."""
    return tuple(map(policy.veiled, report_words.trial(one)))


def apart(one: Group) -> tuple[str, ...]:
    """The sentences of a trial that its bars do not show; those of a group that was not tried."""
    verdict = one.verdict
    if verdict is None or verdict.figures is None:
        return lines(one)
    return tuple(line for line in lines(one) if not line.startswith(_IN_BARS))


def question(opened: OpenAudit, place: int, one: Group) -> None:
    """Ask about a suspect group, keep the answer beside the audit, and offer to mend a shortcut."""
    if not one.suspect:
        return
    st.caption(
        "Look at the patches. A shortcut comes with the class in these pictures and is no part of it, as a watermark. "
        "If it is one, a network without it can be made here. The **Evaluation** page shows one planted on purpose."
    )
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
            mend_view.show(opened, place, one)


def _keep(opened: OpenAudit, one: Group, key: str) -> None:
    answer: Answer | None = st.session_state[key]
    if answer is not None:
        judge(opened.audit.folder, one, answer)
