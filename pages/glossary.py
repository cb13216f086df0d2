"""Glossary: the terms of the other pages, each in a sentence or two."""

from ui.page import page

with page("Glossary", needs_network=False) as p:
    from ui import glossary

    glossary.show()
