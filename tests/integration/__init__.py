"""Several rooms together, on the real log and store."""
