"""The traced graph of a network, and the compiled functions that are cut out of it."""
