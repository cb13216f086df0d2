"""Sources of networks: the catalogue, files, folders, code of one's own."""
