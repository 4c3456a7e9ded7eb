"""http-file: answers GET with the files of a directory."""

from __future__ import annotations

from harness.assignment.profiles._files import FileServerProfile


class HttpFile(FileServerProfile):
    """A server of files only."""

    name = "http-file"
    summary = "hands out the files of a directory over HTTP: 200, 404, 403, Content-Length, then closes"


PROFILE = HttpFile()
