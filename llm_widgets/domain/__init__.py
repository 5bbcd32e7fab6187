"""What the product speaks about: plain values, their grammar and their arithmetic. No I/O."""
