"""The door of the buckets: documents that anybody may have written become checked values.

Whoever may write objects in a bucket can write any of these documents. So each kind is read in
one place, within limits of bytes, depth, counts and names. Where a document lies decides which
bucket and which import it is of, whatever it says itself.
"""
