"""How long is granted to a program that wakes up by itself: idle time, never wall time."""

#: Seconds of idle time after which such a program is judged; more than a second, because asyncio
#: pauses for one after EMFILE.
PATIENCE = 2.0

#: The same where nothing is judged, but our side waits for the program to have reacted before it goes on.
PACE = 0.15

#: The same while it starts: a fixed delay before listening is poor style, not a wrong program.
PATIENCE_AT_START = 5.0

#: The same for a client that has something to do: nobody but us waits for its pauses between two questions.
PATIENCE_TO_TALK = 5.0

#: The same for a client that cannot do its work and is to say so: it may try a few times more, a second apart.
PATIENCE_TO_GIVE_UP = 15.0

#: CPU seconds that the program may burn while nothing moves before it is called spinning.
SPIN = 2.0

#: The same for a program that has been seen spinning in this run already: each further check of it costs that much.
SPIN_AGAIN = 0.3

#: The same for a program that runs to its end by itself: its pauses are its own affair, and only we wait for them.
PATIENCE_TO_COMPLETE = 20.0

#: CPU seconds that it may compute without a byte moving; beyond that, limits.cpu_seconds would end it anyway.
SPIN_TO_COMPLETE = 5.0
