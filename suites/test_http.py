"""http: how requests and answers are framed: where they begin and end, and what the head says."""

from harness.checks import (
    DIED,
    LOST,
    MUST,
    OPEN,
    OWN,
    SPOILT,
    WRONG,
    by_contract,
    check,
    files,
    if_set,
)

BYTES = bytes(range(256))
#: Sizes about which programs are often wrong: nothing, one byte, a buffer, a buffer and a byte.
LENGTHS = (1, 4096, 4097, 100_000, 0)


@check(
    "http/get-exact",
    MUST,
    "RFC 9110 section 9.3.1",
    "RFC 9112 section 4",
    only=files,
    usual={
        WRONG: "there is no blank line between head and body, or something is put around the content of the file"
    },
)
def test_get_exact(web):
    """A GET of a file is answered by 200 and the content of the file, and nothing else."""
    for content in (b"hello, world\n", b"no line end", b"\r\n\r\n" * 3):
        web.put("page.html", content)
        web.get("page.html").expect_file(content)


@check(
    "http/content-length-exact",
    MUST,
    "RFC 9110 section 8.6",
    "RFC 9112 section 6.2",
    only=files,
    usual={
        WRONG
        | OWN: "the length of something else is sent, of a text in characters for one, or something follows the content"
    },
)
def test_content_length_exact(web):
    """Content-Length is there, and it is the number of bytes that follow the blank line: of bytes, not of characters."""
    for size in LENGTHS:
        web.put(f"of-{size}", (b"0123456789abcde\n" * 6250)[:size])
        web.get(f"of-{size}").expect_length(size)
    text = "Gr\u00fc\u00dfe, \u043f\u0440\u0438\u0432\u0435\u0442\n".encode()
    web.put("greetings.txt", text)
    web.get("greetings.txt").expect_length(len(text))


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
    usual={
        OWN: "the answer is sent after the first read(), or after the first line",
        LOST: "one read() is taken for the whole request",
    },
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
    usual={SPOILT: "one read() is taken for one line, or for the request"},
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
    usual={
        SPOILT | DIED: "the request is read into a buffer that is too small, or only so many lines are read"
    },
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
    usual={OPEN: "the connection is kept for a further request, or the descriptor is never closed"},
)
def test_close_after_reply(web):
    """After its answer the program closes the connection by itself, also if the client does not ask for it."""
    web.put("page.html", b"hello")
    for name in ("page.html", "nothing"):
        web.get(name, close=False).expect_close()


@check(
    "http/head",
    if_set("head"),
    "RFC 9110 section 9.3.2",
    only=files,
    needs="http/get-exact",
    usual={WRONG: "the body is sent for HEAD as well, be it only the page that says 404"},
)
def test_head(web):
    """HEAD is answered like GET, without the body, also if there is no such file."""
    web.put("page.html", b"hello")
    visit = web.get("page.html", method="HEAD")
    visit.expect_file(b"")
    visit.expect_promise(5)
    visit = web.get("nothing", method="HEAD")
    visit.expect_status(404)
    visit.expect_body(b"")


@check(
    "http/keep-alive",
    if_set("keep_alive"),
    "RFC 9112 section 9.3",
    "RFC 9112 section 9.6",
    only=files,
    needs="http/get-exact",
    usual={
        LOST: "the connection is closed after the first reply",
        OPEN: "the connection is kept although the client said Connection: close, or connection: close: case does not count",
        WRONG: "the page that says 404 has no Content-Length, and the client waits for its end",
    },
)
def test_keep_alive(web):
    """A connection serves one request after the other, until the client says Connection: close, in capitals or not; and
    each answer says where it ends, 404 as well."""
    client = web.client()
    for _ in range(3):
        client.exchange()
        web.server.settle()
    web.put("last.html", b"hello")
    client.send(web.profile.get("last.html", close=True))
    client.expect_close()
    visit = web.get("last.html", "connection: close", close=False)
    visit.expect_file(b"hello")
    visit.expect_close()
    visit = web.get("nothing", close=False)
    visit.expect_status(404)
    visit.expect_whole()


@check(
    "http/pipelined",
    if_set("pipelined"),
    "RFC 9112 section 9.3.2",
    only=files,
    needs="http/keep-alive",
    usual={SPOILT: "what was read beyond the first request is thrown away"},
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
    usual={SPOILT: "the body is taken from the read() that brought the head, and what comes later is lost"},
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
