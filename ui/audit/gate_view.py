"""A gate on two audits: may the other network replace this one, by the rules of a policy?"""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import streamlit as st

from camcore.audits.comparison import Comparison
from camcore.errors import CamcoreError
from camcore.release.gate import CheckResult, outcome
from camcore.release.junit import to_junit
from camcore.release.kept import keep_check
from camcore.release.policy import Policy, read_policy
from camcore.release.report import to_html
from camcore.release.versions import Versions
from ui import downloads, errors, words
from ui.audit.export import stem
from ui.audit.opened import OpenAudit
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Update, Updates, Work
from ui.policy import may_write

_JUDGING = "audit_gate"
_LABELLED = """[accuracy_lost]    # old less new, at the worse end of its interval
at_most = 0.05

"""
_ANY = """[suspects]         # the largest group suspected of a shortcut
at_most = 0.0"""


def show(opened: OpenAudit, other: OpenAudit, made: Comparison) -> None:
    """The policy, and what becomes of its rules."""
    example = _LABELLED * (opened.accuracy.n > 0) + _ANY
    with st.expander("May the other network replace this one?", key="cam_audit_gate"):
        text = st.text_area(
            "Policy",
            key="gate_policy",
            persist_state="session",
            height=180,
            placeholder=example,
            help="In TOML: a table for each rule. `python -m camcore check` judges by the same file, and "
            "`python -m camcore spread` proposes one.",
        ).strip()
        if not text:
            session.ask(_JUDGING, None)
            st.caption(
                "This audit is of the old version, the other one of the new. A policy in TOML limits what may be lost "
                "in accuracy, and how far the reasons may move."
            )
            st.button("Begin with these rules", key="gate_begin", on_click=_write, args=(example,))
            return
        try:
            policy = read_policy(text.encode("utf-8", "replace"))
        except CamcoreError as error:
            session.ask(_JUDGING, None)
            errors.notices([str(error)])
            return
        status = session.section(_JUDGING, judging(opened, other, made, policy), _draw)
        if status.complete:
            _judged(opened, other, status.result)


def _write(text: str) -> None:
    st.session_state["gate_policy"] = text


def judging(opened: OpenAudit, other: OpenAudit, made: Comparison, policy: Policy) -> Work[CheckResult]:
    """Judges the other audit's network, in the place of this one's; kept beside its audit where that can be written."""
    writable = may_write(other.audit.folder)

    def steps(_: object, __: object) -> Updates[CheckResult]:
        result = outcome(Versions(opened.audit, other.audit, made), policy)
        if writable:
            with suppress(CamcoreError):  # what cannot be kept is judged all the same
                keep_check(result)
        yield Update(1.0, result)

    key = ("gate", opened.key, other.key, policy.sha256)
    return Work(None, key, "Judging by the policy", steps, lambda result: 4096 * len(result.rules))


def table(result: CheckResult) -> dict[str, list[str]]:
    """The columns of the rules' table."""
    return {
        "outcome": [one.state for one in result.rules],
        "rule": [one.subject for one in result.rules],
        "figure, 95 % interval": [one.figure_text for one in result.rules],
        "limit": [one.limit_text for one in result.rules],
        "remark": [one.remark for one in result.rules],
    }


def _draw(now: Status[CheckResult]) -> None:
    if now.failure is not None:
        errors.panel(now.failure, "The policy cannot be applied")
    if not now.complete:
        session.progress(_JUDGING, now, stoppable=False)


def _judged(opened: OpenAudit, other: OpenAudit, result: CheckResult) -> None:
    st.markdown(f"**{'Passed' if result.passed else 'Refused'}.** {words.plain(result.verdict)}")
    st.dataframe(table(result), hide_index=True, height=35 * (len(result.rules) + 1) + 3)
    for note in result.notes:
        st.caption(words.plain(note))
    name = f"gate_{stem(opened)}_{stem(other)}"
    files = (
        ("html", partial(to_html, result), "The verdict, the rules, and the pictures that changed with both maps"),
        ("xml", partial(to_junit, result), "The rules as JUnit XML, for a build server"),
    )
    with st.container(key="cam_audit_gate_foot", horizontal=True, gap="small"):
        downloads.offer_all(name, files, key="audit_gate")
