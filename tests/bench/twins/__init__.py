"""The portal's own models once more, kept by django-simple-history alone: what an audited save is measured against."""
