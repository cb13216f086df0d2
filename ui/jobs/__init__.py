"""Background work: described once (work), done once for everybody (runner, job), followed by each visitor (session)."""
