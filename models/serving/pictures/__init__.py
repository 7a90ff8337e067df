"""Pictures fetched, fingerprinted, matched and searched, with what the catalog knows."""
