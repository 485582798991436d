"""What every test stands on. Keep it small: factories live in tests/factories/."""
