"""What the pages of changes read. Nothing here writes, and every list goes through `visible_to`."""
