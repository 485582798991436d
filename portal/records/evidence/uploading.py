"""How a file comes in over the web: cut off where it is too large, refused where it is incomplete, never in memory.

Django parses what is posted before a view sees it. The view of an upload names this handler and this parser first.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser

from portal.records.evidence import policy, storing
from portal.records.evidence.incoming import Incoming

FIELD = "file"
MARGIN = 256 * 1024  # of a posted form, beside its file


class Upload(UploadedFile):
    """The file of a form, written aside. `incoming` is what services.collect takes."""

    def __init__(self, incoming: Incoming, field_name: str) -> None:
        super().__init__(None, incoming.named.file, incoming.content_type, incoming.draft.size)
        self.field_name = field_name
        self.incoming = incoming

    def close(self) -> None:
        """Remove what lies aside, unless it was kept."""
        self.incoming.close()


class EvidenceUpload(FileUploadHandler):
    """Takes in one file of at most `most` bytes. `refusal` says why nothing was taken, or nothing more."""

    chunk_size = storing.BLOCK

    def __init__(self, request: HttpRequest, *, most: int) -> None:
        super().__init__(request)
        self.most = most
        self.raw_name = ""
        self.refusal = ""
        self.incoming: Incoming | None = None
        self.is_complete = False
        self.body: Body | None = None

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        """Begin with a file; what is too large by its own account, or has no room, is read past and not written."""
        super().new_file(field_name, file_name, *args, **kwargs)
        if self.incoming is not None or field_name != FIELD:
            self._refuse(policy.ONE_FILE)
        declared = self.body.declared if self.body is not None else 0
        if declared > self.most + MARGIN:
            self._refuse(policy.too_large(self.most))
        try:
            storing.check_room(declared)
            self.incoming = Incoming(self.raw_name or file_name)
        except storing.NoRoom:
            self._refuse(policy.NO_ROOM)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write the next bytes aside; stop at the limit, and when the disk is full."""
        assert self.incoming is not None  # noqa: S101 - new_file made it or skipped the file
        if self.incoming.draft.size + len(raw_data) > self.most:
            self._refuse(policy.too_large(self.most))
        try:
            self.incoming.write(raw_data)
        except storing.NoRoom:
            self._refuse(policy.NO_ROOM)

    def file_complete(self, file_size: int) -> Upload | None:
        """Return the file once the end of its part was seen."""
        self.is_complete = True
        return Upload(self.incoming, str(self.field_name)) if self.incoming is not None else None

    def upload_interrupted(self) -> None:
        """Say that its end never came."""
        self.refusal = self.refusal or policy.CUT_OFF

    def problem(self) -> str:
        """Return why nothing can be kept of what came in; "" when all is there."""
        if not self.refusal and self.body is not None and not self.body.is_whole:
            return policy.CUT_OFF
        return self.refusal

    def close(self) -> None:
        """Remove what lies aside, unless it was kept."""
        if self.incoming is not None:
            self.incoming.close()

    def _refuse(self, sentence: str) -> None:
        self.refusal = self.refusal or sentence
        self.close()
        raise SkipFile


class Body:
    """What is posted, counted: whether all of it came, and no more read of it than a lawful upload costs twice."""

    def __init__(self, source: BinaryIO, *, declared: int, most: int) -> None:
        self.source, self.declared, self.most, self.read_bytes = source, declared, most, 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; none beyond the most that is read."""
        left = self.most - self.read_bytes
        found = self.source.read(left if size < 0 else min(size, left)) if left > 0 else b""
        self.read_bytes += len(found)
        return found

    @property
    def is_whole(self) -> bool:
        """Whether as many bytes came as were announced."""
        return self.read_bytes >= self.declared


class _Parser(MultiPartParser):
    """Django's parser, which tells the handler the name as it was sent before it cleans it."""

    def sanitize_file_name(self, file_name: str) -> str:
        """Remember the name; one of which nothing is left is a file all the same."""
        handler: Any = self._upload_handlers[0]  # type: ignore[attr-defined]
        handler.raw_name = html.unescape(file_name)
        return str(super().sanitize_file_name(file_name) or "unnamed")


@contextmanager
def taking(request: HttpRequest, *, most: int) -> Iterator[EvidenceUpload]:
    """Take in what is posted to `request` by this handler, and leave nothing aside. Nothing may read it before."""
    handler = EvidenceUpload(request, most=most)

    def parse(meta: Any, post_data: Any) -> Any:
        declared = int(meta.get("CONTENT_LENGTH") or 0)
        body: Any = Body(post_data, declared=declared, most=2 * (most + MARGIN))
        handler.body = body
        return _Parser(meta, body, [handler], request.encoding).parse()

    request.parse_file_upload = parse  # type: ignore[method-assign, assignment]
    try:
        yield handler
    finally:
        handler.close()
