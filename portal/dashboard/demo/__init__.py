"""The demo company: Halyard Desk Ltd, which runs a support-ticket system. Its people and systems are invented."""
