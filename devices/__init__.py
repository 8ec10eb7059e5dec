"""Bytes to facts and back: camera, scanner, printer, and simulated ones beside them. Never imports ``app``."""
