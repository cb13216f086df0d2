"""The Trust page, and its short form beneath other maps: whether to believe a map."""
