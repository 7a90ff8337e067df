"""Reports for people: HTML pages, tables, plots and sheets of pictures."""
