"""The page that answers whether a network may be used, from what the others left."""
