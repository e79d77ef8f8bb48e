"""The vocabulary: frozen values that every other part speaks. Standard library only."""
