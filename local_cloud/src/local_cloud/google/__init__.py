"""Google APIs of the local cloud, one module per API; messages are those of the clients."""
