"""Small Python programs that stand for containers: the command of the image ``local/python``."""

from __future__ import annotations

# A web server that says who and where it is, streams, sleeps, and ends when told to.
ECHO_SERVER = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/exit":
            os._exit(3)
        if self.path.startswith("/stream"):  # with "=" and a file: that is waited for
            gate = self.path.partition("=")[2]
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for n in range(4):
                data = b"data: %d\\n\\n" % n
                self.wfile.write(b"%x\\r\\n%b\\r\\n" % (len(data), data))
                self.wfile.flush()
                while gate and not os.path.exists(gate):
                    time.sleep(0.02)
            self.wfile.write(b"0\\r\\n\\r\\n")
            return
        if self.path.startswith("/sleep"):
            time.sleep(float(self.path.partition("=")[2]))
        self.answer({"pid": os.getpid(), "env": dict(os.environ), "args": sys.argv[1:],
                     "path": self.path, "headers": dict(self.headers)})
    def do_POST(self):
        length = self.headers.get("Content-Length")
        if length is None:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        else:
            body = self.rfile.read(int(length))
        self.answer({"length": len(body), "headers": dict(self.headers)})
    def answer(self, value):
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *args):
        pass

line = {"severity": "NOTICE", "message": "listening", "port": os.environ["PORT"]}
print(json.dumps(line), flush=True)
print("plain words", file=sys.stderr, flush=True)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
