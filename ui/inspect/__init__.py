"""The Inspect page: what a network says of a picture, where it looks, and how that forms with depth."""
