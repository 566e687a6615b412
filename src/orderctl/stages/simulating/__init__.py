"""What would have been: past shipments decided anew under one book of rules and another, and what that changes."""
