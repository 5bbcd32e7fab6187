"""The ``ollama`` command of containers on a machine without Ollama.

``serve`` is the server of ``ollama_api``; ``list``, ``ps``, ``run`` and ``show`` ask it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import requests

from local_cloud.runner.ollama_api.settings import address

if TYPE_CHECKING:
    from collections.abc import Sequence

_SERVER = "local_cloud.runner.ollama_api"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser("ollama", description="The Ollama API on llama.cpp.")
    parser.add_argument("-v", "--version", action="store_true", help="show the server's version")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="start the server")
    commands.add_parser("list", aliases=["ls"], help="list models")
    commands.add_parser("ps", help="list models in memory")
    for name, text in (("run", "answer a prompt; load the model if it is empty"), ("show", "")):
        command = commands.add_parser(name, help=text or "show a model")
        command.add_argument("model")
        if name == "run":
            command.add_argument("prompt", nargs="*")
    options = parser.parse_args(arguments)
    if options.command == "serve":
        os.execv(sys.executable, [sys.executable, "-m", _SERVER])  # noqa: S606 - in our place
    try:
        return _ask(options)
    except requests.ConnectionError:
        print(  # noqa: T201 - a command line speaks - a command line
            "Error: could not connect to ollama server, run 'ollama serve' to start it",
            file=sys.stderr,
        )
    except requests.HTTPError as error:
        print(f"Error: {error.response.json()['error']}", file=sys.stderr)  # noqa: T201 - a command line speaks - the same
    return 1


def _ask(options: argparse.Namespace) -> int:
    if options.version:
        print(f"ollama version is {_call('GET', '/api/version')['version']}")  # noqa: T201 - a command line speaks
    elif options.command in {"list", "ls"}:
        _print_models(_call("GET", "/api/tags")["models"])
    elif options.command == "ps":
        _print_models(_call("GET", "/api/ps")["models"])
    elif options.command == "show":
        shown = _call("POST", "/api/show", {"model": options.model})
        _print_section("Model", [f"{name:<20} {it}" for name, it in shown["details"].items()])
        _print_section("Capabilities", shown["capabilities"])
    elif options.command == "run":
        return _run(options.model, " ".join(options.prompt))
    return 0


def _run(model: str, prompt: str) -> int:
    if "embedding" in _call("POST", "/api/show", {"model": model})["capabilities"]:
        return _embed(model, prompt)
    with requests.post(
        f"{_url()}/api/generate",
        json={"model": model, "prompt": prompt},
        stream=True,
        timeout=3600,
    ) as answer:
        if not answer.ok:
            answer.content  # noqa: B018 - read now: the connection is closed when this is reported
        answer.raise_for_status()
        for line in answer.iter_lines():
            print(json.loads(line).get("response", ""), end="", flush=True)  # noqa: T201 - a command line speaks
    if prompt:
        print()  # noqa: T201 - a command line speaks - a command line
    return 0


def _embed(model: str, prompt: str) -> int:
    if not prompt:
        text = "embedding models require input text. Usage: ollama run"
        print(f'Error: {text} {model} "your text here"', file=sys.stderr)  # noqa: T201 - a command line speaks
        return 1
    vectors = _call("POST", "/api/embed", {"model": model, "input": prompt})["embeddings"]
    print(json.dumps(vectors[0]))  # noqa: T201 - a command line speaks
    return 0


def _print_section(title: str, lines: list[str]) -> None:
    print(f"  {title}")  # noqa: T201 - a command line speaks
    for line in lines:
        print(f"    {line}")  # noqa: T201 - a command line speaks
    print()  # noqa: T201 - a command line speaks


def _print_models(models: list[dict[str, Any]]) -> None:
    print(f"{'NAME':<40} {'ID':<14} SIZE")  # noqa: T201 - a command line speaks - a command line
    for model in models:
        size = f"{model['size'] / 1e6:.0f} MB"
        print(f"{model['name']:<40} {model['digest'][:12]:<14} {size}")  # noqa: T201 - a command line speaks


def _call(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = requests.request(method, f"{_url()}{path}", json=body, timeout=60)
    answer.raise_for_status()
    value: dict[str, Any] = answer.json()
    return value


def _url() -> str:
    host, port = address(os.environ.get("OLLAMA_HOST", ""))
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104 - read


if __name__ == "__main__":
    sys.exit(main())
