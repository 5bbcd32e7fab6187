"""Cloud Storage: buckets, small objects, and the metadata file of a bucket."""
