"""What is done with a client under test: turns, long answers, servers that go away, pauses, datagrams astray."""

from __future__ import annotations

from signal import Signals

from harness.stage import sight
from harness.stage.client_findings import tried
from harness.stage.patience import PACE, PATIENCE
from harness.stage.pauses import Pauses
from harness.stage.reference import Manner
from harness.stage.talking import Talking
from harness.verdict.outcome import NotApplicable, Violation
from harness.verdict.show import count, literal

#: Bytes of an answer that no buffer of a student's is made for, where answers are lines and where they are not.
LONG_LINE, LONG = 9_000, 1 << 20
#: Bytes that no buffers between two sockets hold.
MUCH = 8 << 20
#: Bytes of a datagram that one Ethernet frame has room for, whatever options its headers have (udp(7), ip(7)).
ONE_PACKET = 1400
#: Idle seconds granted to a pause of a client that tries again; a longer one is not waited for.
LONGEST_PAUSE = 15.0
#: Idle seconds for which our server is silent in the middle of an answer; nobody who waits for it gives up so soon.
SILENCE = 0.6
#: By how much a pause must be longer than an earlier one to have grown; the kernel's clocks are not that coarse.
GROWTH = 1.1
#: What a reset cuts off at each moment of it that does.
CUT_OFF = {
    "waiting": "where an answer was due",
    "mid-answer": "in the middle of an answer",
    "writing": "before all that it sends had come",
}
#: A forged answer: white space around it would be taken for the program's own.
FORGED_TEXT, FORGED_NUMBER = b"a forged answer of a stranger\n", b"\x11\x22\x33\x44"


class ClientProgram(Talking):
    """A started client; every word says what our side does, or what the program must do."""

    #: Bytes it had printed when its connection was reset.
    _said_before = 0, 0

    # -- turns -------------------------------------------------------------------------------

    def take_turn(self) -> None:
        """One turn, from the line that is typed to the answer that is read; its stdin stays open."""
        self.type_turn()
        self.expect_requests()
        self.until(lambda: self.reference.delivered)
        self.settle()

    def take_odd_line(self, which: str) -> None:
        """An ordinary turn, then a line of an odd kind and, if a line can follow it, one more ordinary turn."""
        profile, stage = self.client_profile, self.stage
        self.take_turn()
        if self.input_ended:
            raise NotApplicable("the client reads all its input before it sends anything")
        odd = profile.odd_line(stage.next_token(), which, self.reference.hearing.last_ending)
        self.type_in([odd, *([profile.turn(stage.next_token())] if odd.typed.endswith(b"\n") else [])])
        self.end_input()

    def take_two_lines_at_once(self) -> None:
        """An ordinary turn, then two whose input arrives together; it does not end."""
        profile, stage = self.client_profile, self.stage
        self.take_turn()
        if self.input_ended:
            raise NotApplicable("the client reads all its input before it sends anything")
        self.type_in([profile.turn(stage.next_token()) for _ in range(2)])

    def take_empty_answer(self) -> None:
        """Three turns; the second answer is an empty line."""
        profile, stage = self.client_profile, self.stage
        usual = [profile.turn(stage.next_token()) for _ in range(2)]
        self.type_in([usual[0], profile.empty_answer(stage.next_token()), usual[1]])
        self.end_input()

    def take_part_of_conversation(self) -> None:
        """Two turns; or, of a server that says everything at once, half of its text. Nothing is over yet."""
        if not self.client_profile.greeted:
            self.take_turn()
            if not self.input_ended:
                self.take_turn()
            return
        self.hold_answers()
        self.expect_reached()
        half = self.turns[0].reply.find(b"\n", len(self.turns[0].reply) // 2) + 1
        self.reference.replies[:] = [self.turns[0].reply[:half]]
        self.connection.release(half)
        self.until(lambda: self.reference.delivered)
        self.settle()

    def take_half_an_answer(self) -> None:
        """It has asked, and has read the first half of its first answer."""
        self.wait_for_an_answer()
        self.connection.release(max(1, len(self.connection.held) // 2))
        self.until(lambda: self.reference.delivered)
        self.settle()

    def take_long_answer(self) -> None:
        """One turn more with a long answer; the last one."""
        profile = self.client_profile
        size = LONG if profile.bulk or profile.greeted else LONG_LINE
        size = min(size, self.stage.assignment.limits.output_mb << 18)
        turn = profile.turn(self.stage.next_token(), size)
        if profile.reads_input:
            self.type_in([turn])
        else:
            self.turns[:] = [turn]
            self.reference.expect_only(turn)
        self.end_input()

    def send_much(self) -> None:
        """Have the client send more than all buffers hold to a server that does not read, then reads slowly."""
        self.begin_to_send_much()
        self.end_input()
        for _ in range(4):
            self.timeline.record("peer", "our server read a little")
            self.connection.peer.pull(4096)
            self.settle()
        self.server.read_on()

    def begin_to_send_much(self) -> None:
        """Have the client send until it is blocked, since our server does not read."""
        if self.client_profile.reads_input:
            self.type_in([self.client_profile.bulky(self.stage.next_token(), MUCH)])
        self.expect_reached()
        self.settle()
        if self.connection.peer.pull(1) == 0:
            self.end_input()  # it may read all its input before it sends anything
            self.settle()

    def let_answers_be_late(self) -> None:
        """The first answer to each request comes only when the request has come once more."""
        if not self.contract.retry:
            raise NotApplicable("the client asks once (contract.retry)")
        self.datagrams.late = True

    def wait_for_an_answer(self) -> None:
        """Have the client send its request, and not answer."""
        self.hold_answers()
        self.type_turn()
        self.expect_requests()
        self.settle()

    def type_blindly(self) -> None:
        """Type some input for which nobody is there."""
        if self.client_profile.reads_input:
            turn = self.client_profile.turn(self.stage.next_token())
            self.timeline.record("peer", f"typed {literal(turn.typed)} into its stdin")
            self.program.stdin.write(turn.typed)

    def type_unless_it_has_tried(self) -> None:
        """Type some input if the client, which runs, has not tried to connect: it may connect with its first line."""
        self.settle()
        if self.status is None and tried(self) is False:
            self.type_blindly()

    # -- the server goes away ----------------------------------------------------------------

    def answer_byte_by_byte(self) -> None:
        """Our server sends each byte only after the client has read the one before."""
        self.reference.manner = Manner.BYTE_BY_BYTE

    def answer_once_and_then(self, manner: Manner) -> None:
        """Two turns; our server answers the first one, and ends the connection where the second answer is due."""
        self.reference.answers_left, self.reference.then = 1, manner
        profile = self.client_profile
        self.type_in([profile.turn(self.stage.next_token()) for _ in range(2)])
        self.expect_requests()

    def hold_answers(self) -> None:
        """Our server answers nothing until it is told to."""
        self.reference.manner = Manner.HELD

    def close_connection(self) -> None:
        """Our server closes its side (FIN); it goes on reading."""
        self.connection.finish()

    def type_unless_it_notices(self, turns: int = 1) -> None:
        """If the client need not watch its connection while it waits for input, give it some more."""
        if self.contract.notices_fin or self.input_ended:
            return
        for _ in range(turns):
            self.settle()
            if self.status is None:
                self.type_blindly()

    def expect_end_after_fin(self) -> None:
        """It ends as agreed, and what it was answered before is printed."""
        self.expect_exit(self.contract.on_fin, "our server has closed the connection")
        self.expect_output(and_more=True)

    def reset_connection(self) -> None:
        """Our server resets the connection; what the program says from now on is about that."""
        output = self.program.output
        self._said_before = len(output.stdout.rstrip()), len(output.stderr.rstrip())
        self.connection.abort()

    def expect_end_after_reset(self, moment: str) -> None:
        """It ends by itself, not by a signal, and with the agreed status or a message.

        Where the reset cuts something off (at a *moment* other than between turns) and the client knows it, an end
        with status 0 without a word is a lie (contract.on_reset).
        """
        after = "our server has reset the connection"
        self.expect_exit("any", after)
        status = self.status
        if status is None or self._says_more():
            return
        if status.code == 0 and self._must_know(moment):
            raise Violation(
                f"{after} (RST) {CUT_OFF[moment]}, and the program ended with exit status 0 and without a word, "
                "as if everything had come.",
                kind="reset-unreported",
                writing=moment == "writing",
                **self.facts(),
            )
        agreed = self.contract.on_fin
        if agreed == "any" or status.code == agreed:
            return
        raise Violation(
            f"{after}, and the program {status.told} without a word; agreed is exit status {agreed}, or a message.",
            kind="silent",
            **self.facts(),
        )

    def _must_know(self, moment: str) -> bool:
        """Whether it has been told of the reset by a call that it cannot have left out, in the middle of its work.

        Of two threads that read and write only one is told: the kernel reports the error once, and the other one
        reads the end of file. Over a UNIX socket there is no RST: closing is an end of file (unix(7)).
        """
        if moment not in CUT_OFF or self.contract.on_reset != "reported" or self.address.local:
            return False
        return moment != "writing" or not self.client_profile.answered

    def _says_more(self) -> bool:
        """Whether it has written anything since the connection was reset; ask when it has ended."""
        if not self.says_something():
            return False
        output, (stdout, stderr) = self.program.output, self._said_before
        return len(output.stdout.rstrip()) > stdout or len(output.stderr.rstrip()) > stderr

    def expect_orderly_end_by(self, number: Signals) -> None:
        """The signal, sent as Ctrl-C sends it, ends it, and its connection is closed in order."""
        self.signal(number, group=True)
        self.expect_end(self.contract.stop.get(number.name, "any"))
        self.until(lambda: self.server.over)
        if self.reset_by_program or not self.server.over:
            raise Violation(
                f"{number.name} ended the program, but its connection was not closed in order (FIN).",
                kind="reset-at-close",
                **self.facts(),
            )

    # -- answers together --------------------------------------------------------------------

    def release_in_one_segment(self) -> None:
        """Whenever the client can do nothing more, it gets all answers that are due by then at once."""
        while self._waits_for_answers():
            self.connection.release()

    def release_with_pauses(self) -> None:
        """The same, but after the first half of it our server is silent for a while."""
        while self._waits_for_answers():
            self.connection.release(max(1, len(self.connection.held) // 2))
            self.settle(patience=SILENCE)
            self.connection.release()

    def _waits_for_answers(self) -> bool:
        """Whether answers are held back from it, and it can do nothing more without them."""
        hearing = self.reference.hearing
        self.until(lambda: hearing.complete or self.has_left() or self._is_owed())
        # Not longer than to see that it waits: it may give up on a server that is silent for a second.
        self.until(lambda: hearing.complete or self.has_left(), patience=PACE)
        self.settle()
        return self._is_owed()

    def _is_owed(self) -> bool:
        """Whether answers are held back from it."""
        return self.server.reached and bool(self.connection.held)

    def expect_fin_from_program(self) -> None:
        """The end of its input arrives as a FIN, before our server has answered anything."""
        self.expect_reached()
        settled = self.until(lambda: self.server.over)
        if self.server.over and not self.reset_by_program:
            return
        raise Violation(
            "its stdin has ended, and the program does not pass that on: no FIN has come to our server, which may wait for it. "
            + self.condition(settled),
            kind="no-fin",
            **self.facts(),
        )

    def release_everything(self) -> None:
        """Our server answers everything now."""
        self.connection.release()
        self.reference.manner = Manner.AT_ONCE

    # -- trying again ------------------------------------------------------------------------

    def expect_growing_pauses(self) -> None:
        """It tries again and again, and pauses longer and longer in between."""
        pauses = Pauses(self)
        lengths = [pauses.next(LONGEST_PAUSE)]
        while len(lengths) < 3 and not lengths[-1] > GROWTH * lengths[0]:
            lengths.append(pauses.next(LONGEST_PAUSE))
        said = ", ".join(f"{length:.2g} s" for length in lengths)
        self.timeline.record("program", f"paused for {said} between its attempts")
        if not lengths[-1] > GROWTH * lengths[0]:
            raise Violation(
                f"the pauses between its attempts do not grow: {said}. A server that is overloaded is never left alone.",
                kind="pauses",
            )
        self.sockets_before = sight.socket_inodes(self.program.members())

    def expect_new_socket(self) -> None:
        """It comes to the server that listens now, by a socket that it had not tried before."""
        settled = self.until(lambda: self.reference.reached, patience=LONGEST_PAUSE)
        if not self.reference.reached:
            raise Violation(
                f"our server listens by now, and the program does not come. {self.condition(settled)}",
                kind="not-reached",
                **self.facts(),
            )
        if self.connection.their_inode in self.sockets_before:
            raise Violation(
                "it tried again with the socket whose connect() had failed; what state that is in, nobody says.",
                kind="same-socket",
            )

    def expect_failure_within(self, seconds: float, why: str) -> None:
        """The same as `expect_failure`, in the agreed time: twice that, of idle time, is granted."""
        self.expect_failure(why, patience=2 * seconds + PATIENCE)

    # -- datagrams astray --------------------------------------------------------------------

    def lose_requests(self, number: int) -> None:
        """Our server does not see the first *number* datagrams."""
        self.datagrams.losing = number

    def lose_every_request(self) -> None:
        """Our server sees nothing."""
        self.datagrams.losing = 1 << 30

    def let_a_stranger_answer_first(self) -> None:
        """Each answer is preceded by a datagram from another port."""
        self.datagrams.forgery = self._forgery()

    def _forgery(self) -> bytes:
        return FORGED_NUMBER if self.client_profile.reads_input else FORGED_TEXT

    def answer_twice(self) -> None:
        """Each answer comes twice."""
        self.datagrams.copies = 2

    def take_short_answer(self) -> None:
        """A turn as usual, then one whose answer is too short to be one."""
        if not self.client_profile.reads_input:
            self.datagrams.instead = b"!"
            self.expect_requests()
            self.settle()
            return
        self.datagrams.instead, self.datagrams.instead_after = b"\x01", 1
        profile = self.client_profile
        self.type_in([profile.turn(self.stage.next_token()) for _ in range(2)])
        self.expect_requests()
        self.settle()
        self.end_input()

    def take_long_datagram(self, length: str) -> None:
        """One turn; its answer is as long as one packet can be, or as the contract allows an answer to be."""
        most = self.contract.max_datagram
        if length == "largest" and most <= ONE_PACKET:
            raise NotApplicable(
                "the longest answer that is agreed fits into one packet (contract.max_datagram)"
            )
        turn = self.client_profile.turn(
            self.stage.next_token(), most if length == "largest" else min(ONE_PACKET, most)
        )
        self.turns[:] = [turn]
        self.reference.expect_only(turn)

    def take_oversized_answer(self) -> None:
        """An answer as large as UDP can carry."""
        turn = self.type_turn()
        most = 65507 if self.contract.max_datagram <= 65507 else self.contract.max_datagram
        self.datagrams.instead = (turn.reply * (most // len(turn.reply) + 1))[:most]
        self.expect_requests()
        self.settle()
        self.end_input()

    def expect_nothing_made_up(self) -> None:
        """It did not die of it, and what it printed has come from our server."""
        self.until(lambda: self.program.status is not None)
        status = self.status
        if status is not None and status.signal is not None:
            raise Violation(f"the program was {status}.{self.last_words()}", kind="died", **self.facts())
        self.settle()
        printed = self.program.output.stdout
        sent = [*self.reference.replies, *self.datagrams.odd]
        if why := self.client_profile.made_up(self.reference.replies, self.datagrams.odd, printed):
            raise Violation(
                f"our server sent {count(len(sent), 'datagram')}, and the program printed something else: {why}.",
                kind="misprint",
                **self.facts(),
            )
