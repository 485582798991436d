"""Search: what is found, by which words, and the indexes that the database keeps of it."""
