"""Maintenance: plans, occurrences, recovery proof. Nothing stands here yet."""
