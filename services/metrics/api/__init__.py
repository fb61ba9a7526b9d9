"""The marketers' HTTP API: one room per noun, each with its answers and its routes."""
