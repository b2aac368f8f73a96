"""The command `adspark` in processes that are forked when it is imported already.

Most of a call is the start of Python and imports, for each of many anew. Environment, folder,
arguments, streams, settings and exit code are those of a process of its own.
"""

import ast
import gc
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from prefect.context import refresh_global_settings_context

from deployments.cli.commands import COMMANDS
from deployments.cli.main import main
from tests.support.documentation.pages import ROOT
from tests.support.folders import open_folder
from tests.support.stack import Stack
from tests.support.waiting import wait_until

# What the shell starts as `adspark`. The exit code comes first; the connection closes once the
# process has ended.
_CLIENT = """\
#!{python} -IS
import os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [b"x"], [0, 1, 2])
call = repr((os.getcwd(), dict(os.environ), sys.argv))
server.sendall(call.encode(errors="surrogateescape"))
server.shutdown(socket.SHUT_WR)
code = server.recv(1)
server.recv(1)
sys.exit(code[0] if code else 1)
"""
_MOST = 1_000_000  # bytes of a call


@contextmanager
def warm_command(stack: Stack) -> Iterator[Stack]:
    """The same stack with this command, for as long as the block runs."""
    with open_folder() as folder:
        address, program = folder / "socket", folder / "adspark"
        program.write_text(_CLIENT.format(python=sys.executable, address=str(address)))
        program.chmod(0o755)
        server = subprocess.Popen(
            [sys.executable, "-m", __name__, str(address)],
            env=stack.environment | {"PYTHONPATH": str(ROOT)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_until(lambda: address.exists() or server.poll() is not None)
            assert server.poll() is None
            yield replace(stack, program=program)
        finally:
            with suppress(ProcessLookupError):  # with what it may still be carrying out
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _serve(address: str) -> None:
    """Fork a process for each call, for ever."""
    for command in COMMANDS:
        command.typer()
    gc.freeze()  # a process that ends need not look through all that
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{address}.new")
    listener.listen()
    Path(f"{address}.new").rename(address)  # from now on it answers
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            sys.exit(_call(connection))
        connection.close()


def _call(connection: socket.socket) -> int:
    """Become the process of a call and carry it out; returns and sends its exit code."""
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # Anew, for Python remembers of the ones before whether they can be sought in.
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    call = connection.makefile("rb").read(_MOST).decode(errors="surrogateescape")
    folder, environment, sys.argv[:] = ast.literal_eval(call)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    refresh_global_settings_context()
    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    connection.send(bytes([code]))
    connection.detach()  # the system closes it, at the very end
    return code


if __name__ == "__main__":
    _serve(sys.argv[1])
