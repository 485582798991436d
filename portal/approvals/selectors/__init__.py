"""What the pages of approvals show."""
