"""Who is signed in, and how one becomes so."""
