"""What Python asks of a project, by subject; together they are :class:`.Manager`."""
