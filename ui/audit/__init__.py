"""The page on an audit: many pictures at once, how good the network is on them, and what its answers rest on."""
