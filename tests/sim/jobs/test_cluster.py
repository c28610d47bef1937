"""Workers of a cluster must run the code of this machine."""

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.cluster import _check_workers
from mnv2.sim.jobs.identity import code_hash

CODE = ("mnv2.sim.jobs.journal",)


class Client:
    """Workers that answer with these hashes, or fail with an error."""

    def __init__(self, hashes, error=None):
        self.hashes, self.error = hashes, error

    def wait_for_workers(self, count, timeout):
        assert count == 1

    def run(self, function, *arguments):
        assert function(*arguments) == code_hash(*CODE)
        if self.error:
            raise self.error
        return self.hashes


def test_workers_with_the_same_code():
    _check_workers(Client({"tcp://a": code_hash(*CODE)}), "there", CODE)


def test_workers_with_other_code_are_refused():
    client = Client({"tcp://a": code_hash(*CODE), "tcp://b": "0" * 64})
    with pytest.raises(UserError, match="worker tcp://b has another mnv2 installed"):
        _check_workers(client, "there", CODE)


@pytest.mark.parametrize(
    ("error", "message"),
    [(TimeoutError(), "at there has no workers"), (ImportError("x"), "need mnv2 installed: x")],
)
def test_workers_that_cannot_answer(error, message):
    with pytest.raises(UserError, match=message):
        _check_workers(Client({}, error), "there", CODE)
