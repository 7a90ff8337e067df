"""The ground floor: settings, sources, images and the catalog. It knows nothing of hashes' meaning or models."""
