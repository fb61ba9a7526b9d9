"""One room per protocol: how its bodies are read. What the events in them mean is decided in services.ingest.accept."""
