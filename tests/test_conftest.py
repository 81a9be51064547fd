"""The guards of conftest.py, each shown to fail the test it must fail.

A small suite is written to a directory of its own and run by pytest in a process of its
own, with this suite's conftest beside it.
"""

import re
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py").read_text()
GUARDS = re.sub(r"(?m)^pytest_plugins = .*$", "", CONFTEST)
"""Without the plugins, which only the whole suite needs."""

HEAD = """
import pytest
from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory, Protocol
"""


def run(pytester: pytest.Pytester, body: str) -> pytest.RunResult:
    pytester.makeconftest(GUARDS)
    pytester.makepyfile(HEAD + body)
    return pytester.runpytest_subprocess("--reactor=default", "-p", "no:cacheprovider")


def test_a_coroutine_test_that_hangs_fails_in_time(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
@pytest.mark.async_limit(0.2)
async def test_hangs():
    await Deferred()
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*TimeoutError*"])


def test_an_unhandled_failure_fails_the_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
async def test_forgets_a_failure():
    fail(ValueError("forgotten"))
""",
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ValueError: forgotten*"])


def test_a_leaked_call_fails_the_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
async def test_leaks_a_call():
    from twisted.internet import reactor
    reactor.callLater(1000, print)

async def test_after_it_is_clean():
    pass
""",
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*left in the reactor*DelayedCall*"])


def test_a_leaked_socket_fails_the_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
async def test_leaks_a_port():
    from twisted.internet import reactor
    endpoint = serverFromString(reactor, "tcp:0:interface=127.0.0.1")
    await endpoint.listen(Factory.forProtocol(Protocol))
""",
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*left in the reactor*Port*"])


def test_a_clean_test_passes(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
async def test_listens_and_stops():
    from twisted.internet import reactor
    endpoint = serverFromString(reactor, "tcp:0:interface=127.0.0.1")
    port = await endpoint.listen(Factory.forProtocol(Protocol))
    await port.stopListening()

def test_expects_a_failure(logged_failures):
    fail(ValueError("expected"))
    assert len(logged_failures.flush(ValueError)) == 1
""",
    )
    result.assert_outcomes(passed=2)
