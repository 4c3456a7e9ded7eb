"""names: looking up hosts, those that are and those that cannot be."""

import pytest

from harness.checks import (
    DIED,
    MUST,
    PRINTED,
    RUNS_ON,
    STATUS,
    check,
    resolver,
    told_a_host,
    tries_once,
    when,
)
from harness.stage.local_program import IPV4S, IPV6S


@check(
    "names/unresolvable",
    MUST,
    "getaddrinfo(3)",
    "gai_strerror(3)",
    only=(told_a_host, tries_once),
    usual={DIED | RUNS_ON: "the result of getaddrinfo() or gethostbyname() is not looked at"},
)
def test_unresolvable(given_host):
    """The name of a host that does not exist ends the program with a message and a status other than 0."""
    given_host("no.such.invalid").expect_failure("there is no such host")


@pytest.mark.parametrize("host", ["1.2.3", "999.1.1.1", "abc"])
@check(
    "names/bad-literal",
    MUST,
    "inet_pton(3)",
    "getaddrinfo(3)",
    only=(told_a_host, tries_once),
    usual={RUNS_ON | STATUS: "inet_addr() returned INADDR_NONE, which is 255.255.255.255, and nobody looked"},
)
def test_bad_literal(given_host, host):
    """Something that is no address ends the program with a message and a status other than 0."""
    given_host(host, served=True).expect_failure(f"{host} is no address of a host")


@check(
    "names/addresses",
    MUST,
    "getaddrinfo(3)",
    "inet_ntop(3)",
    only=resolver,
    usual={
        PRINTED: "only the first result is printed, or sin_addr is read from an address of the other family"
    },
)
def test_addresses(runs):
    """Every address of the host is printed, and none that is not one of it."""
    runs.of_several_addresses().expect_resolved((*IPV4S, *IPV6S))


@pytest.mark.parametrize(("service", "port"), [("ruptime", 4000), ("45678", 45678)], ids=["name", "number"])
@check(
    "names/service",
    MUST,
    "getaddrinfo(3)",
    "services(5)",
    only=(resolver, when("prints_port", True)),
    needs="names/addresses",
    usual={PRINTED: "sin_port is in network byte order: it is printed without ntohs(3)"},
)
def test_service(runs, service, port):
    """The port of a service is printed, whether the service is given by its name or by a number."""
    runs.of_several_addresses(service=service).expect_resolved((*IPV4S, *IPV6S), port)


@check(
    "names/unknown-service",
    MUST,
    "getaddrinfo(3) EAI_SERVICE",
    "gai_strerror(3)",
    only=resolver,
    usual={DIED | RUNS_ON | PRINTED: "the result of getaddrinfo() or getservbyname() is not looked at"},
)
def test_unknown_service(runs):
    """A service that does not exist ends the program with a message and a status other than 0."""
    runs.of_several_addresses(service="no-such-service").expect_failure("there is no such service")
