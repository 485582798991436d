"""Keeps broker, web, workers and beat running in the foreground: starts them, restarts what dies, stops all of them."""
