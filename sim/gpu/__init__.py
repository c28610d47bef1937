"""Measurements of the integer model on a GPU: equality with golden, and throughput."""
