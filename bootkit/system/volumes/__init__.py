"""The ways to reach a data partition."""
