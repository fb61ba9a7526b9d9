"""Random definitions, histories and faults against the slow oracle."""
