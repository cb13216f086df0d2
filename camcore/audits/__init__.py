"""Audits: a network's answers to many pictures, what each rests on, the groups of reasons, and their store."""
