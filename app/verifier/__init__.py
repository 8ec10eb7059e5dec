"""Stands outside: one standard-library file that checks an export of the audit and imports nothing of ours."""
