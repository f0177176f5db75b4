"""The desk unit's board as code."""
