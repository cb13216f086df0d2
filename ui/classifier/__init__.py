"""The page on a classifier as a whole, Cats vs dogs: how good it is, and how it came to that."""
