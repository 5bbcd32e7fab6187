"""The General tab."""
