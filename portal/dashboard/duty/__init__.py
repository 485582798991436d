"""What people are told about being on call: handoffs, swaps, and the digest of what will go wrong."""
