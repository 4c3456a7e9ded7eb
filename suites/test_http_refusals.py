"""http: requests that no browser sends, and that do no harm."""

import pytest

from harness.checks import (
    DIED,
    ENDED,
    MISSING,
    MUST,
    OPEN,
    OWN,
    SHOULD,
    UNSERVED,
    WRONG,
    by_contract,
    check,
    files,
    lasting,
)


@pytest.mark.parametrize("method", ["BREW", "DELETE", "GETT", "G"])
@check(
    "http/method-unknown",
    by_contract("other_methods", refused=SHOULD),
    "RFC 9110 section 9.1",
    "RFC 9110 section 15.6.2",
    only=files,
    needs="http/get-exact",
    usual={WRONG | OWN: "whatever the first word is, the file is sent"},
)
def test_method_unknown(web, method):
    """A method that the program does not know is refused."""
    web.put("page.html", b"hello")
    web.get("page.html", method=method).expect_refused()
    web.server.still_serves()


@pytest.mark.parametrize("version", ["HTTP/9.9", "HTTP/1.1.1", "HTTP/", "FTP/1.0", "http/1.1", ""])
@check(
    "http/version-unknown",
    SHOULD,
    "RFC 9110 section 2.5",
    "RFC 9112 section 2.3",
    only=(files, lasting),
    needs="http/get-exact",
    usual={
        ENDED | UNSERVED: "the third word of the request line is used without a look whether it is there",
        WRONG: "the version that the client has named is repeated in the answer",
    },
)
def test_version_unknown(web, version):
    """A version that is unknown or missing is answered in HTTP/1.x, or the connection is closed; nothing breaks."""
    web.put("page.html", b"hello")
    line = f"GET {'/' if web.profile.contract.target == 'slash' else ''}page.html {version}".rstrip()
    web.send(f"{line}\r\nHost: localhost\r\n\r\n".encode(), finish=True).expect_end(nothing_found=False)
    web.server.still_serves()


#: Requests that are none: bytes, and whether they name a file after all.
MALFORMED = {
    "blank-line": (b"\r\n\r\n", False),
    "one-word": (b"GET\r\n\r\n", False),
    "no-target": (b"GET  HTTP/1.1\r\n\r\n", False),
    "blanks": (b"      \r\n\r\n", False),
    "a-reply": (b"HTTP/1.1 200 OK\r\n\r\n", False),
    "all-bytes": (bytes(range(1, 256)) + b"\r\n\r\n", False),
    "zeros": (b"\0" * 64 + b"\r\n\r\n", False),
    "long-method": (b"G" * 5000 + b" /page.html HTTP/1.1\r\n\r\n", True),
    "conversions": (b"GET /%n%n%s%s%p%99999999d HTTP/1.1\r\n\r\n", False),
    "many-words": (b"GET /page.html HTTP/1.1 and so on\r\n\r\n", True),
    "no-colon": (b"GET /page.html HTTP/1.1\r\nno colon here\r\n\r\n", True),
    "bare-lf": (b"GET /page.html HTTP/1.1\nHost: localhost\n\n", True),
    "bare-cr": (b"GET /page.html HTTP/1.1\r\r", True),
    "cut": (b"GET /page.h", True),
}


@pytest.mark.parametrize("case", MALFORMED)
@check(
    "http/malformed",
    MUST,
    "RFC 9112 section 3",
    "RFC 9110 section 15.5.1",
    only=(files, lasting),
    needs=("http/get-exact", "http/not-found", "accept/sequential"),
    usual={ENDED | UNSERVED: "the words of the request line are used without a look whether they are there"},
)
def test_malformed(web, case):
    """A request that is none is refused, or the connection is closed; the program goes on."""
    web.put("page.html", b"hello")
    request, names_file = MALFORMED[case]
    web.get("page.html")
    web.send(request, finish=True).expect_end(nothing_found=not names_file)
    web.server.still_serves()


@pytest.mark.parametrize("part", ["header", "target", "lines"])
@check(
    "http/header-too-large",
    MUST,
    "RFC 6585 section 5",
    "RFC 9110 section 15.5.15",
    "CWE-120",
    only=(files, lasting),
    needs=("http/get-exact", "accept/sequential"),
    usual={
        DIED: "the request is copied into an array of fixed size",
        MISSING | OPEN | UNSERVED: "the program waits for a blank line that no longer fits into its buffer",
    },
)
def test_header_too_large(web, part):
    """A request with a line of 80,000 bytes, or thousands of lines, is answered or refused; the program goes on."""
    web.put("page.html", b"hello")
    request = {
        "header": web.profile.get("page.html", f"X-Long: {'x' * 80_000}"),
        "target": web.profile.get("y" * 80_000),
        "lines": web.profile.get("page.html", *[f"X-{number}: value" for number in range(5000)]),
    }[part]
    web.send(request).expect_ended_or_whole()
    web.server.still_serves()


@pytest.mark.parametrize("ending", ["%0d%0a", "%0a", "\r"], ids=["crlf", "lf", "bare-cr"])
@check(
    "http/no-header-injection",
    MUST,
    "CWE-113",
    "RFC 9112 section 11.1",
    only=files,
    needs="http/get-exact",
    usual="the path is decoded and then repeated in a header line (Location, ETag, an error page's head)",
)
def test_no_header_injection(web, ending):
    """What a client writes into its path never becomes a header line of the answer."""
    web.documents.directory("inner")
    for name in ("nothing", "inner"):
        visit = web.send(web.profile.get(f"{name}{ending}X-Injected:yes"), finish=True)
        visit.expect_no_header(b"X-Injected")
