"""What each view shows, observable and without widgets; the only place that starts work."""
