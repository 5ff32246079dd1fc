"""Pictures with boxes, and sentences that speak of one of them."""
