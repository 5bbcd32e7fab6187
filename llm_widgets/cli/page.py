"""``llm-widgets run``, ``serve`` and ``local``: the page and the local cloud."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from llm_widgets import installation
from llm_widgets.cli import local_cloud
from llm_widgets.domain.networks import LARGEST_PORT

DATA = Path(".local-cloud")
_PACKAGE = Path(__file__).parents[1]


class Port(click.ParamType[int]):
    """A port; 0 for a free one."""

    name = "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a port."""
        text = str(value)
        if not (text.isascii() and text.isdigit() and int(text) <= LARGEST_PORT):
            self.fail(f"{text!r} is not a port: enter 0 to {LARGEST_PORT}", param, ctx)
        return int(text)


for_everybody = click.option(
    "--no-token",
    is_flag=True,
    help="Let in everyone who can reach the page, including other users of this machine.",
)

at_path = click.option(
    "--base-url",
    default="/",
    show_default=True,
    metavar="PATH",
    help="Path of the page, where a proxy such as JupyterHub's passes it on.",
)
for_names = click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Answer to this name too, which a proxy in front of the page has; * for any name.",
)


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=DATA, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the page.")
@click.option("--port", type=Port(), default=8866, show_default=True, help="0: a free one.")
@click.option("--offline", is_flag=True, help="Offer sample models only, never the real hubs.")
@click.option(
    local_cloud.AS_SLOW,
    "slow",
    is_flag=False,
    flag_value="",
    metavar="[SECONDS]",
    help="Delay grants by minutes (or SECONDS) and enforce rate limits, like Google Cloud.",
)
@at_path
@for_names
@for_everybody
def run(
    data: Path,
    host: str,
    port: int,
    offline: bool,
    slow: str | None,
    base_url: str,
    allowed_hosts: tuple[str, ...],
    no_token: bool,
) -> int:
    """Start the page on the embedded local cloud, without an account."""
    installation.check_page()
    from llm_widgets.cli import quickstart  # noqa: PLC0415 - starts a web server

    return quickstart.run(
        data=data,
        notebook=_notebook(),
        host=host,
        port=port,
        offline=offline,
        slow=slow,
        base_url=base_url,
        allowed_hosts=allowed_hosts,
        token="" if no_token else None,
    )


@click.command()
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True)
@click.option("--port", type=Port(), help="Default: $PORT, else 8866.")
@at_path
@for_names
@for_everybody
def serve(
    host: str,
    port: int | None,
    base_url: str,
    allowed_hosts: tuple[str, ...],
    no_token: bool,
) -> None:
    """Start the page on Google Cloud, with your credentials."""
    installation.check_page()
    from llm_widgets import hubs  # noqa: PLC0415 - what only this command needs
    from llm_widgets.config import settings  # noqa: PLC0415 - the same
    from llm_widgets.server.launcher import launch  # noqa: PLC0415 - starts a web server

    hubs.check_endpoints(settings())
    launch(
        _notebook(),
        host=host,
        port=port,
        base_url=base_url,
        allowed_hosts=allowed_hosts,
        token="" if no_token else settings().page_token or None,
        most_kernels=settings().most_kernels,
        iap_audience=settings().iap_audience,
        iap_certs_url=_iap_keys(settings().google_endpoint),
        without_iap=settings().without_iap,
        on_ready=lambda url: print(f"The page is at {url}", flush=True),
    )


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--until-eof", is_flag=True, help="Exit when standard input closes.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF local-cloud]")
def local(until_eof: bool, words: tuple[str, ...]) -> int:
    """Start the local cloud alone; other options are those of `local-cloud --help`."""
    return local_cloud.run_alone(words, until_eof=until_eof)


def _iap_keys(endpoint: str) -> str:
    """Return where a local cloud has the keys of Identity-Aware Proxy; empty for Google's."""
    return f"{endpoint}/iap/verify/public_key" if endpoint else ""


def _notebook() -> Path:
    """Return the notebook that is the page: in a wheel, or at the top of the repository."""
    packaged = _PACKAGE / "notebooks" / "app.ipynb"
    return packaged if packaged.exists() else _PACKAGE.parent / "notebooks" / "app.ipynb"
