"""Sizes that make a point, in bytes."""

#: More than all buffers between two sockets hold, so that a writer has to wait for its reader.
BIG = 8 << 20

#: A receive buffer that lets little through at a time.
TINY_WINDOW = 4096
