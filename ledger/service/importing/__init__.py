"""Reading other people's files: each module turns one published shape into our terms, and guesses nothing."""
