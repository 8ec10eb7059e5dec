"""Processes beside the web: each with its own role, started on its own."""
