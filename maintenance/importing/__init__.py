"""Plans out of a table: a CSV file or the first sheet of an XLSX file, row by row, all of them or none."""

from maintenance.importing.plans import COLUMNS, HINTS, MOST_ON_PAGE, Line, take
from maintenance.importing.standing import rows_of
from maintenance.importing.tables import LONGEST_FILE, Rows, Unreadable, read

__all__ = ["COLUMNS", "HINTS", "LONGEST_FILE", "MOST_ON_PAGE", "Line", "Rows", "Unreadable", "read", "rows_of", "take"]
