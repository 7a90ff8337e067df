"""The database itself: how it is opened, its tables, and how frames become rows and back."""
