"""The command line: a module for each longer command."""
