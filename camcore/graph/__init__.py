"""The traced graph of a network, the layers found in it, and the compiled functions cut out of it."""
