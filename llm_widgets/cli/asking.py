"""What asks services: ``llm-widgets chat``, ``embed``, ``rank``, ``classify`` and the like."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llm_widgets.cli import completing, output
from llm_widgets.cli.groups import common, in_region, manager, of_service
from llm_widgets.domain.self_tests import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Command = TypeVar("Command", bound="Callable[..., Any]")


def _of_a_chat(command: Command) -> Command:
    """Add the options of what is asked of a model."""
    for add in (
        click.option("--max-tokens", type=int),
        click.option("--temperature", type=float),
        click.option("--system", metavar="TEXT", help="What the model is told first."),
    ):
        command = add(command)
    return command


@click.command()
@of_service
@click.argument("prompt", required=False)
@_of_a_chat
@in_region
@common
def chat(
    service: str,
    prompt: str | None,
    system: str | None,
    region: str,
    project: str,
    how: str,
    **params: float | None,
) -> None:
    """Ask a deployed model PROMPT, or what standard input says; on a terminal, have a chat."""
    found = manager(project)
    named = found.service(service, region=region)
    said = _told_first(system)
    alone = prompt is not None or not sys.stdin.isatty()
    while True:
        if alone:
            asked = prompt if prompt is not None else sys.stdin.read()
        else:
            asked = click.prompt(">", prompt_suffix=" ", err=True)
        said.append({"role": "user", "content": asked})
        answer = ""
        for piece in found.chat(named, said, stream=True, **_given(params)):
            answer += piece
            if how != "json":
                click.echo(output.terminal(piece), nl=False)
        if how == "json":
            output.print_json({"service": named.name, "answer": answer})
        else:
            click.echo()
        if alone:
            return
        said.append({"role": "assistant", "content": answer})


@click.command()
@click.argument("services", nargs=-1, required=True, shell_complete=completing.services)
@click.option("--prompt", metavar="TEXT", help="Default: what standard input says.")
@_of_a_chat
@in_region
@common
def compare(
    services: tuple[str, ...],
    prompt: str | None,
    system: str | None,
    region: str,
    project: str,
    how: str,
    **params: float | None,
) -> int:
    """Ask two to four SERVICES the same at once; exit with 1 where one does not answer."""
    found = manager(project)
    named = [found.service(each, region=region) for each in services]
    asked = prompt if prompt is not None else sys.stdin.read()
    said = [*_told_first(system), {"role": "user", "content": asked}]
    answers = found.compare(named, said, **_given(params))
    if how == "table":
        for each in answers:
            click.echo(f"{each.service.id}:\n{output.terminal(each.text)}\n")
    output.show(answers, how)
    return int(any(each.error for each in answers))


@click.command()
@of_service
@click.argument("texts", nargs=-1)
@in_region
@common
def embed(service: str, texts: tuple[str, ...], region: str, project: str, how: str) -> None:
    """Turn TEXTS, or each line of standard input, into vectors; JSON has all of their numbers."""
    found = manager(project)
    named = found.service(service, region=region)
    vectors = found.embed(named, texts or _lines())
    output.show(vectors, how)
    if how == "table" and len(vectors) > 1:
        near = vectors[0].similarity(vectors[1])
        output.tell(f"Cosine similarity of the first two: {_number(near)}")


@click.command()
@of_service
@click.argument("query")
@click.argument("passages", nargs=-1)
@in_region
@common
def rank(
    service: str, query: str, passages: tuple[str, ...], region: str, project: str, how: str
) -> None:
    """Rank PASSAGES, or the lines of standard input, by how well they answer QUERY."""
    found = manager(project)
    named = found.service(service, region=region)
    output.show(found.rank(named, query, passages or _lines()), how)


@click.command()
@of_service
@click.argument("texts", nargs=-1)
@in_region
@common
def classify(service: str, texts: tuple[str, ...], region: str, project: str, how: str) -> None:
    """Label TEXTS, or each line of standard input; JSON has the scores of all labels."""
    found = manager(project)
    output.show(found.classify(found.service(service, region=region), texts or _lines()), how)


@click.command()
@of_service
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@in_region
@common
def transcribe(service: str, file: str, region: str, project: str, how: str) -> None:
    """Write down what is said in FILE."""
    found = manager(project)
    said = found.transcribe(found.service(service, region=region), file)
    if how == "table":
        click.echo(output.terminal(said.text))
    else:
        output.show(said, how)


@click.command("self-test")
@of_service
@in_region
@common
def self_test(service: str, region: str, project: str, how: str) -> int:
    """Ask a service a little of everything that it should do; exit with 1 where that fails."""
    found = manager(project)
    tests = found.self_test(found.service(service, region=region))
    output.show(tests, how)
    if how == "table":
        for each in tests:
            told = each.remedy.text if each.remedy else each.advice
            if told:
                output.tell(f"{each.title}: {told}")
    return int(any(each.outcome is Outcome.FAILED for each in tests))


def _told_first(system: str | None) -> list[dict[str, str]]:
    return [{"role": "system", "content": system}] if system else []


def _given(params: Mapping[str, float | None]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _lines() -> tuple[str, ...]:
    """Return the lines of standard input that hold something; none of a terminal."""
    if sys.stdin.isatty():
        return ()
    return tuple(line.strip() for line in sys.stdin if line.strip())


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"
