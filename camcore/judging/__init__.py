"""How far to believe a map: whether maps agree and fall on the object, what hiding parts does, the verdict."""
