"""Changes: requests, approvals, the schedule. Nothing stands here yet."""
