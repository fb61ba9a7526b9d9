"""The schema's history, one file a step in `versions`. A step says what it does in full and never imports `tables`."""
