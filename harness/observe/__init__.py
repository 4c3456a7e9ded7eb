"""Looking without touching: what the kernel knows of a program and its sockets."""
