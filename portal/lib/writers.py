"""Writes tables and lines to a file, batch after batch, in memory that does not grow with them."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import xlsxwriter

from portal.lib import cells

SHEET_ROWS = 1_048_576  # of Excel
CELL_LENGTH = 32_767
LARGEST_NUMBER = 2**53
_FORBIDDEN = re.compile("[\ud800-\udfff\ufffe\uffff]")
CUT = " … (cut here: a cell holds no more; CSV and JSON Lines hold all of it)"


class Writer(Protocol):
    """A file that is being written. `rows` is how many lines stand below its heads."""

    rows: int

    def write(self, lines: Iterable[Any]) -> None:
        """Write some lines."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...

    def abandon(self) -> None:
        """Let go of a file that is not to be finished, such as one on a full disk."""
        ...


class CsvWriter:
    """A CSV file: commas, every cell in quotation marks, UTF-8 with a byte order mark.

    Without the mark Excel reads UTF-8 as the code page of its machine, and every name with an accent is spoilt. Other
    programs know it as "utf-8-sig".
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.rows = 0
        self._file = path.open("w", encoding="utf-8-sig", errors="replace", newline="")
        self._csv = csv.writer(self._file, quoting=csv.QUOTE_ALL)
        self._csv.writerow([cells.in_csv(name) for name in columns])

    def write(self, lines: Iterable[Sequence[Any]]) -> None:
        """Write some lines of cells."""
        for line in lines:
            self._csv.writerow([cells.in_csv(value) for value in line])
            self.rows += 1

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def abandon(self) -> None:
        """Close the file as it is."""
        with suppress(OSError):
            self._file.close()


class JsonlWriter:
    """A JSON object a line, in UTF-8, keys in the order given."""

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._file = path.open("w", encoding="utf-8", errors="replace", newline="\n")

    def write(self, lines: Iterable[dict[str, Any]]) -> None:
        """Write some objects."""
        for line in lines:
            self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
            self.rows += 1

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def abandon(self) -> None:
        """Close the file as it is."""
        with suppress(OSError):
            self._file.close()


class XlsxWriter:
    """An Excel workbook: a sheet that says what it holds, then the rows, on more sheets when one is full.

    Without anything to say about it the rows stand on the first sheet, where an import looks for them.

    Texts are written as texts whatever they look like, numbers as numbers. Nothing is a formula or a link.
    """

    def __init__(self, path: Path, columns: Sequence[str], *, about: Sequence[tuple[str, str]], name: str) -> None:
        self.rows = 0
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "tmpdir": str(path.parent),  # what a killed worker leaves of it is removed with the rest
        }
        self._book = xlsxwriter.Workbook(str(path), options)
        self._head = self._book.add_format({"bold": True, "bottom": 1})
        self._columns, self._name, self._sheets = columns, name, 0
        if about:
            self._about(about)
        self._sheet, self._next = self._new_sheet(), 1

    def _about(self, facts: Sequence[tuple[str, str]]) -> None:
        sheet = self._book.add_worksheet("About")
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 100)
        for number, (label, words) in enumerate(facts):
            sheet.write_string(number, 0, _fitting(label), self._head)
            sheet.write_string(number, 1, _fitting(words))

    def _new_sheet(self) -> Any:
        self._sheets += 1
        sheet = self._book.add_worksheet(self._name if self._sheets == 1 else f"{self._name} {self._sheets}")
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(self._columns) - 1, 18)
        for number, label in enumerate(self._columns):
            sheet.write_string(0, number, _fitting(label), self._head)
        return sheet

    def write(self, lines: Iterable[Sequence[Any]]) -> None:
        """Write some lines of cells."""
        for line in lines:
            if self._next >= SHEET_ROWS:
                self._sheet, self._next = self._new_sheet(), 1
            for number, value in enumerate(line):
                if _is_number(value):
                    self._sheet.write_number(self._next, number, value)
                elif value is not None and value != "":
                    self._sheet.write_string(self._next, number, _fitting(cells.plain(value)))
            self._next += 1
            self.rows += 1

    def close(self) -> None:
        """Finish the file."""
        self._book.close()

    def abandon(self) -> None:
        """Close what the workbook keeps its rows in; nothing is put together."""
        for sheet in self._book.worksheets():
            with suppress(OSError):
                sheet.row_data_fh.close()


def _is_number(value: Any) -> bool:
    """Tell whether Excel can hold the value as a number without changing it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and abs(value) < LARGEST_NUMBER


def _fitting(text: str) -> str:
    """Return the text as a cell can hold it: no formula, nothing that XML forbids, not too long (in UTF-16)."""
    found = _FORBIDDEN.sub("\ufffd", cells.harmless(text))
    if len(found) <= CELL_LENGTH // 2 or len(found.encode("utf-16-le")) // 2 <= CELL_LENGTH:
        return found
    room = (CELL_LENGTH - len(CUT)) * 2
    return found.encode("utf-16-le")[:room].decode("utf-16-le", "ignore") + CUT
