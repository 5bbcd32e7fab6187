"""Google Cloud Run and the APIs around it, two model hubs, and a service runner on this machine."""
