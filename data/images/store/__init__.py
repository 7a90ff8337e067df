"""Where picture files are kept, and how they are made safe before anything refers to them."""
