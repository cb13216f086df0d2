"""The app on a web server: its pages, with the headers that keep other sites from framing them."""

import streamlit as st
from starlette.middleware import Middleware

from ui.headers import SafeHeaders

app = st.App("app.py", middleware=[Middleware(SafeHeaders)])
