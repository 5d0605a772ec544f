"""A server that sends its answer by drops and never ends it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

EVERY_SECONDS = 0.05
BEGINNINGS = {"headers": b"HTTP/1.1 200 OK\r\nX-Long: ", "body": b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n"}


@contextmanager
def dripping(part: str) -> Iterator[int]:
    """Its port on this machine; `part` of the answer comes by drops."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                connection.sendall(BEGINNINGS[part])
                while not over.wait(EVERY_SECONDS):
                    connection.sendall(b"x")

        def serve() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=drip, args=(listening.accept()[0],), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
