"""The command line as it is typed: its help is quick, and its documentation names what there is."""

from __future__ import annotations

import io
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from llm_widgets.cli.groups import confirm
from llm_widgets.cli.main import main, root
from llm_widgets.engines.registry import ENGINES

ROOT = Path(__file__).parents[2]
LINES = [
    line.strip()
    for page in ("README.md", "docs/command_line.md", "docs/deploy_manager.md")
    for line in (ROOT / page).read_text("utf-8").splitlines()
    if line.startswith("    llm-widgets ")
]


def test_documented_commands_are_many() -> None:
    assert len(LINES) > 10


@pytest.mark.parametrize("line", LINES)
def test_a_documented_command_is_one(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = root
    context = click.Context(root)
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found
        command = found
        context = click.Context(command, parent=context, info_name=name)
    command.make_context(context.info_name, list(words), parent=context.parent)


@pytest.mark.parametrize("name", root.list_commands(click.Context(root)))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: llm-widgets {name} ")


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    told = capsys.readouterr().out
    assert "estimate" in told
    assert "import-worker" not in told
    assert main(["--version"]) == 0


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "_LLM_WIDGETS_COMPLETE" in capsys.readouterr().out


def test_help_loads_nothing_large() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = (
        "import sys; from llm_widgets.cli.main import main; main(['--help']);"
        "sys.exit(bool({'google', 'tqdm', 'requests', 'tornado'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < 1  # seconds; 0.15 on a quiet machine


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("services update-traffic x", "Name one of --to-latest and --to-revisions."),
        ("logs x --since yesterday", "is not a duration such as 30m, 2h or 1d."),
        ("deploy m --bucket b --network n", "Name --network and --subnet together."),
        ("deploy m --bucket b --set-env-vars A", "is not NAME=VALUE"),
        ("models --bucket b --format xml", "is not table, json, value"),
        ("import huggingface m --bucket b --token hf_secret", "is not one of 'HF_TOKEN'"),
    ],
)
def test_words_that_are_no_command(
    words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    assert told in capsys.readouterr().err


def test_the_help_of_deploy_names_all_engines(capsys: pytest.CaptureFixture[str]) -> None:
    main(["deploy", "--help"])
    told = capsys.readouterr().out
    assert [engine.id for engine in ENGINES if engine.id not in told] == []


def test_a_mistyped_command_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chatt", "gemma"]) == 2
    assert "Did you mean chat?" in capsys.readouterr().err
    assert main(["qqqqq"]) == 2
    assert "Did you mean" not in capsys.readouterr().err


@pytest.mark.parametrize("given", ["", "n\n"])
def test_who_is_not_there_to_confirm_is_told_how_to_do_without(
    given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(given))
    with pytest.raises(click.Abort):
        confirm("Delete it?", quiet=False)
    assert "--quiet does it without asking" in capsys.readouterr().err
    confirm("Delete it?", quiet=True)
