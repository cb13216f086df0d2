"""The Train page: a folder of pictures becomes a network."""
