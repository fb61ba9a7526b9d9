"""Grafana: its provisioning, its boards as JSON, and the sources that they are made from."""
