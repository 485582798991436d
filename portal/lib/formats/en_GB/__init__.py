"""How moments are written in the record pages: as in the rest of the portal."""
