"""How the web server's processes share the work: whoever is at work leaves connections to one that is idle.

Gunicorn's own processes take every connection they can and keep it: clients that keep theirs, such as a proxy, had
nineteen of twenty requests answered by one process while the other was idle.
"""

from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class Sharing(ThreadWorker):
    """Takes connections only while a thread of it is free, and keeps none open while others are being answered.

    Who is told to close connects again at once, and reaches the process that waits. Nobody is refused: where all
    threads of all processes are at work, connections wait in the kernel for the first that is free.
    """

    @property
    def _at_work(self) -> int:
        """How many connections are being answered, or wait for a thread."""
        return int(self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns))

    def set_accept_enabled(self, enabled: bool) -> None:
        """Asked in every turn of the loop that does not accept."""
        super().set_accept_enabled(enabled and self._at_work < self.cfg.threads)

    def enqueue_req(self, conn: Any) -> None:
        super().enqueue_req(conn)
        self.set_accept_enabled(self._accepting)

    def handle_request(self, req: Any, conn: Any) -> Any:
        if self._at_work > 1:
            req.force_close()
        return super().handle_request(req, conn)
