"""names: hosts that cannot be."""

import pytest

from harness.checks import MUST, check, client, tries_once


@check(
    "names/unresolvable",
    MUST,
    "getaddrinfo(3)",
    "gai_strerror(3)",
    only=(client, tries_once),
    usual="the result of getaddrinfo() or gethostbyname() is not looked at",
)
def test_unresolvable(clients):
    """The name of a host that does not exist ends the program with a message and a status other than 0."""
    client = clients.start(host="no.such.invalid")
    client.type_blindly()
    client.expect_failure("there is no such host")


@pytest.mark.parametrize("host", ["1.2.3", "999.1.1.1", "abc"])
@check(
    "names/bad-literal",
    MUST,
    "inet_pton(3)",
    "getaddrinfo(3)",
    only=(client, tries_once),
    usual="inet_addr() returned INADDR_NONE, which is 255.255.255.255, and nobody looked",
)
def test_bad_literal(clients, reference_server, host):
    """Something that is no address ends the program with a message and a status other than 0."""
    client = clients.start(reference_server, host=host)
    client.type_blindly()
    client.expect_failure(f"{host} is no address of a server")
