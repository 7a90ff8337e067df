"""The command line: the application, its options, and how results are shown."""
