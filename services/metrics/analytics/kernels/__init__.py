"""Pure functions over columns, one room for each question. What they count is said in docs/definitions.md."""
