"""Stemma: laboratory information management for stem cell preparation."""
