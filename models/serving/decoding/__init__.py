"""Pictures of strangers are opened in processes of their own, which may be lost."""
