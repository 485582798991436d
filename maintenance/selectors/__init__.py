"""What the pages of maintenance show."""
