"""http: the files of the directory, and what is none of them."""

import pytest

from harness.checks import (
    BUSY,
    DIED,
    MISSING,
    MUST,
    OPEN,
    OWN,
    SHOULD,
    SPOILT,
    UNSERVED,
    WRONG,
    by_contract,
    check,
    files,
    lasting,
)
from harness.stage.web import WAYS_OUT

BYTES = bytes(range(256))


@check(
    "http/empty-file",
    MUST,
    "RFC 9110 section 8.6",
    only=files,
    needs="http/get-exact",
    usual={SPOILT: "a size of 0, or a read() that returns 0, is taken for an error"},
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
    usual={SPOILT: 'strlen() or printf("%s") on the content of a file'},
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
    usual={
        SPOILT: "a short write() or sendfile() is not continued, or the file is read into a buffer of fixed size"
    },
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
    usual={SPOILT | DIED: "the result of open() or stat() is not looked at"},
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
    usual={WRONG: "every error of open() is taken for 'there is no such file'"},
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
    usual={
        SPOILT: "open() succeeds for a directory, fstat() gives it a size, and read() then fails with EISDIR"
    },
)
def test_directory(web):
    """A directory is answered in whatever way, but the answer is whole and not longer or shorter than it says."""
    web.documents.directory("inner")
    for name in ("inner", "inner/"):
        web.get(name).expect_whole()
    web.server.still_serves()


@check(
    "http/descriptors",
    MUST,
    "close(2)",
    only=(files, lasting),
    needs=("resources/descriptors", "http/not-found", "http/directory"),
    usual="the function returns early, and the file or the directory that it has opened stays open",
)
def test_descriptors(web):
    """A request that is not answered by a file leaves no open descriptor behind."""
    web.documents.directory("inner")
    web.documents.put("closed", b"nobody reads this", mode=0)
    web.server.serves()
    before = web.server.holdings()
    for _ in range(12):
        for name in ("nothing", "inner", "closed"):
            web.get(name)
        web.get("nothing", method="BREW")
    web.server.expect_no_growth(
        "descriptors", before.descriptor_count, web.server.holdings().descriptor_count
    )


@check(
    "http/percent-decoding",
    by_contract("percent_decoding", required=MUST),
    "RFC 3986 section 2.1",
    only=files,
    needs="http/get-exact",
    usual={WRONG: "the path is not decoded, is decoded twice, or %2f and its kin are decoded with a sign"},
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
    usual="the name is appended to the root as it came, or is looked at before %2e and %2f are decoded; or only its beginning is compared, and /www-private begins with /www",
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
    usual={
        OWN
        | WRONG: "only the text of the path is looked at, not where it leads; or only its last part, and a directory before it is a link"
    },
)
def test_symlink(web, contract):
    """A symbolic link that leads out of the root, to a file or to a directory, is followed, or not, as the assignment says."""
    web.documents.hide(b"behind the link")
    web.documents.link("link", "../secret.txt")
    web.documents.link("way", "../www-private")
    for name in ("link", "way/secret.txt"):
        if contract.symlinks == "follow":
            web.get(name).expect_file(b"behind the link")
        else:
            web.get(name).expect_without(b"behind the link", "a file that lies outside of the root")


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
    usual={
        UNSERVED
        | MISSING: "open() of a FIFO waits until somebody opens it for writing; stat() or O_NONBLOCK first"
    },
)
def test_special_file(web):
    """A FIFO in the directory does not stop the program: others are served."""
    web.documents.fifo("pipe")
    web.begin("pipe").read()
    web.server.still_serves()


@check(
    "http/shrinking-file",
    SHOULD,
    "mmap(2) SIGBUS",
    "sendfile(2)",
    only=(files, lasting),
    needs="http/large-8mb",
    usual={
        DIED: "the mapping of the file is read beyond its end",
        MISSING | OPEN | BUSY | UNSERVED: "the loop goes on until the size that stat() gave is reached",
    },
)
def test_shrinking_file(web):
    """A file that becomes shorter while it is sent does no harm: the connection ends, and the program goes on."""
    visit, name = web.lazy_visit()
    web.documents.truncate(name)
    visit.client.open_window()
    visit.read().expect_ended()
    web.server.still_serves()
