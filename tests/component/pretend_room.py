"""A program that answers its pages and writes down when it starts and is told to end: `PORT NAME JOURNAL [TRAIT]`.

The traits: `dies` (at once, with a last word), `stubborn` (does not end when told).
"""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()


def main() -> None:
    port, name, journal, *traits = sys.argv[1:]

    def note(event: str) -> None:
        with Path(journal).open("a") as file:
            file.write(f"{event} {name} {os.getpid()}\n")

    def end(_number: int, _frame: FrameType | None) -> None:
        note("told")
        if "stubborn" not in traits:
            os._exit(0)

    signal.signal(signal.SIGTERM, end)
    note("started")
    if "dies" in traits:
        sys.exit("the last word")
    ThreadingHTTPServer(("127.0.0.1", int(port)), Page).serve_forever()


if __name__ == "__main__":
    main()
