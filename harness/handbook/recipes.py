"""How to see by hand what a family of checks asks, with ordinary tools: bash, nc, ss, kill.

The commands are for an echo server that takes its port as the only argument; a reader replaces
``./server 7000`` by the program in question, and the text by a request of its protocol.
``nc`` is OpenBSD's (Debian: netcat-openbsd), whose ``-N`` is shutdown(SHUT_WR) at the end of input.
"""

from __future__ import annotations

from dataclasses import dataclass

#: The first command of every recipe.
START = "./server 7000 & server=$!"

_CONNECT = "exec 3<>/dev/tcp/127.0.0.1/7000"
_BIG = "head -c 8388608 /dev/urandom > big"
_ECHO_BIG = "nc -N 127.0.0.1 7000 < big | cmp - big && echo same"
_STILL_THERE = "kill -0 $server && echo 'still there'"


@dataclass(frozen=True)
class Recipe:
    """Commands for a shell, and what a right program shows."""

    commands: tuple[str, ...]
    look: str

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools beside bash that must be installed."""
        words = " ".join(self.commands).replace("|", " ").split()
        return tuple(tool for tool in ("nc", "ss", "python3", "tcpdump", "ps", "cmp") if tool in words)


def _reset(*before_close: str) -> str:
    """A client in Python that ends by RST: SO_LINGER with a timeout of zero, socket(7)."""
    lines = [
        "import socket, struct",
        "s = socket.create_connection(('127.0.0.1', 7000))",
        *before_close,
        "s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))",
        "s.close()",
    ]
    return 'python3 -c "\n' + "\n".join(lines) + '"'


#: By family, or by id where the family's own would show something else.
RECIPES: dict[str, Recipe] = {
    "accept": Recipe(
        (
            START,
            f'for n in 1 2 3; do {_CONNECT}; echo "hello $n" >&3; head -n 1 <&3; exec 3>&-; done',
            _STILL_THERE,
        ),
        "Each client gets its own line back, and the program is still there.",
    ),
    "accept/aborted-in-queue": Recipe(
        (
            START,
            "kill -STOP $server   # nobody accepts now; the kernel connects all the same",
            _reset(),
            "kill -CONT $server",
            f"{_CONNECT}; echo hello >&3; head -n 1 <&3",
            "# strace -f -e inject=accept,accept4:error=ECONNABORTED:when=1 ./server 7000   makes accept() fail",
        ),
        "hello comes back: the client that reset before accept() did no harm.",
    ),
    "accept/descriptor-exhaustion": Recipe(
        (
            "(ulimit -n 8; exec ./server 7000) & server=$!",
            'for fd in {10..19}; do eval "exec $fd<>/dev/tcp/127.0.0.1/7000"; done',
            "ps -o stat,time,args -p $server   # S: it waits; R and growing TIME: it spins",
            'for fd in {10..19}; do eval "exec $fd>&-"; done',
            f"{_CONNECT}; echo hello >&3; head -n 1 <&3",
        ),
        "hello comes back once the others have left, and meanwhile the program uses no CPU time.",
    ),
    "bind": Recipe(
        (
            START,
            "ss -tlnp 'sport = :7000'",
            './server 7000; echo "status $?"   # the port is taken',
            './server abc; echo "status $?"',
        ),
        "ss shows one socket in LISTEN, on the address that is asked for. Both other starts print a message on "
        "stderr and a status other than 0.",
    ),
    "accept/one-client": Recipe(
        (START, f'{_CONNECT}; printf 1234567 >&3; exec 3>&-; wait $server; echo "status $?"'),
        "The program ends by itself once its client has left, and its status is 0.",
    ),
    "chat": Recipe(
        (
            START,
            f"{_CONNECT}; exec 4<>/dev/tcp/127.0.0.1/7000; cat <&4 & listener=$!",
            "printf hel >&3; sleep 1; echo '(nothing may be there yet)'; echo lo >&3; sleep 1",
            "printf 'one\ntwo\n' >&3; sleep 1",
            "exec 5<>/dev/tcp/127.0.0.1/7000   # a member that never reads",
            "yes 'a line' | head -c 8388608 >&3; echo last >&3; sleep 1; kill $listener",
        ),
        "The listener shows hello as one line, one and two as two lines, and at last the line last although somebody "
        "in the room does not read.",
    ),
    "concurrency": Recipe(
        (
            START,
            f"{_CONNECT}   # a client that says nothing",
            "exec 4<>/dev/tcp/127.0.0.1/7000; echo hello >&4; head -n 1 <&4",
        ),
        "hello comes back although the first client is connected and silent.",
    ),
    "half-close": Recipe(
        (
            START,
            "printf 'hello\\n' | nc -N 127.0.0.1 7000",
            _BIG,
            _ECHO_BIG,
            "ss -tan 'sport = :7000'",
        ),
        "hello comes back and nc ends by itself; the big file comes back the same; ss shows no connection in "
        "CLOSE-WAIT (that would be one the program has forgotten to close).",
    ),
    "http": Recipe(
        (
            "mkdir -p www; printf 'a file\\n' > www/page; printf secret > secret; mkfifo www/pipe",
            "./server 7000 www & server=$!",
            "printf 'GET /page HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n' | nc 127.0.0.1 7000 | od -c",
            "printf 'GET /nothing HTTP/1.1\\r\\n\\r\\n' | nc 127.0.0.1 7000 | head -n 1",
            "printf 'GET /../secret HTTP/1.1\\r\\n\\r\\n' | nc 127.0.0.1 7000 | head -n 1",
            "printf 'GET\\r\\n\\r\\n' | nc -N 127.0.0.1 7000 | head -n 1",
            _STILL_THERE,
        ),
        "od shows \\r \\n at the end of every line of the head, Content-Length is 7, and nothing follows the file; then a 404, "
        "no secret, a 400 or nothing, and the program is still there. As another user than root, chmod 000 www/page makes a 403.",
    ),
    "cgi": Recipe(
        (
            "mkdir -p www; printf '#!/bin/sh\\nprintf \"Content-Type: text/plain\\\\r\\\\n\\\\r\\\\n\"; ls -l /proc/self/fd\\n' > www/script; chmod +x www/script",
            "./server 7000 www & server=$!",
            "for n in 1 2 3; do printf 'GET /script HTTP/1.1\\r\\n\\r\\n' | nc 127.0.0.1 7000; done",
            "ps -o pid,stat,args --ppid $server",
        ),
        "Each time HTTP/1.1 200 OK, then what the script wrote, with descriptors 0, 1, 2 (and 3, the directory that ls itself reads); "
        "no child in state Z is left.",
    ),
    "idle": Recipe(
        (
            START,
            f"{_CONNECT}; time cat <&3   # a client that says nothing",
        ),
        "cat ends, with the program's FIN, when the agreed time is over.",
    ),
    "ipv6": Recipe(
        (START, "ss -tln 'sport = :7000'", "printf 'hello\\n' | nc -N ::1 7000"),
        "ss shows [::]:7000 or [::1]:7000, and hello comes back.",
    ),
    "listen": Recipe(
        (
            START,
            "kill -STOP $server",
            'for fd in 3 4 5 6 7; do eval "exec $fd<>/dev/tcp/127.0.0.1/7000"; echo "hello $fd" >&$fd; done',
            "ss -tln 'sport = :7000'   # Recv-Q: clients that wait to be accepted; Send-Q: the backlog",
            "kill -CONT $server",
            "for fd in 3 4 5 6 7; do head -n 1 <&$fd; exec {fd}>&-; done",
        ),
        "All five connect while the program stands still, and all five get their line. If connecting hangs, the "
        "backlog given to listen() is too small. (A server that serves one client at a time answers each when "
        "the one before has left.)",
    ),
    "nonblocking": Recipe(
        (
            START,
            _BIG,
            "nc -N 127.0.0.1 7000 < big > back & nc=$!",
            "kill -STOP $nc   # a client that does not read what it is owed",
            f"{_CONNECT}; echo hello >&3; head -n 1 <&3",
            "kill -CONT $nc; wait $nc; cmp big back && echo same",
        ),
        "hello comes back although the first client does not read, and that one gets everything once it goes on.",
    ),
    "oob": Recipe(
        (
            START,
            'python3 -c "\n'
            "import socket\n"
            "s = socket.create_connection(('127.0.0.1', 7000)); s.settimeout(2)\n"
            "s.sendall(b'hel'); s.send(b'!', socket.MSG_OOB); s.sendall(b'lo\\\\n')\n"
            'print(s.makefile().readline())"',
            "ps -o stat,time,args -p $server   # S: it waits; R and growing TIME: it spins",
        ),
        "hello comes back (the urgent byte is not part of the stream), and the program uses no CPU time.",
    ),
    "port-reuse": Recipe(
        (
            START,
            f"{_CONNECT}; echo hello >&3; head -n 1 <&3",
            "kill -KILL $server; wait $server   # the server's side closes first ...",
            "exec 3>&-",
            "ss -tan 'sport = :7000'            # ... and its end lingers in TIME-WAIT",
            START,
            "ss -tln 'sport = :7000'",
        ),
        'The second start listens at once. "Address already in use" means that SO_REUSEADDR is not set before bind().',
    ),
    "reset": Recipe(
        (
            START,
            _reset("s.sendall(b'hello\\n')"),
            _reset("s.settimeout(1)", "try:", "    s.sendall(bytes(1 << 23))", "except OSError: pass"),
            _STILL_THERE,
            f"{_CONNECT}; echo hello >&3; head -n 1 <&3",
        ),
        "The program is still there and serves the next client. If it is gone, wait $server; echo $? says why: "
        "141 is SIGPIPE (128 + 13).",
    ),
    "resources": Recipe(
        (
            START,
            f"clients() {{ for n in $(seq $1); do {_CONNECT}; echo hello >&3; head -n 1 <&3; exec 3>&-; done > /dev/null; }}",
            "clients 10; ls /proc/$server/fd | wc -l",
            "clients 60; ls /proc/$server/fd | wc -l",
            "ls /proc/$server/task | wc -l",
            "ps -o pid,stat,args --ppid $server",
        ),
        "As many descriptors after 60 clients more as before, no more threads, and no child in state Z (a zombie: "
        "nobody has waited for it).",
    ),
    "security": Recipe(
        (
            START,
            "head -c 65536 /dev/urandom | nc -N 127.0.0.1 7000 | wc -c",
            "printf '%%n%%n%%s%%s\\n' | nc -N 127.0.0.1 7000",
            _STILL_THERE,
        ),
        "The program is still there. Built with -fsanitize=address,undefined it names the line of what would "
        "otherwise go unnoticed.",
    ),
    "signals": Recipe(
        (
            START,
            f"{_CONNECT}   # a client, connected and silent",
            'kill -TERM $server; wait $server; echo "status $?"',
            "cat <&3",
        ),
        "It ends at once, with the agreed status (143 is: killed by SIGTERM, 128 + 15), and cat ends too: the "
        "client got a FIN. For SIGINT, start the program in the foreground and press Ctrl-C.",
    ),
    "stream": Recipe(
        (
            START,
            _CONNECT,
            'for c in h e l l o; do printf %s "$c" >&3; done; echo >&3; head -n 1 <&3',
            "kill -STOP $server; echo one >&3; echo two >&3; kill -CONT $server   # two requests arrive at once",
            "read -r first <&3; read -r second <&3; echo $first $second; exec 3>&-",
            _BIG,
            _ECHO_BIG,
        ),
        'The word sent in pieces comes back whole, both lines that arrived together come back, and so does the big file ("same").',
    ),
    "udp": Recipe(
        (
            START,
            "ss -uln 'sport = :7000'",
            "exec 3<>/dev/udp/127.0.0.1/7000; echo hello >&3; head -n 1 <&3",
            'python3 -c "\n'
            "import socket\n"
            "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "s.connect(('127.0.0.1', 7000)); s.settimeout(2)\n"
            "for size in (0, 1, 1472, 65507):\n"
            '    s.send(bytes(size)); print(size, len(s.recv(65535)))"',
        ),
        "hello comes back, and each line of the rest shows the same number twice.",
    ),
    "udp/ends-at-terminator": Recipe(
        (
            START,
            "exec 3<>/dev/udp/127.0.0.1/7000; printf hello >&3; printf LastHello >&3",
            'wait $server; echo "status $?"',
        ),
        "hello is printed as a line, and the terminator (here LastHello) ends the program with status 0.",
    ),
    "unix": Recipe(
        (
            "./server ./sock & server=$!",
            "ls -l sock; ss -xl | grep sock",
            "printf 'hello\\n' | nc -N -U ./sock",
            "kill -TERM $server; wait $server; ls sock",
            "./server ./sock & server=$!",
            "kill -KILL $server; wait $server   # the file is left behind",
            "./server ./sock & server=$!",
        ),
        "hello comes back; the file is gone after SIGTERM; the program starts again although a file was left behind.",
    ),
    "daemon": Recipe(
        (
            './server 7000; echo "status $?"   # comes back at once',
            "pid=$(ss -tlnpH 'sport = :7000' | grep -o 'pid=[0-9]*' | head -n 1 | cut -d= -f2)",
            "ps -o pid,ppid,sid,tty,args -p $pid",
            "ls -l /proc/$pid/cwd /proc/$pid/fd",
            './server 7000; echo "status $?"   # a second one cannot have the port',
            "kill -HUP $pid; ps -p $pid; kill -TERM $pid",
        ),
        "The first command ends with status 0; the server has another session than your shell and no terminal (?), descriptors 0, 1 "
        "and 2 are /dev/null, its directory is not yours; the second start fails visibly; SIGHUP does not end it.",
    ),
    "dialogue": Recipe(
        (
            START,
            "nc 127.0.0.1 7000   # type what is sent, compare what comes with what the steps expect",
            "python3 -c \"\nimport socket\ns = socket.create_connection(('127.0.0.1', 7000))\n"
            "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\n"
            "for byte in b'HELLO ada\\n':\n    s.send(bytes([byte]))\nprint(s.recv(4096))\"",
        ),
        "The same answer, whether a line is typed as a whole or sent byte by byte.",
    ),
    "socketpair": Recipe(
        (
            './program; echo "status $?"',
            "./program & sleep 5; ps -o pid,ppid,stat,wchan:20,cmd --ppid $! -p $!   # if it does not end: who waits where",
            "ls -l /proc/$!/fd /proc/$(pgrep -P $! | head -n 1)/fd   # and who holds which end",
        ),
        "It ends by itself with status 0, and nothing of it is left; of one that hangs, one process waits in a read while an end of its pair is open somewhere.",
    ),
    "names/addresses": Recipe(
        (
            "getent ahosts localhost; getent services http   # what getaddrinfo(3) finds",
            './program localhost http; echo "status $?"',
            './program no.such.invalid http; echo "status $?"',
        ),
        "The same addresses and the port 80; then a message, and a status other than 0.",
    ),
    "client": Recipe(
        (
            "nc -N -l 127.0.0.1 7000 < answers > asked & server=$!   # answers: what the server says",
            './client 127.0.0.1 7000 < questions > printed; echo "status $?"',
            "wait $server; od -c asked; cat printed",
            './client 127.0.0.1 7000 < questions; echo "status $?"   # nobody listens any more',
        ),
        "asked holds exactly what the client has to send, printed what it was answered, and its status is 0. Without "
        "a server it prints a message on stderr and a status other than 0.",
    ),
    "names": Recipe(
        (
            'nc -l 127.0.0.1 7000 & server=$!; ./client no.such.invalid 7000; echo "status $?"',
            './client 999.1.1.1 7000; echo "status $?"',
        ),
        "Each time a message on stderr and a status other than 0.",
    ),
    "udp-client": Recipe(
        (
            'python3 -c "\n'
            "import socket\n"
            "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 7000))\n"
            "data, client = s.recvfrom(65535); print(data)\n"
            's.sendto(data, client)" & server=$!',
            './udp-client 7000 <<< 16909060; echo "status $?"',
            './udp-client 7000 <<< 16909060; echo "status $?"   # nobody is there any more',
        ),
        "The server prints what it got; the client prints the answer and status 0. Without a server it prints a message "
        "on stderr and a status other than 0.",
    ),
    "wire": Recipe(
        (
            "tcpdump -i lo -n 'tcp port 7000' &   # as root",
            START,
            "printf 'hello\\n' | nc -N 127.0.0.1 7000",
        ),
        "[F.] from each side and no [R]: the connection was closed in order.",
    ),
}


def recipe_for(check_id: str) -> Recipe | None:
    """The recipe of a check, or else of its family."""
    return RECIPES.get(check_id) or RECIPES.get(check_id.partition("/")[0])
