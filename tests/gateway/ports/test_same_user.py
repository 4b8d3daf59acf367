"""Whose connection it is, as the kernel says."""

from __future__ import annotations

import socket

from ctui.gateway.ports.same_user import is_same_user


def test_what_was_closed_already_is_nobodys() -> None:
    """The kernel lists it as root's in the end, whoever made it: he would have said something."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        served, _ = listener.accept()
        with served:
            assert is_same_user(served)
            client.shutdown(socket.SHUT_WR)
            assert is_same_user(served)  # it still waits for an answer
            client.close()
            assert not is_same_user(served)
