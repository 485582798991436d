"""The forms of the change pages. Each field has a limit and a sentence; what is refused says what to do."""
