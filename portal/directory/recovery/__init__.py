"""What is promised of each system's recovery, what is known of it, and whether it is proven."""
