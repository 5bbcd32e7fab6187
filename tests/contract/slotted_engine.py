"""An engine that works on so many requests at once: its knee is known, in real time.

It keeps prompts as a prefix cache does: one whose beginning it knows is answered at once. Several
tokens come in one piece, and ``usage`` counts them.

A slot catches up what a request costs this machine between two answers: so its speed is exact,
however busy the machine is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.cloud import run_v2

from tests.contract.engine import service

if TYPE_CHECKING:
    from pathlib import Path

SPEED = 40  # tokens per second of an answer
READING = 0.05  # seconds until it begins
CAUGHT_UP = 0.4  # seconds between two answers of a slot

SLOTTED = r"""
import json, os, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
free = [0.0] * int(os.environ["SLOTS"])  # since when; the last one is taken first
slots = threading.Condition()
breaks_above = int(os.environ["BREAKS_ABOVE"])
longest = int(os.environ["LONGEST"])
lock, running, known = threading.Lock(), [0], set()
def count(change):
    with lock:
        running[0] += change
        with open(os.environ["RUNNING"], "w") as file:
            file.write(str(running[0]))
        return running[0]
class Server(ThreadingHTTPServer):
    request_queue_size = 64
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.answer(200, {})
    def answer(self, status, told):
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def event(self, told):
        text = told if isinstance(told, str) else json.dumps(told)
        data = f"data: {text}\n\n".encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            if count(1) > breaks_above:
                return self.answer(500, {"error": {"message": "CUDA out of memory"}})
            said = body["messages"][-1]["content"]
            if len(said) > longest:
                return self.answer(400, {"error": {"message": "the prompt is too long"}})
            is_known = said[:16] in known
            known.add(said[:16])
            if is_known:
                return self.write(body["max_tokens"], 0, 0)
            with slots:
                slots.wait_for(lambda: free)
                since, now = free.pop(), time.monotonic()
            begin = (since if now - since < CAUGHT_UP else now) + READING
            try:
                self.write(body["max_tokens"], begin, 1 / SPEED)
            finally:
                with slots:
                    free.append(begin + body["max_tokens"] / SPEED)
                    slots.notify()
        except OSError:
            self.close_connection = True
        finally:
            count(-1)
    def write(self, tokens, begin, pause):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for done in range(0, tokens, 8):
            self.wait(begin + done * pause)
            self.event({"choices": [{"delta": {"content": "word " * 8}}]})
        self.wait(begin + tokens * pause)
        self.event({"choices": [], "usage": {"completion_tokens": tokens, "prompt_tokens": 9}})
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")
    def wait(self, until):
        time.sleep(max(until - time.monotonic(), 0))
    def log_message(self, *args):
        pass
Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def slotted(
    slots: int,
    running: Path,
    *,
    at_once: int = 4,
    instances: int = 3,
    breaks_above: int = 1000,
    longest: int = 1_000_000,
) -> Any:
    """Return a service of it.

    Parameters
    ----------
    running
        File in which it writes how many requests it has.
    at_once
        Requests that Cloud Run sends to an instance at once.
    instances
        Most instances of the service.
    breaks_above
        Requests at once above which it fails.
    longest
        Characters of a prompt that it takes.
    """
    script = (
        SLOTTED.replace("READING", str(READING))
        .replace("CAUGHT_UP", str(CAUGHT_UP))
        .replace("SPEED", str(SPEED))
    )
    made = service(script)
    made.template.scaling.max_instance_count = instances
    made.template.max_instance_request_concurrency = at_once
    told = {
        "SLOTS": slots,
        "RUNNING": running,
        "BREAKS_ABOVE": breaks_above,
        "LONGEST": longest,
    }
    variables = [run_v2.EnvVar(name=name, value=str(value)) for name, value in told.items()]
    made.template.containers[0].env.extend(variables)
    return made
