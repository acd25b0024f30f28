"""A program in a pseudo-terminal: what a person would see, type and press."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
CTRL_C = "\x03"
CTRL_Z = "\x1a"


class Terminal:
    def __init__(self, arguments, environment, columns=2000):
        """Unless it is told otherwise it is so wide that no URL is ever broken."""
        self.shown = ""
        self.raw = ""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self._modes = self.modes()
        self._program = subprocess.Popen(
            arguments, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, preexec_fn=_adopt_terminal
        )
        os.close(slave)

    def modes(self):
        """What a program must leave as it found it: echo, line editing and the like."""
        return termios.tcgetattr(self._master)[:4]

    def modes_are_restored(self):
        return self.modes() == self._modes

    def wait_until_hidden(self, seconds=15):
        """Until what is typed is no longer shown."""
        deadline = time.monotonic() + seconds
        while self.modes()[3] & termios.ECHO:
            if time.monotonic() > deadline:
                raise AssertionError(f"the terminal still shows what is typed\nshown:\n{self.shown}")
            time.sleep(0.02)

    def type(self, text):
        os.write(self._master, text.encode())

    def send(self, signal):
        self._program.send_signal(signal)

    def resize(self, rows):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 2000, 0, 0))

    def wait_for(self, pattern, seconds=15):
        """The match of the pattern in what has been shown since the start, without colours."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.shown)
            if found:
                return found
            if time.monotonic() > deadline or not self._read(deadline):
                raise AssertionError(f"never shown: {pattern}\nshown:\n{self.shown}")

    def exit_code(self, seconds=15):
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        try:
            return self._program.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running\nshown:\n{self.shown}") from None

    def close(self):
        self._program.kill()
        self._program.wait()
        os.close(self._master)

    def _read(self, deadline):
        """Takes in what is there; false when the program has closed the terminal or the time is over."""
        ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.raw += data.decode(errors="replace")
        self.shown = ESCAPES.sub("", self.raw)
        return bool(data)


def _adopt_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # A test runner in the background may ignore interrupts, and its children would inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
