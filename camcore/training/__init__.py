"""Training: from a folder of pictures to a network, from nothing or by architecture surgery on a backbone."""
