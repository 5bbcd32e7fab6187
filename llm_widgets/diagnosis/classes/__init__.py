"""Classes of errors that the catalogue does not have, by subject, and which one an error is of."""
