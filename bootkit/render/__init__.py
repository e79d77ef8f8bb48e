"""Values to text: the menu, the stub that finds it, the explanation of an answer. Pure."""
