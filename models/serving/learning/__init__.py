"""Models trained, judged and chosen, with what the catalog knows."""
