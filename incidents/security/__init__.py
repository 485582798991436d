"""Security incidents: who may read them, how they are classified, and how they are contained."""
