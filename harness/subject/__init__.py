"""The program under test: its private network, its sandbox, our pid 1, and how it is built and started."""
