"""Whole models that Keras 2 saved, rebuilt in Keras 3: the graph, its layers, its functions and its weights."""
