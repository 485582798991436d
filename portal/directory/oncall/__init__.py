"""On-call schedules: layers of rotations, overrides by hand, swaps, and who holds the duty at any moment."""
