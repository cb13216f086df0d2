"""Evaluation of a classifier on a folder of labelled pictures: figures of merit, mistakes, mean maps."""
