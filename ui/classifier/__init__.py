"""The Evaluation page, on a trained classifier as a whole: how good it is, and how it came to that."""
