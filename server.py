"""The app on a web server: its pages and nothing besides, with headers that keep other sites from framing them."""

import streamlit as st
from starlette.middleware import Middleware

from ui.headers import SafeHeaders
from ui.messages import PagesOnly

app = st.App("app.py", middleware=[Middleware(SafeHeaders), Middleware(PagesOnly)])
