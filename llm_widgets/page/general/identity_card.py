"""Who the product is to Google Cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.widgets.details import Detail, DetailList
from llm_widgets.widgets.layout import card
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    import ipywidgets as w

    from llm_widgets.page.general.general import GeneralState
    from llm_widgets.page.session import Session


def identity_card(session: Session, state: GeneralState) -> w.Widget:
    """Make the card; it fills when the answer is there."""
    details = DetailList([Detail("Identity", "Looking up the identity …", state="busy")])
    notice, visitor = Notice(), Notice()
    notice.on_action(state.sign_in_again)
    endpoint = session.settings.google_endpoint
    cloud = Detail("Cloud", "Local cloud" if endpoint else "Google Cloud", note=endpoint)

    def draw(_: object = None) -> None:
        if state.identity_error:
            notice.show_error(state.identity_error, action_label="Try again")
            details.show([Detail("Identity", "Not signed in", state="error"), cloud])
        elif state.identity:
            notice.clear()
            found = state.identity
            if state.visitor:
                visitor.show(
                    "info",
                    f"You are {state.visitor} (through Identity-Aware Proxy). The manager acts "
                    f"as {found.label}.",
                )
            details.show(
                [
                    Detail("Identity", found.label, copy=bool(found.email), wide=True),
                    Detail("Kind", found.kind.value),
                    cloud,
                ]
            )

    state.observe(draw, ["identity", "identity_error", "visitor"])
    return card(
        "Application identity",
        notice,
        visitor,
        details,
        text="The manager acts as this identity (Application Default Credentials).",
    )
