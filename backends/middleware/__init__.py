"""Middleware: each file wraps a backend's `generate` for one reason."""
