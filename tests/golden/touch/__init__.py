"""Golden cases of how touchpoints are read, as data."""
