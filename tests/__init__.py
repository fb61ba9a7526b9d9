"""Tests, one folder per kind; the real services they use are started by tests.support."""
