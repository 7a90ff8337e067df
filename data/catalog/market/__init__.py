"""What was observed of the market: listings, pictures, texts, prices, and the facts that matching made of them."""
