"""The pages of changes. Each reads the clock once, asks a selector or calls one service, and renders."""
