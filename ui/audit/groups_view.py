"""The groups of evidence as cards: what their answers rest on, and how right these are; those that fail on top."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence

import streamlit as st

from camcore.audits import report_words
from camcore.audits.clustering import LEAST
from camcore.audits.groups import Group, failing_groups
from camcore.text import counted
from ui import errors, trial_chart, words
from ui.audit import choices, court_view, scrolling
from ui.audit.group_pictures import PATCHES, GroupPictures, group_pictures
from ui.audit.mend_view import BEGUN
from ui.audit.opened import OpenAudit, group_name
from ui.jobs import session
from ui.jobs.session import Status

COLUMNS = 3
PAGE = 6


def show(opened: OpenAudit) -> None:
    """The section; a fragment of its own."""
    if not opened.groups:
        return
    st.subheader("What do the answers rest on?", anchor="groups")
    places = ordered(opened.groups)
    if not places:
        st.markdown(
            f"No class divides into groups of different evidence. Classes with fewer than {2 * LEAST} predictions are "
            "not divided."
        )
        return
    st.markdown(
        "A network can predict the same class for different reasons. A **group** holds the pictures of one predicted "
        "class whose answers rest on similar features, wherever these are in the picture. A group that is right less "
        "often than its class shows where the network fails. If its patches show no part of the object, the network "
        "may be using a shortcut."
    )
    state = st.session_state
    pages = -(-len(places) // PAGE)
    page = state["audit_groups_page"] = min(state.get("audit_groups_page", 0), pages - 1)
    shown = places[page * PAGE : (page + 1) * PAGE]

    def draw(now: Status[tuple[GroupPictures, ...]]) -> None:
        if state.pop("audit_show_group", False) or state.pop(BEGUN, False):
            st.rerun()  # the callback ran with this fragment, the gallery is another one; nothing may take its place
        made = now.value or ()
        known: list[GroupPictures | None] = [*made, *[None] * (len(shown) - len(made))]
        pairs = list(zip(shown, known, strict=True))
        suspects = [pair for pair in pairs if opened.groups[pair[0]].suspect]
        for place, pictures in suspects:
            _suspect(opened, place, pictures)
        columns = st.columns(COLUMNS, gap="small")
        for number, (place, pictures) in enumerate(pairs[len(suspects) :]):
            with columns[number % COLUMNS]:
                _card(opened, place, pictures)
        if now.failure is not None:
            errors.panel(now.failure, "The pictures of these groups cannot be shown")

    session.section("audit_groups", group_pictures(opened, shown), draw)
    if pages > 1:
        with st.container(key="cam_audit_groups_turn", horizontal=True, vertical_alignment="center", gap="small"):
            st.button("Previous", key="audit_groups_back", disabled=page == 0, on_click=_turn, args=(page - 1,))
            st.button("Next", key="audit_groups_on", disabled=page >= pages - 1, on_click=_turn, args=(page + 1,))
            st.caption(f"{page * PAGE + 1} to {page * PAGE + len(shown)} of {counted(len(places), 'group')}")


def ordered(groups: Sequence[Group]) -> list[int]:
    """The places of the groups to show: suspects; of classes with several those that fail, the worst on top; the rest.

    The rest stands in the order of its trials, or by size where there were none.
    """
    several = Counter(one.label for one in groups)
    place = {id(one): number for number, one in enumerate(groups)}
    suspects = [number for number, one in enumerate(groups) if one.suspect]
    failing = [place[id(one)] for one in failing_groups(groups) if one.clearly_failing and not one.suspect]
    others = [number for number in range(len(groups)) if number not in {*suspects, *failing}]
    if any(groups[number].verdict is None for number in others):
        others.sort(key=lambda number: -groups[number].size)
    return [*suspects, *(number for number in (*failing, *others) if several[groups[number].label] > 1)]


def _turn(page: int) -> None:
    st.session_state["audit_groups_page"] = page


def _suspect(opened: OpenAudit, place: int, pictures: GroupPictures | None) -> None:
    """The card of a suspect group, as wide as the page: its trial, its patches, and the question to the reader."""
    one = opened.groups[place]
    with st.container(key=f"cam_group_{place}", border=True):
        said = trial_chart.sentence(one)
        lead = f'<p class="cam-group-lead">{html.escape(words.together(said))}</p>' if said else ""
        st.html(f'<div class="cam-group">{_title(one)}{lead}</div>')
        left, right = st.columns([5, 7], gap="medium")
        with left:
            details = _paragraphs(court_view.apart(one), "cam-group-trial")
            st.html(f'<div class="cam-group">{_pictures(one, pictures)}{_about(one)}{details}</div>')
            _show_button(place, one)
        with right:
            bars = trial_chart.bars(one)
            if bars:
                st.html(bars)
            turned = _turned(one, pictures)
            if turned:
                st.html(turned)
            court_view.question(opened, place, one)


def _card(opened: OpenAudit, place: int, pictures: GroupPictures | None) -> None:
    one = opened.groups[place]
    with st.container(key=f"cam_group_{place}", border=True, gap="xsmall"):
        text = _about(one) + trial_chart.bars(one) + _paragraphs(court_view.apart(one), "cam-group-trial")
        st.html(f'<div class="cam-group">{_title(one)}{_pictures(one, pictures)}{text}</div>')
        _show_button(place, one)


def _show_button(place: int, one: Group) -> None:
    name = words.plain(group_name(one))  # in the label, for those who hear all buttons of a page
    st.button(f"Pictures of {name}", key=f"audit_group_{place}", on_click=_choose, args=(place,))


def _choose(place: int) -> None:
    choices.clear()
    st.session_state.update(group=place, audit_show_group=True)
    scrolling.to(scrolling.PICTURES)


def _title(one: Group) -> str:
    """The name of a group, and its marks."""
    mark = '<span class="cam-group-fails">suspect</span>' if one.suspect else ""
    mark += '<span class="cam-group-fails">below its class</span>' if one.clearly_failing else ""
    return f"<b>{html.escape(group_name(one))}</b>{mark}"


def _pictures(one: Group, pictures: GroupPictures | None) -> str:
    """The mean map and the patches of a group."""
    name = html.escape(group_name(one))
    urls = () if pictures is None else pictures.patches
    patches = "".join(f'<img src="{url}" alt="Patch of a picture of {name}">' for url in urls)
    waiting = "<i></i>" * (min(len(one.patches), PATCHES) - len(urls)) if pictures is None else ""
    mean = f'<img src="{pictures.mean_map}" alt="Mean map of {name}">' if pictures is not None else "<i></i>"
    return (
        f'<div class="cam-group-pictures"><div class="cam-group-map">{mean}<small>mean map</small></div>'
        f'<div class="cam-group-patches">{patches}{waiting}</div></div>'
    )


def _turned(one: Group, pictures: GroupPictures | None) -> str:
    """Some of the pictures that a group's patch turned, before and after; empty where none are kept."""
    if pictures is None or not pictures.turned:
        return ""
    said = html.escape(words.label(one.label))
    about = html.escape(words.together(report_words.turned(one, len(pictures.turned))))
    pairs = "".join(
        f'<div><img src="{before}" alt="A picture of another class"><i aria-hidden="true">→</i>'
        f'<img src="{after}" alt="The same with the patch: predicted as {said}"></div>'
        for before, after in pictures.turned
    )
    return f'<figure class="cam-turned"><figcaption>{about}</figcaption><div>{pairs}</div></figure>'


def _paragraphs(lines: Sequence[str], kind: str = "") -> str:
    """Sentences as HTML, a line each."""
    text = "".join(f"<p>{html.escape(words.together(line))}</p>" for line in lines)
    return f'<div class="{kind}">{text}</div>' if text else ""


def _about(one: Group) -> str:
    """The size and accuracy of a group, and its channels."""
    lines = [
        f"{counted(one.size, 'picture')}, {words.percent(one.share)} of those predicted as “{words.label(one.label)}”"
    ]
    if not one.evidence:
        return _paragraphs([*lines, "Their maps are zero: at this layer nothing supports the class."])
    if one.accuracy is not None and one.class_accuracy is not None:
        interval = f"{100 * one.accuracy.low:.0f} to {100 * one.accuracy.high:.0f} %"
        right = words.percent(one.accuracy.value)
        lines.append(f"{right} right ({interval}), whole class {words.percent(one.class_accuracy.value)}")
    numbers = ", ".join(str(channel.channel) for channel in one.channels[:4])
    if numbers:
        lines.append(f"Channels stronger than in the class: {numbers}")
    return _paragraphs(lines)
