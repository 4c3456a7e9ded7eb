"""sockspec: a conformance test harness for programs that use sockets."""

__version__ = "0.1.0"
