"""Shortcuts: the energy of maps in a region, and a study with a planted cue."""
