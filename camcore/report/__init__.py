"""Exports: pictures, numbers, reports, and the record of a run, from which it is made again."""
