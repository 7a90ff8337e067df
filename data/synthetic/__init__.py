"""A seeded marketplace made on the spot: its people, their listings, their pictures, and what is true of them."""
