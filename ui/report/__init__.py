"""The Report page: what was pinned on the other pages, to take away and to present."""
