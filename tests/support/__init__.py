"""What tests share: servers that stand in for others, stored rows, and words for acts."""
