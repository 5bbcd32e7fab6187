"""What Google's APIs mean when they refuse: read into checked values, then worded by rules."""
