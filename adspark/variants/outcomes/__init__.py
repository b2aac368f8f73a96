"""What works: approvals by prompt, advertiser and reviewer, and how far reviewers agree."""
