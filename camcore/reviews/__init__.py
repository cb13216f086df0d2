"""Reviews: a person judges a blinded sample of an audit's maps, and a bound on the share of right reasons follows."""
