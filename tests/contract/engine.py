"""A service whose engine is a few lines of Python, and deploying it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.cloud import run_v2

from llm_widgets.gcp.run import rollout, services
from tests.contract.product import PROJECT, REGION

if TYPE_CHECKING:
    from tests.contract.product import Product

# An engine in a few lines: what it answers is decided by the name of the model.
ENGINE = r"""
import json, os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.answer(200, "ok", "text/plain")
    def answer(self, status, text, kind="application/json"):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def event(self, data):
        text = f"data: {data}\n\n".encode()
        self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
        self.wfile.flush()
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model = body["model"]
        if model == "missing":
            return self.answer(404, json.dumps({"error": {"message": "model missing not found"}}))
        if model == "busy":
            return self.answer(503, "<html><body><h1>No instance</h1></body></html>", "text/html")
        if model == "strict":
            return self.answer(400, json.dumps({"error": "messages: too long"}))
        roles = [message["role"] for message in body["messages"]]
        if model == "gemma" and any(a == b for a, b in zip(roles, roles[1:])):
            told = "Conversation roles must alternate user/assistant/user/assistant/..."
            return self.answer(400, json.dumps({"error": {"message": told}}))
        if not body.get("stream"):
            message = {"role": "assistant", "content": body["messages"][-1]["content"]}
            return self.answer(200, json.dumps({"choices": [{"message": message}]}))
        if model == "gated":  # waits for the file that it is asked for
            while not os.path.exists(body["messages"][-1]["content"]):
                time.sleep(0.02)
        if model == "silent":
            return time.sleep(60)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        def choice(text, reason=None, name="content"):
            return json.dumps({"choices": [{"delta": {name: text}, "finish_reason": reason}]})
        if model == "thinker":
            self.event(choice("Hm, ", name="reasoning_content"))
            self.event(choice("so.", name="reasoning_content"))
        said = body["messages"][-1]["content"]
        if model == "caller":
            told = {**body["chat_template_kwargs"], "parts": [part["type"] for part in said]}
            text = json.dumps({**told, "tools": len(body["tools"])})
            for name, piece in (("look", ""), ("", text[:9]), ("", text[9:])):
                call = {"index": 0, "function": {"name": name, "arguments": piece}}
                self.event(json.dumps({"choices": [{"delta": {"tool_calls": [call]}}]}))
            said = ""
        for word in [*said.split(), "é"]:
            self.event(choice(word + " "))
            time.sleep(0.02)
        if model == "broken":
            self.event(json.dumps({"error": {"message": "CUDA out of memory"}}))
        elif model == "endless":
            while True:
                self.event(choice("on "))
                time.sleep(0.02)
        elif model == "stuck":
            time.sleep(60)
        self.event(choice("", "stop"))
        usage = {"completion_tokens": 7, "prompt_tokens": 3}
        self.event(json.dumps({"choices": [], "usage": usage}))
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")
    def log_message(self, *args):
        print(json.dumps({"severity": "WARNING", "message": "asked", "model": 1}), flush=True)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def service(script: str, **template: Any) -> run_v2.Service:
    return run_v2.Service(
        {
            "labels": {"managed-by": "llm-manager", "llm-engine": "vllm"},
            "annotations": {"llm-manager/model": "org/model"},
            "template": {
                "scaling": {"max_instance_count": 1},
                "containers": [
                    {
                        "image": "local/python:3",
                        "command": ["-c", script],
                        "startup_probe": {
                            "http_get": {"path": "/"},
                            "period_seconds": 1,
                            "failure_threshold": 20,
                        },
                    }
                ],
                **template,
            },
        }
    )


def deploy(product: Product, name: str, made: run_v2.Service) -> list[rollout.Progress]:
    operation = services.create(product.clients, PROJECT, REGION, name, made)
    return list(rollout.follow(product.clients, operation, period=0.1))
