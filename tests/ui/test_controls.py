"""Widgets that show a choice which other parts of a page make, too."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from ui import controls

    state = st.session_state
    state.setdefault("letter", "a")

    def press() -> None:
        state["letter"] = "b"

    st.button("b", on_click=press)
    box = controls.mirrored("letter_box", state["letter"], lambda letter: state.update(letter=letter))
    st.selectbox("Letter", ["a", "b", "c"], **box)


def test_a_widget_keeps_its_key_where_it_was_changed_itself() -> None:
    at = AppTest.from_function(page).run()
    key = at.selectbox[0].key
    at.selectbox[0].set_value("c").run()
    assert (at.session_state["letter"], at.selectbox[0].value, at.selectbox[0].key) == ("c", "c", key)


def test_an_older_message_does_not_undo_a_press() -> None:
    at = AppTest.from_function(page).run()
    old = at.selectbox[0]._widget_state
    at.button[0].click().run()
    assert (at.session_state["letter"], at.selectbox[0].value) == ("b", "b")
    late = at._tree.get_widget_states()
    late.widgets.append(old)
    at._run(late)
    assert (at.session_state["letter"], at.selectbox[0].value) == ("b", "b")
