"""The longer commands of the command line, a module each; the short ones are in ``camcore/__main__.py``."""
