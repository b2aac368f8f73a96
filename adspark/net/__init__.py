"""Which addresses may be asked, and who may ask ours."""
