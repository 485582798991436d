"""One's own pages: how I am reached, and what the portal has told me. Everybody keeps their own in order."""
