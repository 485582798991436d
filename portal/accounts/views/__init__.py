"""The pages of signing in, of one's own account, of second factors, and the one that asks who is there once more."""
