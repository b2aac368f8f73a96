"""What the pages about watches are made from: visits, pages, forms and the progress of looks."""
