"""Changes: planned, proven, approved, carried out and, if need be, undone."""
