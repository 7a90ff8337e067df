"""Pictures from strangers: which addresses are asked, how bytes arrive, where they are kept, how they are opened."""
