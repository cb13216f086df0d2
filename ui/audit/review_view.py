"""A review of the audit by a person: one map at a time, a key for each answer, and a bound that decides."""

from __future__ import annotations

import html
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from camcore.errors import CamcoreError
from camcore.reviews import listing
from camcore.reviews.decision import NO, REFUSED, YES
from camcore.reviews.record import RIGHT, UNSEEN, WRONG
from camcore.reviews.review import LONGEST_NAME, Review, open_review, start_review
from camcore.reviews.words import at_least, at_most, lower
from camcore.text import counted, readable
from ui import downloads, errors, policy, words
from ui.audit.opened import OpenAudit
from ui.audit.review_pictures import AHEAD, ahead, pair
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Update, Updates, Work
from ui.query import Failure

if TYPE_CHECKING:
    from pathlib import Path

YES_KEY, NO_KEY, UNDO_KEY = "Y", "N", "U"
BOUND_EVERY = 10
"""Answers between two looks at the bound: told after each, it would tell which maps are shams."""
SHOWN = 5
"""Earlier reviews on the page."""
_OPENING, _AHEAD, _REPORT = "review_opening", "review_ahead", "review_report"


@dataclass(frozen=True)
class _Asked:
    """A review to be opened: a new one, or the one in ``file``. ``id`` tells it from another of the same kind."""

    id: str
    reviewer: str = ""
    said: str | None = None
    goal: float = 0.9
    file: Path | None = None


def show(opened: OpenAudit) -> None:
    """The section; a fragment, so that an answer draws nothing else anew."""
    with errors.guarded("The review"):
        review = _current(opened)
        with st.container(key="cam_review"):
            if review is None:
                _choose(opened)
            elif review.number is None:
                _result(opened, review)
            else:
                _judge(review)


def _current(opened: OpenAudit) -> Review | None:
    """The review that is open; one that was asked for is opened first."""
    state = st.session_state
    asked: _Asked | None = state.get("review_asked")
    if asked is not None:

        def draw(now: Status[Review]) -> None:
            if now.failure is not None:
                errors.panel(now.failure, "This review cannot be opened")
            elif not now.complete:
                session.progress(_OPENING, now, stoppable=False)

        status = session.section(_OPENING, _opening(opened, asked), draw)
        if status.complete:
            state.update(review=status.result, review_asked=None)
    review: Review | None = state.get("review")
    return review if review is not None and review.audit.folder == opened.audit.folder else None


def _opening(opened: OpenAudit, asked: _Asked) -> Work[Review]:
    def steps(_: object, __: object) -> Updates[Review]:
        if asked.file is not None:
            yield Update(1.0, open_review(asked.file))
        else:
            yield Update(1.0, start_review(opened.audit.folder, asked.reviewer, asked.said, asked.goal))

    return Work(None, ("review", opened.key, asked), "Drawing the sample", steps, expected=1.0)


# ---- before and after


def _choose(opened: OpenAudit) -> None:
    """What a review is, the form to begin one, and the earlier ones."""
    st.markdown(
        "Do the answers rest on **the right thing**? You see a random sample of the maps, press one key for each, and "
        "get a bound that holds for **all** of these answers. Some of the maps are **shams** that mark another place: "
        "whoever does not notice them proves nothing. It stops as soon as the goal is reached or missed."
    )
    if not policy.may_write(opened.audit.folder):
        st.caption(f"{policy.NOT_YOURS} Audit pictures of your own to review what is said of them.")
        return
    classes = [None, *(one.name for one in opened.classes if one.said)]
    with st.container(key="cam_review_form", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input("Your name", key="review_name", persist_state="session", max_chars=LONGEST_NAME, width=220)
        st.selectbox("Answers", classes, key="review_said", format_func=_class_name, width=180)
        st.slider("Goal: right reasons, at least", 50, 99, 90, key="review_goal", format="%d %%", width=220)
        st.button(
            "Begin the review",
            type="primary",
            key="review_begin",
            on_click=_begin,
            help="Writes a record beside the audit, after each answer",
        )
    earlier = listing.list_reviews(opened.audit.folder)
    for one in earlier[:SHOWN]:
        _earlier(one)
    if len(earlier) > SHOWN:
        st.caption(f"{counted(len(earlier) - SHOWN, 'earlier review')} more in the folder reviews of the audit.")


def _class_name(said: str | None) -> str:
    return "all classes" if said is None else readable(said)


def _earlier(one: listing.Listed) -> None:
    """A review that is there: its result, and what can be done with it."""
    with st.container(
        key=f"cam_review_{one.file.stem}", horizontal=True, vertical_alignment="center", gap="small", wrap=False
    ):
        if one.record is None:
            st.caption(words.plain(policy.veiled(one.text)))
            return
        st.caption(words.plain(words.together(f"{one.about}: {one.text}")))
        if not one.finished:
            asked = _Asked(uuid.uuid4().hex, file=one.file)
            st.button("Go on", key=f"review_on_{one.file.stem}", on_click=_ask, args=(asked,))
        _offer(one.file, f"review_file_{one.file.stem}")


def _result(opened: OpenAudit, review: Review) -> None:
    """The end of a review."""
    result = review.record.result
    assert result is not None
    level = {YES: "for", NO: "against", REFUSED: "beware"}.get(result.state, "beware")
    titles = {YES: "The goal is reached", NO: "The goal is missed", REFUSED: "These answers prove nothing"}
    title = titles.get(result.state, "The goal is neither reached nor missed")
    st.html(
        f'<div class="cam-verdict cam-verdict-{level}" role="status"><b>{title}.</b> '
        f"{html.escape(words.together(review.sentence))}</div>"
    )
    header = review.record.header
    st.caption(
        words.plain(
            f"Judged by {header.reviewer}, {result.time[:16].replace('T', ' ')} UTC. The record has every answer with "
            "its time, the hashes of weights and pictures, and a seal over all of it."
        )
    )
    with st.container(key="cam_review_end", horizontal=True, vertical_alignment="center", gap="small"):
        _offer(review.file, "review_file")
        st.button("Close", key="review_close", on_click=_leave)
    session.section(_REPORT, _report(review), _draw_report)


def _report(review: Review) -> Work[int]:
    """Writes the audit's report again, with this review in it, where it has one."""

    def steps(_: object, __: object) -> Updates[int]:
        from camcore.audits import report  # takes its time, and is needed at the end only

        if (review.audit.folder / report.NAME).is_file():
            report.write_report(review.audit.folder)
        yield Update(1.0, 1)

    return Work(None, ("review_report", review.file), "Adding this to the report", steps, lambda _: 64, expected=3.0)


def _draw_report(now: Status[int]) -> None:
    if now.failure is not None:
        errors.notices([f"The audit’s report could not be written again. {now.failure.message}"])
    elif not now.complete:
        session.progress(_REPORT, now, stoppable=False)


def _offer(file: Path, key: str) -> None:
    downloads.offer(file.name, file.read_bytes, "The record of this review", key=key)


# ---- judging


def _judge(review: Review) -> None:
    """The next map, large, beside its photograph, and the keys."""
    review = _without_unseen(review)
    number = review.number
    if number is None:
        session.rerun()  # it has ended, and the result takes the place of the keys
    shown = pair(review, number)
    problem = st.session_state.get("review_failure")
    if problem is not None:
        errors.panel(problem, "This answer was not kept")
    elif shown.problem:
        errors.notices([f"The next {AHEAD} pictures cannot be shown. The first one: {shown.problem}"])
    name, progress = (html.escape(text) for text in (readable(shown.said), words.together(_progress(review))))
    st.html(
        f'<div class="cam-review-question"><p>The network says <b>“{name}”</b>. Does the marked region show it?</p>'
        f'<small>{progress}</small></div><div class="cam-review-pair">'
        f'<img src="{shown.marked}" alt="The photograph under its map"><img src="{shown.photo}" alt="The photograph">'
        "</div>"
    )
    waiting = problem is not None or bool(shown.problem)
    with st.container(key="cam_review_keys", horizontal=True, vertical_alignment="center", gap="small"):
        for title, key, verdict in (("Yes, right reason", YES_KEY, RIGHT), ("No, wrong reason", NO_KEY, WRONG)):
            st.button(
                title, key=f"review_{verdict}", shortcut=key, on_click=_answer, args=(number, verdict), disabled=waiting
            )
        st.button(
            "Take back", key="review_undo", shortcut=UNDO_KEY, on_click=_undo, args=(number,), disabled=not number
        )
        st.space("stretch")
        st.button("Leave", key="review_leave", on_click=_leave, help="Every answer is kept; go on whenever you like")
    st.caption("What the network did not see of a photograph is dark under its map.")
    session.ask(_AHEAD, ahead(review, number + 1), patience=0.0)


def _without_unseen(review: Review) -> Review:
    """The review at its next picture that can be shown; unchanged where none of the next ones can."""
    number = review.number
    assert number is not None
    coming = range(number, min(number + AHEAD, len(review.items)))
    gone = next((place - number for place in coming if not pair(review, place).problem), None)
    for _ in range(gone or 0):
        review = review.answer(UNSEEN)
    st.session_state["review"] = review
    return review


def _progress(review: Review) -> str:
    """How far it is; the bound as it was after the last round number of answers."""
    given = len(review.record.standing)
    rounded = given - given % BOUND_EVERY
    text = f"{counted(given, 'map')} judged, {len(review.items):,} at most"
    if not rounded:
        return text
    so_far = replace(review, record=replace(review.record, answers=review.record.standing[:rounded])).outcome
    return f"{text} · {lower(at_least(so_far.low))} and {lower(at_most(so_far.high))} after {rounded}"


def _begin() -> None:
    state = st.session_state
    _ask(_Asked(uuid.uuid4().hex, state["review_name"], state["review_said"], state["review_goal"] / 100))


def _ask(asked: _Asked) -> None:
    st.session_state.update(review_asked=asked, review_failure=None)


def _answer(number: int, verdict: str) -> None:
    review: Review = st.session_state["review"]
    if review.number == number:  # a key pressed twice is one answer
        _take(lambda: review.answer(verdict))


def _undo(number: int) -> None:
    review: Review = st.session_state["review"]
    if review.number == number:
        _take(review.undo)


def _take(step: Callable[[], Review]) -> None:
    state = st.session_state
    try:
        state.update(review=step(), review_failure=None)
    except CamcoreError as error:
        state["review_failure"] = Failure.of(error)


def _leave() -> None:
    st.session_state.update(review=None, review_asked=None, review_failure=None)
