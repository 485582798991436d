"""What the pages of checklists show, each with a fixed number of queries."""
