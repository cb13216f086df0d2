"""Trust in a map: the evidence gathered, the rules of the verdict, and experiments on the picture."""
