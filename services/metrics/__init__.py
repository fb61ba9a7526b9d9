"""HTTP out: Prometheus metrics and the marketers' API, answered from stored state."""
