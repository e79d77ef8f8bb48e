"""The imperative shell: the only package that starts programs or writes."""
