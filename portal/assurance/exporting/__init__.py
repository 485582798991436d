"""Taking records home: an export is a row first, then made by a worker, fetched by whoever asked, told in the trail."""
