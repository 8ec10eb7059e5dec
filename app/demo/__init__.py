"""Whole lives driven over HTTP as people would drive them. It stands outside: it imports nothing of ours."""
