"""What gcloud needs beyond the APIs that the clients speak: older versions, and its settings."""
