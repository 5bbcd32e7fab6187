"""``llm-widgets embed``, ``rank``, ``transcribe`` and ``self-test``."""

from __future__ import annotations

import sys

import click

from llm_widgets.cli import output
from llm_widgets.cli.groups import common, in_region, manager
from llm_widgets.domain.self_tests import Outcome
from llm_widgets.domain.tables import plain


@click.command()
@click.argument("service")
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
@click.argument("service")
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
@click.argument("service")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@in_region
@common
def transcribe(service: str, file: str, region: str, project: str, how: str) -> None:
    """Write down what is said in FILE."""
    found = manager(project)
    said = found.transcribe(found.service(service, region=region), file)
    if how == "table":
        click.echo(plain(said.text))
    else:
        output.show(said, how)


@click.command("self-test")
@click.argument("service")
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


def _lines() -> tuple[str, ...]:
    """Return the lines of standard input that hold something; none of a terminal."""
    if sys.stdin.isatty():
        return ()
    return tuple(line.strip() for line in sys.stdin if line.strip())


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"
