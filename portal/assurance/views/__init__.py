"""The pages under /audit/."""
