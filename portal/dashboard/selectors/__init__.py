"""What the dashboard's pages read. Nothing here writes; each page asks a fixed number of queries."""
