"""What goes into the menu and what its entries load: plans of what ``generate`` writes."""
