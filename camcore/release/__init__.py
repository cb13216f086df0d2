"""The gate: may a new version of a network replace the old one? By the rules of a policy, on the same pictures."""
