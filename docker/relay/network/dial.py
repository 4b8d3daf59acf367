"""A connection to a host for ssh: `ProxyCommand dial.py HOST PORT`, with `ProxyUseFdpass yes`.

ssh gets the connection itself, and nothing stays in between.
"""

from __future__ import annotations

import socket
import sys

_HEAD = 1 << 14


def main(host: str, port: str, gateway: str = "/ctui/gw/egress.sock") -> int:
    """Hand a connection over at stdout; return 1 after a line on stderr where there is none."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(gateway)
            wanted = f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\nUser-Agent: ssh\r\n\r\n"
            connection.sendall(wanted.encode())
            head = _head(connection)
        except OSError:
            head = "HTTP/1.1 503 ctui: this task's gateway is not there"
        status, _, line = head.partition("\r\n")[0].partition(" ")[2].partition(" ")
        if status != "200":
            print(line, file=sys.stderr)
            return 1
        with socket.socket(fileno=1) as ssh:
            socket.send_fds(ssh, [b"\0"], [connection.fileno()])
    return 0


def _head(connection: socket.socket) -> str:
    """Return the head of the answer, and take nothing of what comes behind it."""
    said = b""
    while not said.endswith(b"\r\n\r\n") and len(said) < _HEAD:
        byte = connection.recv(1)
        if not byte:
            break
        said += byte
    return said.decode("latin-1")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
