"""Runs commands of Python in forks of a process that has loaded what all of them load.

It is put into a copy of the checkout and runs there as a program: nothing of the project is loaded
before a fork, so each finds what is planted at its time. A request is a line of JSON on standard
input, with ``words`` (those after the interpreter's name), ``log`` (the file that gets the output)
and the limits ``cpu`` and ``wall`` in seconds. The answer is a line with the exit ``status``,
negative for a signal, and the ``seconds`` of processor time of the command and what it called.
"""

import json
import os
import resource
import runpy
import signal
import sys
import time


def _load() -> None:
    """Import what most tests do; what is not installed is no matter."""
    for name in ("numpy", "pytest", "_pytest.assertion.rewrite", "amaranth", "amaranth.sim"):
        try:
            __import__(name)
        except ImportError:
            continue


def _become(words: list[str], log: str, cpu: int) -> None:
    """Be the command: run a module as ``python -m`` would."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    assert words[0] == "-m"
    sys.argv = words[1:]
    sys.path.insert(0, os.getcwd())
    runpy.run_module(words[1], run_name="__main__", alter_sys=True)


def _wait(child: int, wall: float) -> tuple[int, float]:
    """Exit status and processor seconds of a fork, which is ended after a time."""
    end = time.monotonic() + wall
    while True:
        done, status, used = os.wait4(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.02)


def _main() -> None:
    _load()
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                _become(request["words"], request["log"], request["cpu"])
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        status, seconds = _wait(child, request["wall"])
        try:
            os.killpg(child, signal.SIGKILL)  # what it has left running
        except ProcessLookupError:
            pass
        print(json.dumps({"status": status, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    _main()
