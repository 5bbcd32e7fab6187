"""Who calls Google Cloud: credentials, the identity behind them, ID tokens."""
