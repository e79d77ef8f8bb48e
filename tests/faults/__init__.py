"""Power cuts and kills in the middle of every command that writes."""
