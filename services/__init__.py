"""The processes: ingest, stager and metrics, and the command line that starts them."""
