"""What the pages of incidents read. Nothing here writes, and every list goes through `visible_to`."""
