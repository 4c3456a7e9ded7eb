"""The words a suite speaks: a program on stage, and the clients that talk to it."""
