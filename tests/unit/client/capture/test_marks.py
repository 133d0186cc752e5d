"""Who waits for a mark waits for its own, whatever signal handlers and Ctrl-C do in the midst of sending."""

from collections.abc import Callable

import pytest

from lineal.client.capture.console.marks import Marks


class Pipe:
    """What was printed and which marks, in order; `interrupt` is called once, before or after a mark is written."""

    def __init__(self) -> None:
        self.marks = Marks("oe")
        self.written: list[tuple[str, str]] = []
        self.interrupt: dict[str, Callable[[], None]] = {}

    def print(self, text: str) -> None:
        self.written.append(("o", text))

    def send(self, letter: str) -> bool:
        self._interrupted("before")
        self.written.append((letter, "mark"))
        self._interrupted("after")
        return True

    def _interrupted(self, when: str) -> None:
        act = self.interrupt.pop(when, None)
        if act is not None:
            act()

    def drain(self) -> list[str]:
        """What has been read when that what is waited for has come."""
        goal, read = self.marks.send(self.send, "oe"), []
        while not self.marks.have_come(goal):
            letter, text = self.written.pop(0)
            if text == "mark":
                self.marks.take(letter)
                self.marks.tell()
            else:
                read.append(text)
        return read


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_signal_handler_waits_for_its_own(when):
    pipe, read = Pipe(), []

    def handler():
        pipe.print("handler")
        read.extend(pipe.drain())

    pipe.print("main")
    pipe.interrupt[when] = handler
    pipe.drain()
    assert read == ["main", "handler"]
    pipe.print("then")
    assert pipe.drain() == ["then"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_ctrl_c_the_next_waits_for_its_own(when):
    def interrupt():
        raise KeyboardInterrupt

    pipe = Pipe()
    pipe.print("one")
    pipe.interrupt[when] = interrupt
    with pytest.raises(KeyboardInterrupt):
        pipe.drain()
    pipe.print("two")
    assert pipe.drain() == ["one", "two"]
    pipe.print("three")
    assert pipe.drain() == ["three"]


def test_a_way_that_nobody_reads_is_not_waited_for():
    marks = Marks("oe")
    assert marks.send(lambda letter: letter == "o", "oe") == {"o": 1}
    goal = marks.send(lambda letter: True, "oe")
    assert goal == {"o": 2, "e": 1} and not marks.have_come(goal)
    marks.take("o", 2)
    marks.leave("e")
    marks.take("e")  # too late
    assert not marks.have_come(goal)  # not before what was read with them is with the recorders
    marks.tell()
    assert marks.have_come(goal)


def test_marks_that_a_dead_helper_had_are_given_up():
    marks = Marks("o")
    goal = marks.send(lambda letter: True, "o")
    marks.give_up()
    marks.tell()
    assert marks.have_come(goal)
    after = marks.send(lambda letter: True, "o")
    assert not marks.have_come(after)
    marks.end()
    assert marks.have_come(after)
