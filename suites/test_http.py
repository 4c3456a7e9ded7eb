"""http: a server of files, asked as browsers ask and as nobody should."""

import pytest

from harness.checks import MUST, SHOULD, by_contract, check, files, if_set, lasting
from harness.stage.web import WAYS_OUT

BYTES = bytes(range(256))
#: Sizes about which programs are often wrong: nothing, one byte, a buffer, a buffer and a byte.
LENGTHS = (1, 4096, 4097, 100_000, 0)


@check(
    "http/get-exact",
    MUST,
    "RFC 9110 section 9.3.1",
    "RFC 9112 section 4",
    only=files,
    usual="there is no blank line between head and body, or something is put around the content of the file",
)
def test_get_exact(web):
    """A GET of a file is answered by 200 and the content of the file, and nothing else."""
    for content in (b"hello, world\n", b"no line end", b"\r\n\r\n" * 3):
        web.put("page.html", content)
        web.get("page.html").expect_file(content)


@check(
    "http/empty-file",
    MUST,
    "RFC 9110 section 8.6",
    only=files,
    needs="http/get-exact",
    usual="a read() that returns 0 is taken for an error",
)
def test_empty_file(web):
    """An empty file exists: the answer is 200, with a body of no bytes."""
    web.put("empty", b"")
    web.get("empty").expect_file(b"")


@check(
    "http/binary",
    MUST,
    "read(2)",
    "string(3)",
    only=files,
    needs="http/get-exact",
    usual='strlen() or printf("%s") on the content of a file',
)
def test_binary(web):
    """A file is sent as it is, whatever bytes it consists of."""
    for content in (BYTES * 20, b"\0\0\0", b"\xff\xfe\n\r%s%n"):
        web.put("picture.png", content)
        web.get("picture.png").expect_file(content)


@check(
    "http/large-8mb",
    MUST,
    "write(2)",
    "sendfile(2)",
    only=files,
    needs="http/get-exact",
    usual="a short write() or sendfile() is not continued, or the file is read into a buffer of fixed size",
)
def test_large_8mb(web):
    """A file of eight mebibytes is sent to its end."""
    content = b"".join(b"%07d\n" % number for number in range(1 << 20))
    web.put("film.mp4", content)
    web.get("film.mp4").expect_file(content)


@check(
    "http/not-found",
    MUST,
    "RFC 9110 section 15.5.5",
    only=files,
    needs="http/get-exact",
    usual="the result of open() or stat() is not looked at",
)
def test_not_found(web):
    """A file that does not exist is answered by 404."""
    for name in ("nothing", "nothing/at-all", "n" * 200):
        web.get(name).expect_status(404)
    web.get("nothing").expect_whole()


@check(
    "http/forbidden",
    MUST,
    "RFC 9110 section 15.5.4",
    "open(2) EACCES",
    only=files,
    needs="http/not-found",
    usual="every error of open() is taken for 'there is no such file'",
)
def test_forbidden(web, contract):
    """A file that exists and may not be read is answered by 403."""
    web.require_permissions()
    web.documents.put("closed", b"nobody reads this", mode=0)
    visit = web.get("closed")
    visit.expect_status(403) if contract.unreadable == "403" else visit.expect_status(403, 404)
    visit.expect_whole()


@check(
    "http/directory",
    MUST,
    "open(2)",
    "RFC 9110 section 15",
    only=files,
    needs="http/get-exact",
    usual="open() succeeds for a directory, fstat() gives it a size, and read() then fails with EISDIR",
)
def test_directory(web):
    """A directory is answered in whatever way, but the answer is whole and not longer or shorter than it says."""
    web.documents.directory("inner")
    for name in ("inner", "inner/"):
        web.get(name).expect_whole()
    web.server.still_serves()


@check(
    "http/content-length-exact",
    MUST,
    "RFC 9110 section 8.6",
    "RFC 9112 section 6.2",
    only=files,
    usual="the length of something else is sent, or something follows the content",
)
def test_content_length_exact(web):
    """Content-Length is there, and it is the number of bytes that follow the blank line."""
    for size in LENGTHS:
        web.put(f"of-{size}", (b"0123456789abcde\n" * 6250)[:size])
        web.get(f"of-{size}").expect_length(size)


@check(
    "http/crlf-exact",
    MUST,
    "RFC 9112 section 2.2",
    only=files,
    needs="http/get-exact",
    usual='"\\n" where "\\r\\n" is asked for',
)
def test_crlf_exact(web):
    """Every line of the head ends with CR LF, in every answer."""
    web.put("page.html", b"a\nb\n")
    for name in ("page.html", "nothing"):
        web.get(name).expect_crlf()


@check(
    "http/no-reply-before-blank-line",
    MUST,
    "RFC 9112 section 2.1",
    only=files,
    needs="http/get-exact",
    usual="the answer is sent after the first read(), or after the first line",
)
def test_no_reply_before_blank_line(web):
    """The program answers after the blank line that ends the request, and not before."""
    web.put("page.html", b"hello")
    client = web.client()
    request = web.profile.get("page.html", "Accept: text/html", "X-Empty:")
    line, _, header = request.removesuffix(b"\r\n").partition(b"\r\n")
    for part in (line[:6], line[6:], b"\r\n", header, b"\r"):
        client.send(part)
        client.expect_silence()
    client.send(b"\n")
    client.expect_reply()


@check(
    "http/byte-at-a-time",
    MUST,
    "RFC 9293 section 3.1",
    "read(2)",
    only=files,
    needs="http/get-exact",
    usual="one read() is taken for one line, or for the request",
)
def test_byte_at_a_time(web):
    """A request with several lines that arrives byte by byte is answered like any other."""
    web.put("page.html", b"hello")
    client = web.client()
    client.send_byte_by_byte(web.profile.get("page.html", "Accept: */*", "User-Agent: sockspec"))
    client.expect_reply()


@check(
    "http/header-lines",
    MUST,
    "RFC 9112 section 5",
    only=files,
    needs="http/get-exact",
    usual="the request is read into a buffer that is too small, or only so many lines are read",
)
def test_header_lines(web):
    """A request may have many header lines: forty, as browsers and proxies send them, do not matter."""
    web.put("page.html", b"hello")
    lines = [f"X-Line-{number}: {'value ' * 6}" for number in range(40)]
    web.get("page.html", *lines).expect_file(b"hello")


@check(
    "http/close-after-reply",
    by_contract("closes", server=MUST),
    "close(2)",
    "RFC 9112 section 9.6",
    only=files,
    needs="http/get-exact",
    usual="the connection is kept for a further request, or the descriptor is never closed",
)
def test_close_after_reply(web):
    """After its answer the program closes the connection by itself, also if the client does not ask for it."""
    web.put("page.html", b"hello")
    for name in ("page.html", "nothing"):
        web.get(name, close=False).expect_close()


@pytest.mark.parametrize("method", ["BREW", "DELETE", "GETT", "G"])
@check(
    "http/method-unknown",
    by_contract("other_methods", refused=SHOULD),
    "RFC 9110 section 9.1",
    "RFC 9110 section 15.6.2",
    only=files,
    needs="http/get-exact",
    usual="whatever the first word is, the file is sent",
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
    usual="the third word of the request line is used without a look whether it is there",
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
    usual="the words of the request line are used without a look whether they are there",
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
    usual="the request is copied into an array of fixed size, or the program waits for a blank line that no longer fits",
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


@check(
    "http/percent-decoding",
    by_contract("percent_decoding", required=MUST),
    "RFC 3986 section 2.1",
    only=files,
    needs="http/get-exact",
    usual="the path is not decoded, is decoded twice, or %2f and its kin are decoded with a sign",
)
def test_percent_decoding(web):
    """%XX in a request stands for one byte of the name of a file, and is decoded once."""
    names = {
        "a b.txt": "a%20b.txt",
        "50%.txt": "50%25.txt",
        "\u0444.txt": "%D1%84.txt",
        "plus+.txt": "plus+.txt",
    }
    names |= {"%41": "%2541", "B": "%42"}
    for name, request in names.items():
        web.put(name, name.encode() * 3)
        web.get(request).expect_file(name.encode() * 3)


@pytest.mark.parametrize("way", WAYS_OUT)
@check(
    "http/traversal",
    MUST,
    "CWE-22",
    "RFC 3986 section 5.2.4",
    only=files,
    needs="http/get-exact",
    usual="the name is appended to the root as it came",
)
def test_traversal(web, way):
    """No file outside of the root is sent, however it is named."""
    secret = b"the secret is %d" % web.server.next_token()
    web.documents.hide(secret)
    web.go_out(way, "secret.txt").expect_without(secret, "a file that lies outside of the root")
    web.server.still_serves()


@check(
    "http/symlink",
    by_contract("symlinks", follow=MUST, refuse=MUST),
    "symlink(7)",
    "openat2(2) RESOLVE_BENEATH",
    only=files,
    needs="http/get-exact",
    usual="only the text of the path is looked at, not where it leads",
)
def test_symlink(web, contract):
    """A symbolic link that leads out of the root is followed, or not, as the assignment says."""
    web.documents.hide(b"behind the link")
    web.documents.link("link", "../secret.txt")
    if contract.symlinks == "follow":
        web.get("link").expect_file(b"behind the link")
    else:
        web.get("link").expect_without(b"behind the link", "a file that lies outside of the root")


@pytest.mark.parametrize("nul", ["\0", "%00"], ids=["raw", "encoded"])
@check(
    "http/nul-in-path",
    SHOULD,
    "CWE-158",
    "RFC 9112 section 3",
    only=(files, lasting),
    needs="http/get-exact",
    usual="the path is a string to C functions: it ends at the NUL, and another file is sent than was named",
)
def test_nul_in_path(web, nul):
    """A path with a NUL in it names no file: none is sent, and the program goes on."""
    web.put("page.html", b"this is the other file")
    visit = web.send(web.profile.get(f"page.html{nul}.png"), finish=True)
    visit.expect_without(b"this is the other file", "a file whose name is the part before the NUL")
    visit.expect_ended()
    web.server.still_serves()


@check(
    "http/special-file",
    SHOULD,
    "open(2)",
    "fifo(7)",
    only=(files, lasting),
    needs="http/get-exact",
    usual="open() of a FIFO waits until somebody opens it for writing; stat() or O_NONBLOCK first",
)
def test_special_file(web):
    """A FIFO in the directory does not stop the program: others are served."""
    web.documents.fifo("pipe")
    web.begin("pipe")
    web.server.settle()
    web.server.still_serves()


@check(
    "http/shrinking-file",
    SHOULD,
    "mmap(2) SIGBUS",
    "sendfile(2)",
    only=(files, lasting),
    needs="http/large-8mb",
    usual="the loop goes on until the size that stat() gave is reached, or the mapping of the file is read beyond its end",
)
def test_shrinking_file(web):
    """A file that becomes shorter while it is sent does no harm: the connection ends, and the program goes on."""
    visit, name = web.lazy_visit()
    web.documents.truncate(name)
    visit.client.open_window()
    visit.read().expect_ended()
    web.server.still_serves()


@check(
    "http/head",
    if_set("head"),
    "RFC 9110 section 9.3.2",
    only=files,
    needs="http/get-exact",
    usual="the body is sent for HEAD as well",
)
def test_head(web):
    """HEAD is answered like GET, without the body."""
    web.put("page.html", b"hello")
    visit = web.get("page.html", method="HEAD")
    visit.expect_file(b"")
    visit.expect_promise(5)
    web.get("nothing", method="HEAD").expect_status(404)


@check(
    "http/keep-alive",
    if_set("keep_alive"),
    "RFC 9112 section 9.3",
    "RFC 9112 section 9.6",
    only=files,
    needs="http/get-exact",
    usual="the connection is closed after the first reply, or is kept although the client said close",
)
def test_keep_alive(web):
    """A connection serves one request after the other, until the client says Connection: close."""
    client = web.client()
    for _ in range(3):
        client.exchange()
        web.server.settle()
    web.put("last.html", b"hello")
    client.send(web.profile.get("last.html", close=True))
    client.expect_close()


@check(
    "http/pipelined",
    if_set("pipelined"),
    "RFC 9112 section 9.3.2",
    only=files,
    needs="http/keep-alive",
    usual="what was read beyond the first request is thrown away",
)
def test_pipelined(web):
    """Requests that arrive together are all answered, in their order."""
    for number in range(3):
        web.put(f"page{number}.html", b"page %d" % number)
    together = b"".join(web.profile.get(f"page{number}.html", close=number == 2) for number in range(3))
    web.send(together).expect_files([b"page %d" % number for number in range(3)])


@check(
    "http/post",
    if_set("post"),
    "RFC 3875 section 4.2",
    "RFC 9110 section 9.3.3",
    only=files,
    needs="http/get-exact",
    usual="the body is taken from the read() that brought the head, and what comes later is lost",
)
def test_post(cgi):
    """The body of a POST reaches the script's stdin, all of it, however it arrives."""
    cgi.script("count.sh", 'printf "Content-Type: text/plain\\r\\n\\r\\n"; head -c "$CONTENT_LENGTH"')
    body = BYTES * 200
    request = cgi.profile.get("count.sh", f"Content-Length: {len(body)}", method="POST")
    for parts in ([request + body], [request, body[:1], body[1:]]):
        visit = cgi.send(*parts)
        visit.expect_status(200)
        visit.expect_body(body)


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
