"""Runbooks as Markdown: reading what people write, arranging it as the template does, and writing it.

Nothing here knows a model. `reading` makes a tree of sections whose lines stay as they were written, `layout` arranges
and writes it, `facts` says what is understood of it, `report` counts what was found and what became of it.
"""
