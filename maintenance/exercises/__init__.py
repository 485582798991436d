"""Recovery plans and their exercises: what is done to recover a system, and how long it took when it was tried."""
