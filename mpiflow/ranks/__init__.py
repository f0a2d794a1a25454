"""How ranks share work: tiles and chunks, the exchange of rows, and how a job ends."""
