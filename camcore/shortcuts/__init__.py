"""Shortcuts: groups of evidence tried by experiment on pixels, the rule that suspects them, and their mending."""
