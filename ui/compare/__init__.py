"""The Compare page: maps side by side, how far they agree, and what each costs."""
