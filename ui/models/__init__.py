"""The Models page: every network there is, and how to bring one’s own."""
