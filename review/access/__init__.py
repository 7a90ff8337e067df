"""Who comes in, who they are, and what each of them may do."""
