"""Evidence: a file is stored once under its SHA-256, and whatever happens to it is a custody event.

Reading order: naming, sniffing and storing know files and no model; policy says what fits when; models, services and
verifying keep the record; uploading, forms, selectors and views are its pages.
"""
