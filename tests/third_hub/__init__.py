"""A hub that the product does not have: models on a shelf, each with a number as its revision."""
