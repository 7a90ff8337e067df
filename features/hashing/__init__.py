"""One picture to its five perceptual hashes, bit for bit those of ImageHash."""
