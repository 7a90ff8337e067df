"""The catalog: every fact that was observed, when it happened and when it could be known."""
