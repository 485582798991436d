"""What the pages under /audit/ read."""
