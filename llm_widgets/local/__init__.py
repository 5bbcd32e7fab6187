"""The embedded local cloud: Google APIs, hubs and a service runner on this machine."""
