"""Advice where weights do not come through Direct VPC with Private Google Access.

Without them they come from Cloud Storage over the public network. Public figures of the same model
on Cloud Run, 26 GB on an RTX PRO 6000: 386 seconds so, and 64 to 76 with both
(GoogleCloudPlatform/dgem, September 2026).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from shlex import quote
from typing import TYPE_CHECKING

from llm_widgets.domain.names import shown
from llm_widgets.domain.services import SubnetAccess
from llm_widgets.domain.starts import WEIGHTS
from llm_widgets.domain.units import GIB, duration_text

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.domain.starts import Start, StartPhase

SENTENCE = (
    "Weights load faster through Direct VPC with Private Google Access: 26 GB took 64 to 76 s that "
    "way and 386 s over the public network in public starts (September 2026)."
)

DEFAULT = SubnetAccess("default", "default")
"""What a project has in each region unless somebody removed it."""

_LARGE = 4 * GIB  # of a model; what is smaller loads within seconds either way
_LONG = 60  # seconds that a start may lose before anything is advised
_SLOW = 0.2  # GiB per second; public figures are 0.06 over the public network, else 0.3 to 1


@dataclass(frozen=True, slots=True)
class Advice:
    """What would make weights load faster.

    Attributes
    ----------
    text
        What is so, in a sentence.
    change
        What to change, in a sentence.
    command
        The same in the shell.
    """

    text: str
    change: str
    command: str


def before(deployment: Deployment, size: int) -> Advice | None:
    """Return advice for a model that is to be deployed; ``None`` where nothing would be gained.

    Parameters
    ----------
    size
        Bytes of the model.
    """
    if deployment.subnet or size < _LARGE:
        return None
    return Advice(
        SENTENCE,
        f"Choose Network: a subnet, for example “{DEFAULT.subnetwork}” of the network "
        f"“{DEFAULT.network}”, and turn on its Private Google Access.",
        _turned_on(through(deployment)),
    )


def after(deployment: Deployment, start: Start) -> Advice | None:
    """Return advice where a start took long to read weights; ``None`` where it did not."""
    slow = next((phase for phase in start.phases if _is_slow(phase)), None)
    if slow is None:
        return None
    rate = f", {slow.rate:.2f} GiB/s" if slow.rate else ""
    told = f"Reading the weights took {duration_text(slow.seconds)}{rate}."
    if deployment.subnet:
        return Advice(
            f"{told} {SENTENCE}",
            f"Turn on Private Google Access of the subnet {shown(_subnet(deployment.subnet))}, if "
            "it is off.",
            _turned_on(deployment),
        )
    made = through(deployment)
    return Advice(
        f"{told} {SENTENCE}",
        "Let the service use a subnet, and turn on its Private Google Access.",
        f"{_turned_on(made)}\n{_update(made)}",
    )


def through(deployment: Deployment) -> Deployment:
    """Return the deployment with Direct VPC, through the default subnet unless it has another."""
    return replace(deployment, subnet=deployment.subnet or DEFAULT, connector="")


def _is_slow(phase: StartPhase) -> bool:
    is_long = phase.name == WEIGHTS and phase.seconds >= _LONG
    return is_long and (phase.rate is None or phase.rate < _SLOW)


def _subnet(access: SubnetAccess) -> str:
    """Return the name of a subnet; of a network alone, Cloud Run takes the one of its name."""
    return access.subnetwork or access.network


def _turned_on(deployment: Deployment) -> str:
    subnet = _subnet(deployment.subnet or DEFAULT)
    place = f"--region={quote(deployment.region)} --project={quote(deployment.project)}"
    return (
        f"gcloud compute networks subnets update {quote(subnet)} {place} "
        "--enable-private-ip-google-access"
    )


def _update(deployment: Deployment) -> str:
    access = deployment.subnet or DEFAULT
    place = f"--region={quote(deployment.region)} --project={quote(deployment.project)}"
    return (
        f"gcloud run services update {quote(deployment.name)} {place} "
        f"--network={quote(access.network)} --subnet={quote(access.subnetwork)} "
        "--vpc-egress=all-traffic"
    )
