"""Labels, splits, training, evaluation, the registry and scoring."""
