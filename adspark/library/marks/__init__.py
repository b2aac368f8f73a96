"""What users write on stored ads: tags, titles and notes, their own or shared."""
