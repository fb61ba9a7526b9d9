"""Log to store: folds each batch of touchpoints onto its customers, one transaction per batch."""
