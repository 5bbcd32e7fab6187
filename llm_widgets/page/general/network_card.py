"""The networks of the project: what reads of models go through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w

from llm_widgets.checks.networks import CONNECTORS, SUBNETS
from llm_widgets.domain import gpus, links
from llm_widgets.domain.networks import NetworkChoice, NetworkKind
from llm_widgets.page.general.error_notices import ErrorNotices
from llm_widgets.widgets.age import Age
from llm_widgets.widgets.html import note, set_text
from llm_widgets.widgets.layout import button, card, show_if
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Action, Column, DataTable

if TYPE_CHECKING:
    from llm_widgets.checks.networks import Found
    from llm_widgets.gcp.project.network import Connector, Subnet
    from llm_widgets.page.general.network import NetworkState
    from llm_widgets.page.session import Session
    from llm_widgets.widgets.table import StatusState

_ADVICE = (
    "Recommended: Direct VPC egress through a subnet with Private Google Access. A service "
    "reads its model from Cloud Storage over Google's own network, several times faster than "
    "over the public internet. Connectors are slower and billed by the hour."
)


_CONNECTOR_STATES: dict[str, StatusState] = {
    "READY": "ok",
    "ERROR": "error",
    "STATE_UNSPECIFIED": "unknown",
}
"""All others are on their way to one of these."""


class NetworkCard:
    """The card; ``box`` is what goes into the page."""

    def __init__(self, session: Session, state: NetworkState) -> None:
        self._session = session
        self._state = state
        self._problem = Notice()
        self._error_notices = ErrorNotices()
        self._not_kept = Notice()
        self._age = Age()
        self._advice = Notice()
        self._default = w.Dropdown(description="Default for all deployments")
        self._where = note("")
        self._drawing = False
        self._table = DataTable(
            caption="Subnets and connectors",
            columns=[
                Column("region", "Region", "word"),
                Column("name", "Name", "text" if session.settings.is_local_cloud else "link"),
                Column("kind", "Kind"),
                Column("network", "Network"),
                Column("range", "IP range"),
                Column("state", "State", "status"),
            ],
            actions=[Action("turn-on", "Turn on"), Action("choose", "Use as default")],
            empty="No subnet or connector in the regions with GPUs.",
        )
        self._refresh = button("Refresh", style="outlined", icon="refresh")
        self.box = card(
            "Networking",
            self._problem,
            self._error_notices.box,
            self._advice,
            self._default,
            self._not_kept,
            self._where,
            self._table,
            text="How services reach Cloud Storage in the regions with GPUs.",
            actions=[self._age, self._refresh],
        )
        self._bind()
        self._draw()

    def _bind(self) -> None:
        state = self._state
        self._refresh.on_click(lambda _: state.refresh())
        self._advice.on_action(self._turn_on_all)
        self._table.on_action(self._act)
        self._default.observe(self._chosen, "value")
        state.observe(
            self._draw, ["found", "checked_at", "running", "turning_on", "error", "not_kept"]
        )
        self._session.observe(self._draw, ["network_defaults", "networks_kept"])

    def _chosen(self, change: dict[str, Any]) -> None:
        if not self._drawing and isinstance(change["new"], NetworkChoice):
            self._state.choose(change["new"])

    def _turn_on_all(self) -> None:
        self._state.turn_on(*self._state.without_access())

    def _act(self, action: str, row: str) -> None:
        region, kind, name = row.split("/")
        if action == "turn-on":
            self._state.turn_on((region, name))
            return
        choices = self._state.choices()
        wanted = NetworkKind.SUBNET if kind == SUBNETS else NetworkKind.CONNECTOR
        network = (self._table.row(row) or {}).get("network", "")
        for choice in choices:
            if (choice.kind, choice.name) == (wanted, name) and choice.network in ("", network):
                self._state.choose(choice)

    def _draw(self, _: object = None) -> None:
        state = self._state
        show_if(self._session.project, self.box)
        if not self._session.project:
            return
        self._refresh.disabled = state.running
        if state.error:
            self._problem.show_error(state.error)
        else:
            self._problem.clear()
        self._age.at = state.checked_at
        errors = [found.error for found in state.found.values() if found.error]
        self._error_notices.show(errors, others="other regions")
        self._draw_advice()
        self._draw_default()
        rows = self._all_rows()
        self._table.loading = state.running and not rows
        self._table.rows = rows

    def _all_rows(self) -> list[dict[str, Any]]:
        """Return the rows by region; what is unknown in all of them has one row."""
        regions, kinds = gpus.regions(), (SUBNETS, CONNECTORS)
        unknown = [kind for kind in kinds if self._is_unknown_everywhere(kind)]
        rows = [
            row
            for region in regions
            for kind in kinds
            if kind not in unknown
            for row in self._rows(self._state.found.get(f"{region}/{kind}"))
        ]
        return [*(_unknown("All regions", kind) for kind in unknown), *rows]

    def _is_unknown_everywhere(self, kind: str) -> bool:
        found = [self._state.found.get(f"{region}/{kind}") for region in gpus.regions()]
        return all(each and each.error for each in found)

    def _draw_advice(self) -> None:
        project = self._session.project_id
        local = self._session.settings.is_local_cloud
        link = ("", "") if local else ("Create a connector", links.new_connector(project))
        off = self._state.without_access()
        if not off:
            self._advice.show("info", _ADVICE, link=link)
            return
        regions = ", ".join(region for region, _ in off)
        commands = "\n".join(
            f"gcloud compute networks subnets update {subnet} --region={region} "
            f"--project={project} --enable-private-ip-google-access"
            for region, subnet in off
        )
        self._advice.show(
            "info",
            _ADVICE,
            detail=f"Private Google Access is off in {regions}.",
            command=commands,
            link=link,
            action_label="" if self._state.turning_on else "Turn on everywhere",
        )

    def _draw_default(self) -> None:
        state = self._state
        self._drawing = True
        options = [(choice.label, choice) for choice in state.choices()]
        if tuple(options) != tuple(self._default.options):
            self._default.options = options
        self._default.value = state.default
        self._drawing = False
        missing = state.regions_without(state.default)
        text = ""
        if state.checked_at and missing:
            text = f"Not found in {', '.join(missing)}: deployments there use no network."
        set_text(self._where, text)
        if state.not_kept:
            self._not_kept.show_error(state.not_kept)
            self._not_kept.kind = "warning"
            reason = state.not_kept.message
            self._not_kept.text = f"The default is saved in this browser only. {reason}"
        else:
            self._not_kept.clear()

    def _rows(self, found: Found | None) -> list[dict[str, Any]]:
        if found is None:
            return []
        if found.error:
            return [_unknown(found.region, found.kind)]
        if found.kind == SUBNETS:
            return [self._subnet_row(found.region, each) for each in found.subnets]
        return [self._connector_row(found.region, each) for each in found.connectors]

    def _subnet_row(self, region: str, subnet: Subnet) -> dict[str, Any]:
        state = self._state
        if (region, subnet.name) in state.turning_on:
            shown = {"state": "busy", "text": "Turning on Private Google Access"}
        elif not subnet.is_large_enough:
            shown = {"state": "error", "text": "Too small", "note": "Direct VPC needs /26 or more"}
        elif subnet.private_google_access:
            shown = {"state": "ok", "text": "Private Google Access on"}
        else:
            shown = {"state": "warning", "text": "Private Google Access off"}
        choice = NetworkChoice(NetworkKind.SUBNET, subnet.network, subnet.name)
        hidden = [] if shown["state"] == "warning" else ["turn-on"]
        if choice == state.default or not subnet.is_large_enough:
            hidden.append("choose")
        return {
            "id": f"{region}/{SUBNETS}/{subnet.name}",
            "name": self._name(
                subnet.name, links.subnet(region, subnet.name, self._session.project_id)
            ),
            "region": region,
            "kind": self._kind("Subnet", choice),
            "network": subnet.network,
            "range": subnet.ip_range,
            "state": shown,
            "hidden": hidden,
        }

    def _connector_row(self, region: str, connector: Connector) -> dict[str, Any]:
        words = connector.state.replace("_", " ").capitalize()
        shown = {"state": _CONNECTOR_STATES.get(connector.state, "busy"), "text": words}
        choice = NetworkChoice(NetworkKind.CONNECTOR, "", connector.id)
        hidden = ["turn-on", *(["choose"] if choice == self._state.default else [])]
        return {
            "id": f"{region}/{CONNECTORS}/{connector.id}",
            "name": self._name(connector.id, links.connectors(self._session.project_id)),
            "region": region,
            "kind": self._kind("Connector", choice),
            "network": connector.network,
            "range": connector.ip_range,
            "state": shown,
            "hidden": hidden,
        }

    def _kind(self, words: str, choice: NetworkChoice) -> Any:
        return {"text": words, "note": "Default"} if choice == self._state.default else words

    def _name(self, name: str, href: str) -> Any:
        """Link a name to the console; a local cloud has none."""
        return name if self._session.settings.is_local_cloud else {"text": name, "href": href}


def _unknown(region: str, kind: str) -> dict[str, Any]:
    return {
        "id": f"{region}/{kind}/",
        "region": region,
        "kind": "Subnets" if kind == SUBNETS else "Connectors",
        "state": {"state": "unknown", "text": "Can't tell"},
        "hidden": ["turn-on", "choose"],
    }
