"""What the pages of runbooks show."""
