"""The verbs of engagements and reviews."""
