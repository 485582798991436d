"""What stands in for parts of libraries."""
