"""What every call shares: the clients, their lazy import, and failures in our words."""
