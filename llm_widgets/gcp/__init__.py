"""Google Cloud, a room for each kind of API. Functions take clients; none is imported to draw."""
