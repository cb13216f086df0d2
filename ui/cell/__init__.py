"""One place of the picture, looked into, beneath the map of the Inspect page."""
