"""Facts about one room at a time."""
