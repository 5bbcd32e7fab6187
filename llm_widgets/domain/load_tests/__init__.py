"""Load tests of services: what is sent, for how long, what came back, and what follows from it.

A closed loop: so many callers at once, each of whom asks again when it has its answer. Nothing in
here sends anything.
"""
