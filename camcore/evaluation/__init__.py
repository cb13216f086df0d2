"""How good a classifier is on a folder of labelled pictures, where it errs, and where it looks when it does."""
