"""Measurements: always as ratios to a floor in the same run, never as a timed test."""
