"""What a region to look at is good for: which box a sentence means, and where it is when there are no boxes."""
