"""hallpass as a person meets it, in a pseudo-terminal: a login at the server of `hallpass demo --serve`, a tool under exec."""

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

from person import approve
from relay import Relay
from terminal import CTRL_C, CTRL_Z, Terminal

HALLPASS = os.environ["HALLPASS_BIN"]
API_KEY = "sk-canary-0123456789abcdef"
SWITCH_TO_DEVICE_CODE = "d\r"


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="hallpass-terminal-")
        self.addCleanup(folder.cleanup)
        self.codex_home = os.path.join(folder.name, "codex")
        os.mkdir(self.codex_home, 0o700)
        self.record_file = os.path.join(self.codex_home, "auth.json")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder.name,
            "CODEX_HOME": self.codex_home,
            "HALLPASS_HOME": os.path.join(folder.name, "profiles"),
            "TERM": "xterm-256color",
            # There is a browser to start, and it is of no use.
            "BROWSER": "/bin/true",
        }

    def serve(self):
        """The address of an authorization server that lasts as long as the test."""
        server = subprocess.Popen(
            [HALLPASS, "demo", "--serve", "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # Its advice to a person would only be in the way here.
            stderr=subprocess.DEVNULL,
            text=True,
            env=self.environment,
        )
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        for line in server.stdout:
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                return found[0]
        self.fail("hallpass demo --serve printed no address")

    def start(self, *arguments, columns=2000, **variables):
        terminal = Terminal([HALLPASS, *arguments], {**self.environment, **variables}, columns)
        self.addCleanup(terminal.close)
        return terminal

    def start_login(self, issuer, *arguments, **variables):
        return self.start("login", "--provider", "local", "--issuer", issuer, *arguments, **variables)

    def authorization_url(self, terminal):
        return terminal.wait_for(r"http\S+[?&]state=\S+")[0]

    def record(self):
        with open(self.record_file, encoding="utf-8") as file:
            return json.load(file)

    def log_in_with_key(self):
        subprocess.run([HALLPASS, "login", "--with-api-key"], input=API_KEY, text=True, check=True, env=self.environment)

    def assert_ends(self, terminal, code):
        ended = terminal.exit_code()
        self.assertTrue(terminal.modes_are_restored(), f"the terminal is not as it was\n{terminal.shown}")
        self.assertEqual(ended, code, terminal.shown)


class Login(Case):
    def test_the_redirect_url_can_be_pasted(self):
        terminal = self.start_login(self.serve())
        ended_at = approve(self.authorization_url(terminal))
        terminal.type(ended_at + "\r")
        self.assert_ends(terminal, 0)
        self.assertTrue(self.record()["tokens"]["refresh_token"])
        self.assertNotIn(self.record()["tokens"]["access_token"], terminal.shown)

    def test_what_is_not_the_answer_does_not_end_the_wait(self):
        terminal = self.start_login(self.serve())
        url = self.authorization_url(terminal)
        ended_at = approve(url)
        terminal.type("what is this?\r")
        terminal.wait_for("note: that is not the address of this login")
        terminal.type(re.sub(r"state=[^&]*", "state=forged", ended_at) + "\r")
        terminal.type(ended_at + "\r")
        self.assert_ends(terminal, 0)

    def test_the_person_can_switch_to_a_device_code(self):
        terminal = self.start_login(self.serve())
        self.authorization_url(terminal)
        terminal.type(SWITCH_TO_DEVICE_CODE)
        code = terminal.wait_for(r"\b[A-Z0-9]{4}-[A-Z0-9]{4,5}\b")[0]
        page = terminal.wait_for(r"http://127\.0\.0\.1:\d+/\S*device\S*")[0]
        approve(page, {"user_code": code})
        self.assert_ends(terminal, 0)
        self.assertTrue(self.record()["tokens"]["refresh_token"])

    def test_an_interrupt_leaves_the_old_session(self):
        self.log_in_with_key()
        before = self.record()
        terminal = self.start_login(self.serve())
        self.authorization_url(terminal)
        terminal.type(CTRL_C)
        self.assert_ends(terminal, 130)
        self.assertEqual(self.record(), before)

    def hallpass(self, *arguments):
        """What a run without a terminal prints."""
        run = subprocess.run([HALLPASS, *arguments], capture_output=True, text=True, env=self.environment)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def log_in_for_good(self, issuer):
        """Signs in, and answers the access token."""
        terminal = self.start_login(issuer)
        terminal.type(approve(self.authorization_url(terminal)) + "\r")
        self.assert_ends(terminal, 0)
        return self.hallpass("token")

    def assert_stays(self, token):
        """The session that was there is still the one that is used, and the server still knows it."""
        self.assertEqual(self.hallpass("token"), token)
        self.assertNotEqual(self.hallpass("token", "--refresh"), token)

    def test_an_interrupt_at_a_prompt_leaves_the_old_session(self):
        issuer = self.serve()
        for asked in ("--with-api-key", "--with-access-token"):
            token = self.log_in_for_good(issuer)
            terminal = self.start("login", asked)
            terminal.wait_until_hidden()
            terminal.type("half" + CTRL_C)
            self.assert_ends(terminal, 130)
            self.assert_stays(token)

    def test_an_interrupt_while_the_browser_is_waited_for_leaves_the_old_session(self):
        issuer = self.serve()
        token = self.log_in_for_good(issuer)
        terminal = self.start_login(issuer)
        self.authorization_url(terminal)
        terminal.type(CTRL_C)
        self.assert_ends(terminal, 130)
        self.assert_stays(token)

    def test_an_interrupt_while_a_device_is_polled_for_leaves_the_old_session(self):
        issuer = self.serve()
        token = self.log_in_for_good(issuer)
        terminal = self.start_login(issuer, "--device-auth", "--verbose")
        terminal.wait_for(r"\b[A-Z0-9]{4}-[A-Z0-9]{4,5}\b")
        terminal.wait_for(r"POST \S*/token")
        terminal.type(CTRL_C)
        self.assert_ends(terminal, 130)
        self.assert_stays(token)

    def test_an_interrupt_while_the_code_is_exchanged_leaves_the_old_session(self):
        issuer = self.serve()
        token = self.log_in_for_good(issuer)
        relay = Relay(issuer, "authorization_code")
        self.addCleanup(relay.close)
        terminal = self.start("login", "--provider", "openai", "--issuer", relay.address, "--port", "0")
        ended_at = approve(self.authorization_url(terminal).replace(relay.address, issuer))
        # The server names itself, and not what stands before it.
        terminal.type(re.sub(r"&iss=[^&]*", "", ended_at) + "\r")
        self.assertTrue(relay.waiting.wait(15), terminal.shown)
        terminal.type(CTRL_C)
        terminal.wait_for(r"\^C")
        # What was granted is waited for, so that it is known, and then not saved.
        relay.release()
        self.assert_ends(terminal, 130)
        self.assert_stays(token)

    def login_that_waits_for(self, lock, issuer):
        """A login with all that it needs, but for a lock that somebody else holds."""
        file = open(os.path.join(self.codex_home, lock), "a", encoding="utf-8")
        self.addCleanup(file.close)
        fcntl.flock(file, fcntl.LOCK_EX)
        terminal = self.start_login(issuer, "--verbose")
        terminal.type(approve(self.authorization_url(terminal)) + "\r")
        terminal.wait_for(r"POST \S*/token\S* -> 200")
        return terminal, file

    def test_an_interrupt_before_the_login_is_saved_leaves_the_old_session(self):
        issuer = self.serve()
        token = self.log_in_for_good(issuer)
        terminal, lock = self.login_that_waits_for("hallpass.lock", issuer)
        terminal.type(CTRL_C)
        self.assert_ends(terminal, 130)
        lock.close()
        self.assert_stays(token)

    def test_an_interrupt_in_the_middle_of_the_save_leaves_a_session_that_works(self):
        issuer = self.serve()
        self.log_in_for_good(issuer)
        # As a Codex that is saving would hold it.
        terminal, lock = self.login_that_waits_for("auth.lock", issuer)
        terminal.type(CTRL_C)
        lock.close()
        self.assertIn(terminal.exit_code(), (0, 130), terminal.shown)
        self.assert_stays(self.hallpass("token"))

    def test_nothing_is_coloured_or_moved_where_nobody_wants_it(self):
        issuer = self.serve()
        for variables, is_coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            terminal = self.start("login", "--provider", "nobody", **variables)
            self.assert_ends(terminal, 2)
            self.assertEqual("\x1b[" in terminal.raw, is_coloured, terminal.raw)
        for arguments in (("--device-auth",), ("--no-browser",)):
            terminal = self.start_login(issuer, *arguments, NO_COLOR="1")
            terminal.wait_for("Ctrl-C stops it")
            # A line that is written is never written over: a screen reader would read it again and again.
            self.assertNotRegex(terminal.raw, r"\x1b|\r(?!\n)|\x08")
            terminal.type(CTRL_C)
            self.assert_ends(terminal, 130)

    def test_what_a_narrow_terminal_shows_breaks_between_words(self):
        issuer = self.serve()
        self.log_in_for_good(issuer)
        for columns in (40, 80):
            for arguments in (("status",), ("doctor", "--offline"), ("login", "--provider", "nobody")):
                terminal = self.start(*arguments, columns=columns)
                terminal.exit_code()
                # What is to be copied, and a word that is longer than the line, stay whole.
                plain = re.sub(r"`[^`]*`|\S{30,}", "", terminal.shown)
                for line in plain.splitlines():
                    self.assertLessEqual(len(line), columns, terminal.shown)

    def test_a_key_is_asked_for_and_not_shown(self):
        terminal = self.start("login", "--with-api-key")
        terminal.wait_until_hidden()
        terminal.type(API_KEY + "\r")
        self.assert_ends(terminal, 0)
        self.assertEqual(self.record()["OPENAI_API_KEY"], API_KEY)
        self.assertNotIn(API_KEY, terminal.shown)

    def test_an_interrupt_at_the_hidden_prompt_brings_the_echo_back(self):
        self.log_in_with_key()
        before = self.record()
        for asked in ("--with-api-key", "--with-access-token", "--with-client-secret"):
            for stop in (lambda it: it.type("half" + CTRL_C), lambda it: it.send(signal.SIGTERM), lambda it: it.send(signal.SIGHUP)):
                terminal = self.start("login", asked)
                terminal.wait_until_hidden()
                stop(terminal)
                self.assert_ends(terminal, 130)
                self.assertRegex(terminal.shown, r"error: cancelled\s*$")
                self.assertNotIn("half", terminal.shown)
        self.assertEqual(self.record(), before)

    def test_keys_edit_what_is_not_shown(self):
        terminal = self.start("login", "--with-api-key")
        terminal.wait_until_hidden()
        terminal.type("wrong\x15" + API_KEY + "xy\x7f\x7f\x1b[D\r")
        self.assert_ends(terminal, 0)
        self.assertEqual(self.record()["OPENAI_API_KEY"], API_KEY)

    def test_a_long_key_can_be_pasted(self):
        long = API_KEY + "x" * 10_000
        terminal = self.start("login", "--with-api-key")
        terminal.wait_until_hidden()
        terminal.type(long + "\r")
        self.assert_ends(terminal, 0)
        self.assertEqual(self.record()["OPENAI_API_KEY"], long)

    def test_no_key_is_said_to_be_none(self):
        for nothing in ("\r", "\x04"):
            terminal = self.start("login", "--with-api-key")
            terminal.wait_until_hidden()
            terminal.type(nothing)
            self.assert_ends(terminal, 2)
            self.assertIn("no API key was given", terminal.shown)

    def test_after_a_client_secret_the_redirect_url_can_be_pasted(self):
        terminal = self.start_login(self.serve(), "--with-client-secret", "--client-authentication", "client_secret_post")
        terminal.wait_until_hidden()
        terminal.type("secret-canary\r")
        url = self.authorization_url(terminal)
        terminal.type(approve(url) + "\r")
        # This server knows no secret of this client: what counts is that the answer was taken.
        terminal.wait_for(r"error: .*client")
        self.assertNotIn("secret-canary", terminal.shown)


# A tool that counts what it hears, and ends when a line is typed.
TOOL = """
import os, signal, sys
count = {}
def heard(number, _):
    name = signal.Signals(number).name
    count[name] = count.get(name, 0) + 1
    os.write(1, f"heard {name} {count[name]}\\n".encode())
for name in ("SIGINT", "SIGWINCH", "SIGCONT"):
    signal.signal(getattr(signal, name), heard)
print("ready", os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp(), flush=True)
print("typed", sys.stdin.readline().strip(), count, flush=True)
sys.exit(7)
"""


class Exec(Case):
    def setUp(self):
        super().setUp()
        self.log_in_with_key()
        self.tool = os.path.join(self.codex_home, "tool.py")
        with open(self.tool, "w", encoding="utf-8") as file:
            file.write(TOOL)

    def start_tool(self):
        terminal = self.start("exec", "--", "python3", self.tool)
        terminal.wait_for("ready True")
        return terminal

    def test_the_tool_has_the_terminal_and_its_exit_code_is_ours(self):
        terminal = self.start_tool()
        terminal.type("a line\r")
        terminal.wait_for("typed a line {}")
        self.assert_ends(terminal, 7)

    def test_what_the_terminal_sends_comes_once(self):
        terminal = self.start_tool()
        terminal.type(CTRL_C)
        terminal.wait_for("heard SIGINT 1")
        terminal.resize(40)
        terminal.wait_for("heard SIGWINCH 1")
        terminal.type("\r")
        terminal.wait_for(r"typed +{'SIGINT': 1, 'SIGWINCH': 1}")
        self.assert_ends(terminal, 7)

    def test_an_interrupt_that_ends_the_tool_ends_us_by_the_same_signal(self):
        terminal = self.start("exec", "--", "sh", "-c", "echo ready; exec sleep 60")
        terminal.wait_for("ready")
        terminal.type(CTRL_C)
        self.assert_ends(terminal, -signal.SIGINT)

    def test_a_shell_takes_the_terminal_back_while_the_tool_is_stopped(self):
        terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], {**self.environment, "PS1": "shell> "})
        self.addCleanup(terminal.close)
        terminal.wait_for("shell> ")
        terminal.type(f"{HALLPASS} exec -- python3 {self.tool}\r")
        terminal.wait_for("ready True")
        terminal.type(CTRL_Z)
        terminal.wait_for("Stopped")
        terminal.type("echo back $((6 * 7))\r")
        terminal.wait_for("back 42")
        terminal.type("fg\r")
        terminal.wait_for("heard SIGCONT 1")
        terminal.type("a line\r")
        terminal.wait_for("typed a line")
        terminal.type("echo ended with $?\r")
        terminal.wait_for("ended with 7")


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    sys.stdout.flush()
    failed = len(result.failures) + len(result.errors) + len(result.skipped)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(failed > 0)
