"""The children's reactor, in a process of its own, since a process has one for life."""

import subprocess
import sys

PROGRAM = """
from lightweight.daemon.turns import install
install()
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import globalLogBeginner, formatEvent, LogLevel

def heard(event):
    if event["log_level"] >= LogLevel.critical:
        failure = event.get("log_failure") or event["failure"]
        print("logged", failure.getErrorMessage(), flush=True)

globalLogBeginner.beginLoggingTo([heard], redirectStandardIO=False)

class Echo(Protocol):
    def dataReceived(self, data):
        if data == b"bug":
            raise ValueError("a bug")
        self.transport.write(data)

class Asker(Protocol):
    def __init__(self, says):
        self.says = says
    def connectionMade(self):
        self.transport.write(self.says)
    def dataReceived(self, data):
        print("echoed", data.decode(), flush=True)
        self.transport.loseConnection()
    def connectionLost(self, reason):
        print("lost", self.says.decode(), flush=True)
        if self.says == b"bug":
            ask(b"good")
        else:
            reactor.stop()

def ask(says):
    factory = Factory.forProtocol(lambda: Asker(says))
    TCP4ClientEndpoint(reactor, "127.0.0.1", port).connect(factory)

listening = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(
    Factory.forProtocol(Echo)
)
port = listening.result.getHost().port
reactor.callLater(0, ask, b"bug")
reactor.run()
"""


def said_by(program: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ran.stdout.splitlines()


def test_a_bug_is_logged_and_ends_its_own_connection_alone() -> None:
    assert said_by(PROGRAM) == ["logged a bug", "lost bug", "echoed good", "lost good"]


PUT_OFF = """
from lightweight.daemon.turns import install
install()
from twisted.internet import reactor
from twisted.logger import globalLogBeginner

said = []

def heard(event):
    if "log_failure" in event:
        said.append("logged " + event["log_failure"].getErrorMessage())

globalLogBeginner.beginLoggingTo([heard], redirectStandardIO=False)

def bug():
    raise ValueError("a bug")

def again():
    said.append("end")
    reactor.callLater(0, timed)

def timed():
    said.append("timed")
    reactor.at_end(reactor.stop)

def begin():
    reactor.at_end(bug)
    reactor.at_end(again)
    said.append("begun")

reactor.callLater(0, begin)
# Nothing else ends a wait for events.
reactor.callLater(10, said.append, "waited")
reactor.run()
for each in said:
    print(each)
"""


def test_the_reactor_does_not_wait_before_what_was_put_off() -> None:
    assert said_by(PUT_OFF) == ["begun", "logged a bug", "end", "timed"]
