"""The steps: each names the one before it (`down_revision`) and can be undone."""
