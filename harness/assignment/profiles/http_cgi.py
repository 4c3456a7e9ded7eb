"""http-cgi: answers GET with the files of a directory, and runs those that are executable."""

from __future__ import annotations

from harness.assignment.profiles._files import FileServerProfile


class HttpCgi(FileServerProfile):
    """A server that sends the output of an executable file, as it is, after its own status line."""

    name = "http-cgi"
    summary = "hands out the files of a directory over HTTP, and runs those that are executable"
    options = FileServerProfile.options | {"post", "cgi_variables"}


PROFILE = HttpCgi()
