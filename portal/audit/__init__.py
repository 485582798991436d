"""The audited base: who did what, when and why, for every row that is kept with history."""
