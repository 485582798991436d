"""The record pages of maintenance."""

from maintenance.admin import backups, plans, windows
from maintenance.exercises import admin as exercises

__all__ = ["backups", "exercises", "plans", "windows"]
