"""Where networks come from: the catalogue, files, folders, code of one's own."""
