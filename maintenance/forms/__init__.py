"""The forms of maintenance."""
