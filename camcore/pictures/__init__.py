"""Bytes or a path become a checked, upright 8-bit RGB picture."""
