"""Starts the real services that tests need, and always stops them."""
