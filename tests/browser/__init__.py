"""The app in a real Chromium. The tests share servers and a browser, so they run one after the other."""
