"""Whether a network looks at the thing or at what comes with it: energy in a region, and a planted cue to prove it."""
